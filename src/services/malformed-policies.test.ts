/**
 * Policy documents that are none, put through the API: the error, that it names the place, and that nothing is stored. The cases
 * are in tests/scenarios/malformed-policies.json; each goes through every operation that takes a document of its kinds.
 *
 *     text        the document as it is, or
 *     policy      what differs from a sound document of the kind; null: the element is missing
 *     statements  what differs from its sound statement, for each
 *     place       what the message begins with, MalformedPolicyDocument being the error; or `error` and the whole `message`
 *     only        the operations; without it all that take the kind
 *
 * "$nested:N" stands for a list in a list, N times; "$opened:N" for its first half; "$times:N:TEXT" for the text N times in a
 * list; "$long:N" for N letters.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import * as organizations from "@aws-sdk/client-organizations";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { added, lost, type Snapshot, Snapshots } from "#tests/isolation/snapshot.ts";
import cases from "#tests/scenarios/malformed-policies.json" with { type: "json" };
import { aRole, policy, roleArn, trust } from "./iam/testing.ts";
import { anOrganization, organizationsSystem } from "./organizations/testing.ts";

interface MalformedCase {
  readonly name: string;
  readonly kinds: readonly string[];
  readonly text?: string;
  readonly policy?: object;
  readonly statements?: readonly (object | string)[];
  readonly place?: string;
  readonly only?: readonly string[];
  readonly error?: string;
  readonly message?: string;
}

const CASES: readonly MalformedCase[] = cases;
const PolicyArn = roleArn("holder").replace(":role/", ":policy/");

const SOUND: Readonly<Record<string, object>> = {
  identity: { Effect: "Allow", Action: "*", Resource: "*" },
  trust: { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" },
  scp: { Effect: "Deny", Action: "*", Resource: "*" },
};

const holder = { UserName: "holder", GroupName: "holder", RoleName: "holder", PolicyName: "new" };
type Put = (system: TestSystem, document: string, scpId: string) => Promise<unknown>;
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Put>>>> = {
  identity: {
    "iam:PutUserPolicy": ({ root }, PolicyDocument) =>
      root.send(new iam.PutUserPolicyCommand({ ...holder, PolicyDocument })),
    "iam:PutGroupPolicy": ({ root }, PolicyDocument) =>
      root.send(new iam.PutGroupPolicyCommand({ ...holder, PolicyDocument })),
    "iam:PutRolePolicy": ({ root }, PolicyDocument) =>
      root.send(new iam.PutRolePolicyCommand({ ...holder, PolicyDocument })),
    "iam:CreatePolicy": ({ root }, PolicyDocument) =>
      root.send(new iam.CreatePolicyCommand({ ...holder, PolicyDocument })),
    "iam:CreatePolicyVersion": ({ root }, PolicyDocument) =>
      root.send(new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument })),
  },
  trust: {
    "iam:CreateRole": ({ root }, AssumeRolePolicyDocument) =>
      root.send(new iam.CreateRoleCommand({ RoleName: "new", AssumeRolePolicyDocument })),
    "iam:UpdateAssumeRolePolicy": ({ root }, PolicyDocument) =>
      root.send(new iam.UpdateAssumeRolePolicyCommand({ ...holder, PolicyDocument })),
  },
  scp: {
    "organizations:CreatePolicy": ({ root }, Content) =>
      root.send(
        new organizations.CreatePolicyCommand({
          Name: "new",
          Description: "",
          Type: "SERVICE_CONTROL_POLICY",
          Content,
        }),
      ),
    "organizations:UpdatePolicy": ({ root }, Content, PolicyId) =>
      root.send(new organizations.UpdatePolicyCommand({ PolicyId, Content })),
  },
};

describe("a policy document that is none", () => {
  let system: TestSystem;
  let snapshots: Snapshots;
  let stored: Snapshot;
  let scpId: string;
  before(async () => {
    system = await organizationsSystem({ work: false });
    const { root } = system;
    await root.send(new iam.CreateUserCommand(holder));
    await root.send(new iam.CreateGroupCommand(holder));
    await aRole(system, "holder");
    const sound = policy("Allow", "s3:GetObject");
    await root.send(new iam.CreatePolicyCommand({ PolicyName: "holder", PolicyDocument: sound }));
    await anOrganization(system);
    const { Policy } = await root.send(
      new organizations.CreatePolicyCommand({
        Name: "holder",
        Description: "",
        Type: "SERVICE_CONTROL_POLICY",
        Content: sound,
      }),
    );
    scpId = Policy!.PolicySummary!.Id!;
    snapshots = await Snapshots.of(system);
    stored = await snapshots.take();
  });
  after(async () => {
    await system[Symbol.asyncDispose]();
  });

  for (const malformed of CASES) {
    for (const kind of malformed.kinds) {
      const operations = Object.entries(OPERATIONS[kind]!);
      const used = operations.filter(([name]) => malformed.only?.includes(name) ?? true);
      it(`is refused: ${malformed.name} (${kind})`, async () => {
        assert.ok(used.length > 0);
        const document = documentOf(malformed, kind);
        for (const [name, put] of used) {
          const failure = await put(system, document, scpId).then(
            () => assert.fail(`${name} took it`),
            (error: Error) => error,
          );
          assert.equal(
            failure.name,
            malformed.error ?? "MalformedPolicyDocumentException",
            `${name}: ${failure.stack}`,
          );
          if (malformed.message) assert.equal(failure.message, malformed.message);
          else assert.ok(namesPlace(failure.message, malformed.place!), `${name}: ${failure.message}`);
          assert.ok(failure.message.length < 2_100, `${name}: ${failure.message.length} characters`);
        }
        const now = await snapshots.take();
        assert.deepEqual([...added(stored, now), ...lost(stored, now)], []);
      });
    }
  }

  it("stands beside sound ones that are taken", async () => {
    const documents = { identity: policy("Allow", "s3:GetObject"), trust: trust("ec2.amazonaws.com") };
    for (const [kind, operations] of Object.entries(OPERATIONS)) {
      const document = kind === "trust" ? documents.trust : documents.identity;
      for (const put of Object.values(operations)) await put(system, document, scpId);
    }
  });
});

/** Organizations says this first. */
const UNSUITABLE = "The provided policy document does not meet the requirements of the specified policy type. ";

/** The place itself, then the words; a longer place that begins alike is another one, but where it is cut short. */
function namesPlace(message: string, place: string): boolean {
  const said = message.startsWith(UNSUITABLE) ? message.slice(UNSUITABLE.length) : message;
  return said === place || said.startsWith(`${place}: `) || (place.endsWith("aaaa") && said.startsWith(place));
}

function documentOf({ text, policy: changes, statements }: MalformedCase, kind: string): string {
  if (text !== undefined) return unfolded(JSON.stringify(text), text);
  const Statement = (statements ?? [{}]).map((one) => (typeof one === "object" ? changed(SOUND[kind]!, one) : one));
  const json = JSON.stringify(changed({ Version: "2012-10-17", Statement }, changes ?? {}));
  return unfolded(json, json);
}

function changed(sound: object, changes: object): object {
  return Object.fromEntries(Object.entries({ ...sound, ...changes }).filter(([, value]) => value !== null));
}

/** `text`, or the long text that the marks in its JSON stand for: too deep or long to be written out. */
function unfolded(json: string, text: string): string {
  let marked = false;
  const unfoldedJson = json.replace(/"\$(nested|opened|times|long):(\d+)(?::([^"]*))?"/g, (_all, mark, count, item) => {
    marked = true;
    const times = Number(count);
    if (mark === "times") return Array(times).fill(JSON.stringify(item)).join(",");
    if (mark === "long") return `"${"a".repeat(times)}"`;
    return "[".repeat(times) + (mark === "nested" ? "]".repeat(times) : "");
  });
  return marked ? unfoldedJson : text;
}
