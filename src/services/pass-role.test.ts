/**
 * Who may do everything but pass a role is refused where AWS asks for `iam:PassRole`, and nothing is made. The cases are in
 * tests/scenarios/pass-role.json: a case for each member of a request that names a role, or the reason why there is none.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as ecs from "@aws-sdk/client-ecs";
import * as iam from "@aws-sdk/client-iam";
import type { NormalizedSchema } from "@smithy/core/schema";
import type { Client } from "#gateway/client.ts";
import { ACCOUNT, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { added, lost, Snapshots } from "#tests/isolation/snapshot.ts";
import scenarios from "#tests/scenarios/pass-role.json" with { type: "json" };
import { filled, taggedResources } from "./authorization-samples.ts";
import { IamIdentities } from "./iam/index.ts";
import { aUser, roleArn } from "./iam/testing.ts";
import { services } from "./services.ts";

interface PassRoleCase {
  readonly operation: string;
  /** Which member of the input names the role `$passed`. */
  readonly member: string;
  /** `iam:PassedToService`. */
  readonly service: string;
  readonly input: object;
  /** The error of a caller who may pass the role; undefined: none. */
  readonly then?: string;
}

interface Exception {
  /** `ecs:RunTask`, `ecs:*`. */
  readonly operations: readonly string[];
  readonly members: readonly string[];
  readonly reason: string;
}

const CASES: readonly PassRoleCase[] = scenarios.asked;
const EXCEPTIONS: readonly Exception[] = scenarios.notAsked;
const DEPENDENT: readonly string[] = scenarios.reference.actions;
const PASSED = roleArn("passed");
const CALLER = `arn:aws:iam::${ACCOUNT}:user/caller`;
const REFUSAL = {
  name: "AccessDenied",
  message: `User: ${CALLER} is not authorized to perform: iam:PassRole on resource: ${PASSED} because no identity-based policy allows the iam:PassRole action`,
};

await Promise.all(services.map((service) => service.load()));
const built = services.flatMap((service) =>
  [...service.operations.values()].flatMap(({ name, input, operation }) => {
    if (!operation) return [];
    const id = `${service.name}:${name}`;
    const action = operation.authorize === "always" ? id : operation.authorize.action;
    return [{ id, input, action: typeof action === "string" ? action : id }];
  }),
);

describe("iam:PassRole", () => {
  let system: TestSystem;
  let snapshots: Snapshots;
  let caller: Client;
  let samples: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  before(async () => {
    system = await testSystem({ services, work: false, identities: (wired) => new IamIdentities(wired) });
    samples = await taggedResources(system);
    caller = (await aUser(system, "caller")).client;
    await rolesToPass(system);
    snapshots = await Snapshots.of(system);
  });
  after(async () => {
    await system[Symbol.asyncDispose]();
  });

  async function allowPassing(...statements: object[]): Promise<void> {
    const everythingElse = [
      { Effect: "Allow", NotAction: "iam:PassRole", Resource: "*" },
      { Effect: "Allow", Action: "iam:PassRole", NotResource: PASSED },
    ];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [...everythingElse, ...statements] });
    await system.root.send(new iam.PutUserPolicyCommand({ UserName: "caller", PolicyName: "own", PolicyDocument }));
  }

  function passedTo(service: string): object {
    const Condition = { StringEquals: { "iam:PassedToService": service } };
    return { Effect: "Allow", Action: "iam:PassRole", Resource: PASSED, Condition };
  }

  for (const { operation: id, member, service, input, then } of CASES) {
    it(`is needed for ${member} of ${id}, to ${service}`, async () => {
      const [name = "", operation = ""] = id.split(":");
      const { namespace } = services.find((one) => one.name === name)!;
      const values = { ...samples[name], role: samples.iam!.role, passed: PASSED };
      const call = () => caller.send({ schema: [9, namespace, operation], input: filled(input, values) });

      for (const statements of [[], [passedTo("lambda.amazonaws.com")]]) {
        await allowPassing(...statements);
        const earlier = await snapshots.take();
        await assert.rejects(call(), REFUSAL);
        const later = await snapshots.take();
        assert.deepEqual([...added(earlier, later), ...lost(earlier, later)], []);
      }

      await allowPassing(passedTo(service));
      if (then === undefined) await call();
      else await assert.rejects(call(), { name: then });
    });
  }
});

describe("the cases of iam:PassRole", () => {
  const inCase = new Set(CASES.map(({ operation, member }) => `${operation} ${member}`));

  it("have every member of a request that names a role, or the reason why it is not passed", () => {
    const named = built.flatMap(({ id, input }) => roleMembers(input).map((member) => ({ id, member })));
    const missing = named.filter(({ id, member }) => !inCase.has(`${id} ${member}`) && !exceptionFor(id, member));
    assert.deepEqual(missing, []);
    const idle = EXCEPTIONS.filter((exception) => !named.some(({ id, member }) => covers(exception, id, member)));
    assert.deepEqual(idle, []);
  });

  it("have every action that the service authorization reference makes depend on it", () => {
    const dependent = built.filter(({ action }) => DEPENDENT.includes(action));
    assert.ok(dependent.length > 0);
    assert.deepEqual(
      dependent.filter(({ id }) => !CASES.some(({ operation }) => operation === id)),
      [],
    );
  });
});

/** A role that every service may assume, and task definitions that have it. */
async function rolesToPass({ root }: TestSystem): Promise<void> {
  const Service = [...new Set(CASES.map(({ service }) => service))];
  const Statement = [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await root.send(new iam.CreateRoleCommand({ RoleName: "passed", AssumeRolePolicyDocument }));
  const register = (family: string, roles: Partial<ecs.RegisterTaskDefinitionCommandInput>) =>
    root.send(
      new ecs.RegisterTaskDefinitionCommand({
        family,
        networkMode: "awsvpc",
        requiresCompatibilities: ["FARGATE"],
        cpu: "256",
        memory: "512",
        containerDefinitions: [{ name: "app", image: "example.test/app:1" }],
        ...roles,
      }),
    );
  await register("with-task-role", { taskRoleArn: PASSED });
  await register("with-execution-role", { executionRoleArn: PASSED });
}

/** Paths of texts, and lists of them, whose name says that they name a role. */
function roleMembers(schema: NormalizedSchema, path: readonly string[] = []): string[] {
  if (path.length > MAX_DEPTH || schema.isUnitSchema()) return [];
  if (schema.isListSchema() || schema.isMapSchema()) return roleMembers(schema.getValueSchema(), path);
  if (schema.isStructSchema()) {
    return [...schema.structIterator()].flatMap(([name, member]) => roleMembers(member, [...path, name]));
  }
  return /roles?(arn|name|override)?$/i.test(path.at(-1) ?? "") ? [path.join(".")] : [];
}

const MAX_DEPTH = 8;

function covers({ operations, members }: Exception, id: string, member: string): boolean {
  const service = `${id.split(":")[0]}:*`;
  return (operations.includes(id) || operations.includes(service)) && members.includes(member);
}

function exceptionFor(id: string, member: string): Exception | undefined {
  return EXCEPTIONS.find((exception) => covers(exception, id, member));
}
