import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CreateUserCommand, ListRolesCommand, ListUsersCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { DecodeAuthorizationMessageCommand } from "@aws-sdk/client-sts";
import { FileAudit } from "#gateway/audit.ts";
import { type AccessDeniedError, requireAccess } from "#gateway/authorize.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sts } from "../index.ts";

const SCOPE = { accountId: ACCOUNT, region: REGION };

async function system(): Promise<TestSystem> {
  return testSystem({ services: [iam, sts], identities: (parts) => new IamIdentities(parts) });
}

async function aUser(on: TestSystem, ...Statement: object[]): Promise<Principal> {
  const { User } = await on.root.send(new CreateUserCommand({ UserName: "dev" }));
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await on.root.send(new PutUserPolicyCommand({ UserName: "dev", PolicyName: "own", PolicyDocument }));
  return { type: "User", arn: User!.Arn!, accountId: ACCOUNT, userId: User!.UserId!, accessKeyId: undefined };
}

/** What the audit trail says of a denied call, as it does in a running Slipway. */
async function denied(
  on: TestSystem,
  principal: Principal,
  command: ListUsersCommand | ListRolesCommand,
): Promise<string> {
  const folder = join(on.config.dataDir, "audit");
  const audit = new FileAudit(folder, (error) => assert.fail(String(error)));
  const recording = { ...on, audit };
  const name = command instanceof ListUsersCommand ? "ListUsers" : "ListRoles";
  const call = {
    ...SCOPE,
    system: recording,
    db: on.db,
    principal,
    requestId: "1",
    now: on.clock.now(),
    sourceIp: "127.0.0.1",
    secureTransport: true,
    userAgent: "test",
  };
  const access = { action: `iam:${name}`, resource: `arn:aws:iam::${ACCOUNT}:user/` };
  const failure = await requireAccess(call, access).catch((error: AccessDeniedError) => error);
  audit.record(iam, name, {}, call, failure);
  await audit.flush();
  const [file] = await readdir(folder);
  const record = JSON.parse((await readFile(join(folder, file!), "utf8")).trim().split("\n").at(-1)!) as {
    errorCode: string;
    additionalEventData: { encodedAuthorizationMessage: string };
  };
  assert.equal(record.errorCode, "AccessDenied");
  return record.additionalEventData.encodedAuthorizationMessage;
}

async function decoded(on: TestSystem, EncodedMessage: string) {
  const { DecodedMessage } = await on.root.send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
  return JSON.parse(DecodedMessage!) as Record<string, unknown> & {
    context: { conditions: { items: { key: string; values: object }[] } };
  };
}

test("the audit trail says of a denial which statement denied it", async () => {
  await using on = await system();
  const principal = await aUser(
    on,
    { Effect: "Allow", Action: "*", Resource: "*" },
    {
      Sid: "NoUsers",
      Effect: "Deny",
      Action: ["iam:ListUsers", "iam:Create*"],
      Resource: "*",
      Condition: { StringEquals: { "aws:RequestedRegion": REGION } },
    },
  );
  const { context, ...message } = await decoded(on, await denied(on, principal, new ListUsersCommand({})));
  assert.deepEqual(message, {
    allowed: false,
    explicitDeny: true,
    matchedStatements: {
      items: [
        {
          statementId: "NoUsers",
          effect: "DENY",
          principals: { items: [{ value: principal.userId }] },
          principalGroups: { items: [] },
          actions: { items: [{ value: "iam:ListUsers" }, { value: "iam:Create*" }] },
          resources: { items: [{ value: "*" }] },
          conditions: { items: [{ key: "aws:RequestedRegion", values: { items: [{ value: REGION }] } }] },
        },
      ],
    },
    failures: { items: [] },
  });
  const { conditions, ...who } = context;
  assert.deepEqual(who, {
    principal: { id: principal.userId, name: "dev", arn: principal.arn },
    action: "iam:ListUsers",
    resource: `arn:aws:iam::${ACCOUNT}:user/`,
  });
  const region = { key: "aws:requestedregion", values: { items: [{ value: REGION }] } };
  assert.deepEqual(
    conditions.items.find(({ key }) => key === region.key),
    region,
  );
});

test("where nothing allows, no statement has matched", async () => {
  await using on = await system();
  const principal = await aUser(on, { Effect: "Allow", Action: "iam:ListGroups", Resource: "*" });
  const { explicitDeny, matchedStatements } = await decoded(on, await denied(on, principal, new ListRolesCommand({})));
  assert.deepEqual([explicitDeny, matchedStatements], [false, { items: [] }]);
});

test("a message that was changed, is another account's or none at all is not decoded", async () => {
  await using on = await system();
  const principal = await aUser(on, { Effect: "Allow", Action: "iam:ListGroups", Resource: "*" });
  const message = await denied(on, principal, new ListUsersCommand({}));
  const decode = (EncodedMessage: string) => new DecodeAuthorizationMessageCommand({ EncodedMessage });
  const invalid = { name: "InvalidAuthorizationMessageException" };
  await assert.rejects(on.root.send(decode("x")), invalid);
  await assert.rejects(on.root.send(decode(`${message}\n`)), invalid);
  await assert.rejects(on.root.send(decode(on.cipher.seal("session", "{}"))), invalid);
  const stranger = on.client(rootPrincipal("999988887777"), { ...SCOPE, accountId: "999988887777" });
  await assert.rejects(stranger.send(decode(message)), invalid);
  await assert.rejects(on.client(principal, SCOPE).send(decode(message)), { name: "AccessDenied" });
  await assert.rejects(on.root.send(decode("x".repeat(10_241))), { name: "ValidationError" });
});
