/** The password of a caller over HTTP stands for the caller's credentials, not for a copy of what they allowed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
} from "@aws-sdk/client-ecr";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { CredentialsRecord, Identities, Principal } from "#gateway/context.ts";
import { ACCOUNT, REGION, testSystem } from "#tests/helpers/test-system.ts";
import { bearerOfPassword } from "./credentials.ts";
import { ecr } from "./index.ts";
import { testRegistry } from "./testing.ts";

function compiled(...statements: object[]) {
  return compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statements }), "identity"));
}

const KEY = { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "secret", sessionToken: "token" };
const session: Principal = {
  type: "AssumedRole",
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/builder/session`,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/builder`,
  accountId: ACCOUNT,
  userId: "AROAEXAMPLE:session",
  accessKeyId: KEY.accessKeyId,
  sessionPolicies: [
    compiled({ Effect: "Allow", Action: ["ecr:GetAuthorizationToken", "ecr:ListImages"], Resource: "*" }),
  ],
};

test("a session's own policies hold, and a session that is revoked is out", async () => {
  let answer: CredentialsRecord | "unknown" | "expired" = { secretAccessKey: KEY.secretAccessKey, principal: session };
  const identities: Identities = {
    authenticate: async (id, token) => (id === KEY.accessKeyId && token === KEY.sessionToken ? answer : "unknown"),
    policiesOf: async () => ({ identity: [compiled({ Effect: "Allow", Action: "ecr:*", Resource: "*" })] }),
  };
  await using system = await testSystem({ services: [ecr], identities: () => identities });
  await using registry = await testRegistry(system);
  await system.root.send(new CreateRepositoryCommand({ repositoryName: "app" }));
  const client = new ECRClient({ endpoint: `http://${registry.host}`, region: REGION, credentials: KEY });
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  assert.equal(authorizationData?.[0]?.proxyEndpoint, `https://${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`);

  const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`;
  const get = (path: string) => {
    const url = `http://${registry.host}/v2/${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/app/${path}`;
    return fetch(url, { headers: { authorization } });
  };
  assert.equal((await get("tags/list")).status, 200);
  const denied = await get("manifests/v1");
  assert.equal(denied.status, 403);
  assert.match(await denied.text(), /because no session policy allows the ecr:BatchGetImage action/);

  answer = "expired";
  assert.equal((await get("tags/list")).status, 403);
  answer = "unknown";
  assert.equal((await get("tags/list")).status, 401);
  client.destroy();
});

test("a session with policies of its own gets no password where it cannot show its token", async () => {
  await using system = await testSystem({ services: [ecr] });
  system.policies.set(session.arn, [compiled({ Effect: "Allow", Action: "ecr:*", Resource: "*" })]);
  const client = system.client(session, { accountId: ACCOUNT, region: REGION });
  await assert.rejects(client.send(new GetAuthorizationTokenCommand({})), { name: "InvalidParameterException" });
  await assert.rejects(
    client.send(new BatchGetImageCommand({ repositoryName: "app", imageIds: [{ imageTag: "v1" }] })),
    { name: "AccessDenied" },
  );
});

test("a caller inside keeps its times in a password that stands for itself", async () => {
  await using system = await testSystem({ services: [ecr] });
  const { sessionPolicies: _, ...plain } = session;
  const timed: Principal = {
    ...plain,
    sessionExpiration: new Date("2099-01-01T00:00:00Z"),
    tokenIssueTime: new Date("2026-01-01T00:00:00Z"),
    mfaAuthenticatedAt: new Date("2026-01-01T00:00:01Z"),
  };
  system.policies.set(timed.arn, [compiled({ Effect: "Allow", Action: "ecr:*", Resource: "*" })]);
  const client = system.client(timed, { accountId: ACCOUNT, region: REGION });
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  const password = Buffer.from(authorizationData![0]!.authorizationToken!, "base64").toString().slice("AWS:".length);
  assert.deepEqual(await bearerOfPassword(system, password), { principal: timed, sourceArn: undefined });
});
