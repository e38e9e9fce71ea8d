/**
 * Accounts do not see each other: every operation that is built is called by another account's administrator with the names,
 * ids, ARNs and tokens of one account's things (`tests/isolation/fixture/`); nothing is read and nothing changes.
 * The stranger has things of the same names, so that each member in turn can be the owner's and the others the stranger's.
 *
 * An operation that is new is walked by itself. This test fails where it can not be:
 * - "needs a sample": give `samples` in the fixture a value for the member ("Member", "service.Member" or
 *   "service.Operation.Member"), which should be of something that the fixture makes;
 * - "finds nothing of its own": the owner's own call with the same input ends in a not-found error, so the walk would prove
 *   nothing: let the fixture make the thing.
 */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { AttachUserPolicyCommand, CreateUserCommand } from "@aws-sdk/client-iam";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { type Call, type Principal, rootPrincipal } from "#gateway/context.ts";
import { errorView, isUnexpected } from "#gateway/errors.ts";
import { execute } from "#gateway/execute.ts";
import type { OperationModel, Service } from "#gateway/service.ts";
import { anImage } from "#services/ecr/testing.ts";
import { IamIdentities } from "#services/iam/index.ts";
import { OrganizationMemberships } from "#services/organizations/index.ts";
import { services } from "#services/services.ts";
import { inTransaction } from "#store/database.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sharedIssuer } from "#tests/isolation/fixture/federation.ts";
import { everythingOf, type Fixture } from "#tests/isolation/fixture/index.ts";
import { memberOf } from "#tests/isolation/fixture/organization.ts";
import { inputsOf, mixedInputs } from "#tests/isolation/inputs.ts";
import { added, lost, type Snapshot, Snapshots } from "#tests/isolation/snapshot.ts";

await Promise.all(services.map((service) => service.load()));

const STRANGER = "444455556666";
const OUTSIDER = "777788889999";
const ELSEWHERE = "eu-west-1";
/** What has no region, or is found from all of them. */
const GLOBAL: ReadonlySet<string> = new Set(["iam", "sts", "s3", "organizations"]);
const ACCOUNT_ID = /^\d{12}$/;
const NOT_FOUND = /not.?found|nosuch|doesnotexist/i;

const LIMIT = /^(max(items|results|keys|uploads|buckets)|limit|pagesize)$/i;
const PAGE_TOKEN = /^((next|continuation)token|(\w*)marker)$/i;

type Input = Readonly<Record<string, unknown>>;

interface Caller {
  readonly principal: Principal;
  readonly region: string;
}

interface Outcome {
  readonly error: unknown;
  /** The answer or the error, as text. */
  readonly told: string;
}

/**
 * What a stranger's own things may name of another's, because naming it gives nothing: a key is asked for when it is used.
 */
const REFERENCES: readonly RegExp[] = [/^codebuild_projects .*encryptionKey/];

/** What signs somebody in, whoever sends it: strangers send their own with the owner's names. */
const BEARERS: ReadonlySet<string> = new Set(["SAMLAssertion", "WebIdentityToken"]);

/** What is found by its id alone and may tell nothing that is marked: to answer at all is wrong. */
const REPORTS: readonly string[] = ["iam.JobId", "iam.GetOrganizationsAccessReport.JobId"];

/** Operations of other services. */
const ABOUT_ORGANIZATIONS = /Organization|AssumeRoot$/;

/** What an account of the owner's organization may be told of it and do in it, and so is no stranger to. */
const FOR_MEMBERS: ReadonlySet<string> = new Set([
  "DescribeEffectivePolicy",
  "DescribeOrganization",
  "LeaveOrganization",
  "ListHandshakesForAccount",
]);

let system: TestSystem;
let owner: Caller;
let stranger: Caller;
/** Of no organization. */
let outsider: Caller;
/** Of the owner's organization. */
let member: Caller;
let ownersThings: Fixture;
let strangersThings: Fixture;
let snapshots: Snapshots;
/** The owner's rows, before anybody else asked for anything. */
let original: Snapshot;
/** The owner's and the stranger's. */
let everything: Snapshot;
/** Ids in the owner's rows: a new row with one of them belongs to something of the owner's. */
let ownersIds: readonly string[];

before(async () => {
  system = await testSystem({
    services,
    engine: new FakeEngine(),
    identities: (parts) => new IamIdentities(parts),
    work: false,
    organizations: (parts) => new OrganizationMemberships(parts),
    config: { providerEndpoints: { github: "/nowhere" } },
  });
  const issuer = await sharedIssuer(system);
  owner = { principal: await administratorOf(ACCOUNT), region: REGION };
  stranger = { principal: await administratorOf(STRANGER), region: REGION };
  outsider = { principal: await administratorOf(OUTSIDER), region: REGION };
  member = { principal: await administratorOf(memberOf(ACCOUNT)), region: REGION };
  const thingsOf = (caller: Caller, other: string) => {
    const { principal, region } = caller;
    return everythingOf(
      system,
      system.client(principal, { accountId: principal.accountId, region }),
      anImage(),
      other,
      issuer,
    );
  };
  snapshots = await Snapshots.of(system);
  const empty = await snapshots.take();
  ownersThings = await thingsOf(owner, STRANGER);
  const full = await snapshots.take();
  original = { ...full, rows: new Set(added(empty, full)) };
  strangersThings = await thingsOf(stranger, ACCOUNT);
  everything = await snapshots.take();
  const others = added(full, everything).join();
  ownersIds = idsIn(original).filter((id) => !others.includes(id));
});
after(() => system?.[Symbol.asyncDispose]());

async function administratorOf(accountId: string): Promise<Principal> {
  const root = system.client(rootPrincipal(accountId), { accountId, region: REGION });
  const { User } = await root.send(new CreateUserCommand({ UserName: "admin" }));
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await root.send(new AttachUserPolicyCommand({ UserName: "admin", PolicyArn }));
  return { type: "User", arn: User!.Arn!, accountId, userId: User!.UserId!, accessKeyId: "AKIAEXAMPLE" };
}

function idsIn({ rows }: Snapshot): string[] {
  const ids = [...rows].flatMap((row) =>
    Object.entries(JSON.parse(row.slice(row.indexOf(" "))) as Record<string, unknown>).flatMap(([column, value]) =>
      /(^|_)(id|arn|uuid)$/.test(column) &&
      column !== "principal_arn" &&
      String(value).length >= 8 &&
      !ACCOUNT_ID.test(String(value))
        ? [String(value)]
        : [],
    ),
  );
  return [...new Set(ids)];
}

function callBy({ principal, region }: Caller, db = system.db): Call {
  const { accountId } = principal;
  return {
    system,
    db,
    principal,
    accountId,
    region,
    requestId: "00000000-0000-4000-8000-000000000000",
    now: system.clock.now(),
    sourceIp: "127.0.0.1",
    secureTransport: true,
    userAgent: "walk",
  };
}

async function answered(service: Service, model: OperationModel, input: Input, call: Call): Promise<object> {
  return (await execute(service, model, withStreams(model, input), call)) as object;
}

async function called(
  service: Service,
  model: OperationModel,
  input: Input,
  caller: Caller,
  db = system.db,
): Promise<Outcome> {
  try {
    return { error: undefined, told: await shown(await answered(service, model, input, callBy(caller, db))) };
  } catch (error) {
    const { code, message, members, headers } = errorView(service, error);
    return { error, told: await shown({ code, message, members, headers }) };
  }
}

function withStreams(model: OperationModel, input: Input): Record<string, unknown> {
  const given: Record<string, unknown> = structuredClone(input);
  if (model.input.isUnitSchema()) return given;
  for (const [name, member] of model.input.structIterator()) {
    if (member.isStreaming() && name in given) given[name] = Readable.from([Buffer.from(String(given[name]))]);
  }
  return given;
}

/** Streams are read to their end; blobs are shown in both of their forms. */
async function shown(value: unknown): Promise<string> {
  if (value instanceof Readable) return text(value);
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString("base64")} ${Buffer.from(value).toString()}`;
  if (value === null || typeof value !== "object" || value instanceof Date) return String(value);
  const parts = await Promise.all(Object.entries(value).map(async ([key, item]) => `${key}: ${await shown(item)}`));
  return `{ ${parts.join(", ")} }`;
}

/** What is wrong with the outcome: it says something of the owner's that no question did, or is a fault of ours. */
function wrongs(service: Service, asked: string, caller: Caller, outcome: Outcome): string[] {
  const who = `${caller.principal.arn} in ${caller.region} with ${asked}`;
  const found = ownersThings.secrets
    .filter((secret) => outcome.told.includes(secret) && !asked.includes(secret))
    .map((secret) => `${who} is told ${secret}: ${outcome.told}`);
  const failure = faultOf(service, outcome);
  return failure ? [...found, `${who} ${failure}`] : found;
}

function faultOf(service: Service, { error }: Outcome): string | undefined {
  if (error === undefined) return undefined;
  if (isUnexpected(service, error)) return `fails: ${(error as Error).stack}`;
  const { status } = errorView(service, error);
  return status >= 500 ? `is answered ${status}` : undefined;
}

/** What `run` did to the owner's, in a transaction that is rolled back. */
function changesBy(caller: Caller, run: (db: TestSystem["db"]) => Promise<void>): Promise<string[]> {
  return rolledBack(async (db) => {
    const before = await snapshots.writes(db);
    await run(db);
    return before === (await snapshots.writes(db)) ? [] : changes(caller, await snapshots.take(db));
  });
}

/**
 * Rows of the owner's that are gone or changed, or are new. A stranger's new row may not even mention an id of the owner's,
 * unless as `REFERENCES` say; the owner's own elsewhere may not belong to something here.
 */
function changes(caller: Caller, now: Snapshot): string[] {
  const mentions = caller.principal === owner.principal ? belongsToSomethingHere : mentionsOwners;
  const ofOwner = (row: string) =>
    (row.includes(`"account_id":"${ACCOUNT}"`) && !row.includes(ELSEWHERE)) || mentions(row);
  return [
    ...lost(original, now).map((row) => `changed or gone: ${row}`),
    ...added(everything, now)
      .filter(ofOwner)
      .map((row) => `appeared: ${row}`),
  ];
}

function mentionsOwners(row: string): boolean {
  return ownersIds.some((id) => row.includes(id)) && !REFERENCES.some((reference) => reference.test(row));
}

function belongsToSomethingHere(row: string): boolean {
  return idsIn({ rows: new Set([row]), blobs: new Set() }).some((id) => ownersIds.includes(id));
}

async function rolledBack<T>(run: (db: TestSystem["db"]) => Promise<T>): Promise<T> {
  const undo = new Error("roll back");
  let result: { value: T } | undefined;
  await inTransaction(system.db, async (trx) => {
    result = { value: await run(trx) };
    throw undo;
  }).catch((error: unknown) => {
    if (error !== undo) throw error;
  });
  return result!.value;
}

/** What goes wrong where the caller sends all of the inputs, one after the other. */
async function problemsOfAll(service: Service, model: OperationModel, inputs: readonly Input[], caller: Caller) {
  const problems: string[] = [];
  let asked = "";
  const changed = await changesBy(caller, async (db) => {
    for (const input of inputs) {
      asked += await shown(input);
      const outcome = await called(service, model, input, caller, db);
      problems.push(...wrongs(service, asked, caller, outcome));
      const report = REPORTS.some((name) => ownersThings.samples[name]!.includes(input.JobId));
      if (report && outcome.error === undefined) problems.push(`${caller.principal.arn} reads ${await shown(input)}`);
    }
  });
  return [...problems, ...changed];
}

/** What goes wrong where the stranger sends each of the inputs to things as they were. */
async function problemsOfEach(service: Service, model: OperationModel, inputs: readonly Input[]) {
  const problems: string[] = [];
  for (const input of inputs) {
    const found = await problemsOfAll(service, model, [input], stranger);
    problems.push(...(await Promise.all(found.map(async (problem) => `${await shown(input)}: ${problem}`))));
  }
  return problems;
}

function signedInAs(own: Input, input: Input): Input {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, BEARERS.has(name) ? own[name] : value]),
  );
}

/** Where the owner's first page of one names a second: what asks for that, of the owner's things and of the stranger's. */
async function furtherPages(service: Service, model: OperationModel, inputs: readonly Input[], own: readonly Input[]) {
  if (model.input.isUnitSchema()) return [];
  const members = Array.from(model.input.structIterator(), ([name]) => name);
  const limit = members.find((name) => LIMIT.test(name));
  const tokens = members.filter((name) => PAGE_TOKEN.test(name));
  const pages: Input[] = [];
  for (const [index, input] of limit === undefined || tokens.length === 0 ? [] : inputs.entries()) {
    const first = await answered(service, model, { ...input, [limit!]: 1 }, callBy(owner)).catch(() => ({}));
    const given = Object.entries(first).flatMap(([name, value]) => {
      const token = tokens.find((known) => pageOf(known) === pageOf(name));
      return token !== undefined && value !== undefined ? [[token, value]] : [];
    });
    const next = Object.fromEntries(given) as Input;
    if (given.length > 0) pages.push({ ...input, ...next }, { ...own[index], ...next });
  }
  return pages;
}

/** "NextKeyMarker" is the answer's "KeyMarker", "nextForwardToken" its "nextToken". */
function pageOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/^next/, "")
    .replace(/^forward/, "");
}

/** The walk would prove nothing with inputs that find nothing. */
async function problemsOfOwner(service: Service, model: OperationModel, inputs: readonly Input[]) {
  const problems: string[] = [];
  for (const input of inputs) {
    const outcome = await rolledBack((db) => called(service, model, input, owner, db));
    const fault = faultOf(service, outcome);
    const refused = NOT_FOUND.test(String(outcome.error)) || /AccessDenied/.test(String(outcome.error));
    if (fault) problems.push(`the owner ${fault}`);
    else if (refused) problems.push(`the owner finds nothing of its own with ${await shown(input)}: ${outcome.told}`);
  }
  return problems;
}

for (const service of services) {
  describe(`${service.name} is kept apart`, () => {
    for (const model of [...service.operations.values()].filter(({ operation }) => operation)) {
      it(model.name, async () => {
        const { variants, missing } = inputsOf(service, model, ownersThings.samples);
        assert.deepEqual(missing, [], `${service.name}:${model.name} needs a sample`);
        const callers = [stranger, { ...stranger, region: ELSEWHERE }];
        if (!GLOBAL.has(service.name)) callers.push({ ...owner, region: ELSEWHERE });
        if (service.name === "organizations" || ABOUT_ORGANIZATIONS.test(model.name)) {
          callers.push(outsider, ...(FOR_MEMBERS.has(model.name) ? [] : [member]));
        }
        const problems = await problemsOfOwner(service, model, variants);
        const own = inputsOf(service, model, strangersThings.samples).variants;
        const asked = [
          ...variants.map((variant) => signedInAs(own[0]!, variant)),
          ...(await furtherPages(service, model, variants, own)),
        ];
        for (const caller of callers) problems.push(...(await problemsOfAll(service, model, asked, caller)));
        // What others call the same, and one thing of another's among the stranger's own.
        const mixed = mixedInputs(service, model, strangersThings.samples, ownersThings.samples);
        problems.push(...(await problemsOfEach(service, model, [...own, ...mixed])));
        assert.deepEqual(problems, []);
      });
    }
  });
}
