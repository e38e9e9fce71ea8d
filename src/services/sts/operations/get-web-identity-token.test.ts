import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { issuerDocuments } from "../data-plane.ts";
import { sts } from "../index.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const SCOPE = { accountId: ACCOUNT, region: REGION };
const AUDIENCE = "https://api.example.com";

async function system(): Promise<TestSystem> {
  const on = await testSystem({ services: [iam, sts], identities: (parts) => new IamIdentities(parts) });
  on.setNow(NOW);
  return on;
}

/** What the issuer serves at a path. */
async function served(on: TestSystem, host: string, path: string): Promise<unknown> {
  const server = createServer((request, response) => {
    request.headers.host = host;
    const handled = Promise.resolve(issuerDocuments.handle(request, response, on));
    handled.catch((error: Error) => response.destroy(error));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    assert.ok(issuerDocuments.matches({ method: "GET", host, path }));
    return await (await fetch(`http://127.0.0.1:${(server.address() as { port: number }).port}${path}`)).json();
  } finally {
    server.close();
  }
}

async function enabled(on: TestSystem): Promise<string> {
  return (await on.root.send(new iamSdk.EnableOutboundWebIdentityFederationCommand({}))).IssuerIdentifier!;
}

async function roleSession(on: TestSystem, PolicyDocument: string) {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: ["sts:AssumeRole", "sts:TagSession"] }],
  });
  await on.root.send(new iamSdk.CreateRoleCommand({ RoleName: "worker", AssumeRolePolicyDocument }));
  await on.root.send(new iamSdk.PutRolePolicyCommand({ RoleName: "worker", PolicyName: "own", PolicyDocument }));
  await on.root.send(new iamSdk.CreateUserCommand({ UserName: "dev" }));
  const all = PolicyDocument.replace(/"Action":"[^"]*"/, '"Action":"sts:*"').replace(/,"Condition":.*?}}/, "");
  await on.root.send(new iamSdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "own", PolicyDocument: all }));
  const { AccessKey } = await on.root.send(new iamSdk.CreateAccessKeyCommand({ UserName: "dev" }));
  const dev = on.client(await on.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! }), SCOPE);
  const { Credentials } = await dev.send(
    new sdk.AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
      RoleSessionName: "session",
      Tags: [{ Key: "Team", Value: "blue" }],
      TransitiveTagKeys: ["Team"],
    }),
  );
  const { AccessKeyId, SessionToken } = Credentials!;
  return on.client(await on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! }), SCOPE);
}

function allow(Action: string, Condition?: object): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: "*", ...(Condition && { Condition }) }],
  });
}

test("a token says who calls, and is verified with the keys that the issuer serves", async () => {
  await using on = await system();
  const issuer = await enabled(on);
  const session = await roleSession(on, allow("sts:*"));
  const host = new URL(issuer).host;
  const discovery = (await served(on, host, "/.well-known/openid-configuration")) as {
    issuer: string;
    jwks_uri: string;
  };
  assert.equal(discovery.issuer, issuer);
  assert.equal(discovery.jwks_uri, `${issuer}/.well-known/jwks.json`);
  const jwks = (await served(
    on,
    host.replace("global.api.aws", "localhost"),
    "/.well-known/jwks.json",
  )) as JSONWebKeySet;
  assert.ok(
    jwks.keys.every((key) => !("d" in key)),
    "no private half is served",
  );
  for (const SigningAlgorithm of ["RS256", "ES384"]) {
    const { WebIdentityToken, Expiration } = await session.send(
      new sdk.GetWebIdentityTokenCommand({
        Audience: [AUDIENCE],
        SigningAlgorithm,
        Tags: [{ Key: "job", Value: "7" }],
      }),
    );
    assert.deepEqual(Expiration, new Date("2026-01-01T00:05:00Z"));
    assert.equal(decodeProtectedHeader(WebIdentityToken!).alg, SigningAlgorithm);
    const { payload } = await jwtVerify(WebIdentityToken!, createLocalJWKSet(jwks), { currentDate: NOW, issuer });
    const { jti, ...claims } = payload;
    assert.match(jti!, /^[0-9a-f-]{36}$/);
    assert.deepEqual(claims, {
      iss: issuer,
      aud: AUDIENCE,
      sub: `arn:aws:iam::${ACCOUNT}:role/worker`,
      iat: NOW.getTime() / 1000,
      exp: NOW.getTime() / 1000 + 300,
      "https://sts.amazonaws.com/": {
        aws_account: ACCOUNT,
        source_region: REGION,
        principal_id: `arn:aws:iam::${ACCOUNT}:role/worker`,
        original_session_exp: "2026-01-01T01:00:00Z",
        principal_tags: { Team: "blue" },
        request_tags: { job: "7" },
      },
    });
  }
});

test("what the issuer does not serve is not there, whatever its path looks like", async () => {
  await using on = await system();
  const host = new URL(await enabled(on)).host;
  for (const path of ["/", "//", "/.well-known/jwks.json/x"]) {
    assert.deepEqual(await served(on, host, path), { message: "There is nothing here" });
  }
});

test("a token is made only while the account wants it, for no longer than the session, with what AWS signs with", async () => {
  await using on = await system();
  const get = (input: object = {}) =>
    new sdk.GetWebIdentityTokenCommand({ Audience: [AUDIENCE], SigningAlgorithm: "RS256", ...input });
  await assert.rejects(on.root.send(get()), { name: "OutboundWebIdentityFederationDisabledException" });
  await enabled(on);
  const session = await roleSession(on, allow("sts:*"));
  await assert.rejects(on.root.send(get({ SigningAlgorithm: "HS256" })), { name: "ValidationError" });
  await assert.rejects(on.root.send(get({ DurationSeconds: 59 })), { name: "ValidationError" });
  await assert.rejects(on.root.send(get({ Audience: [] })), { name: "ValidationError" });
  const twice = [
    { Key: "a", Value: "1" },
    { Key: "A", Value: "2" },
  ];
  await assert.rejects(on.root.send(get({ Tags: twice })), { name: "InvalidParameterValue" });
  await session.send(get({ DurationSeconds: 3600 }));
  on.setNow(new Date(NOW.getTime() + 1000));
  await assert.rejects(session.send(get({ DurationSeconds: 3600 })), { name: "SessionDurationEscalationException" });
});

test("policies bound the audience, the algorithm and the duration, and tags are allowed apart", async () => {
  await using on = await system();
  await enabled(on);
  const session = await roleSession(
    on,
    allow("sts:GetWebIdentityToken", {
      "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": AUDIENCE },
      StringEquals: { "sts:SigningAlgorithm": "ES384" },
      NumericLessThanEquals: { "sts:DurationSeconds": "300" },
    }),
  );
  const get = (input: object = {}) =>
    session.send(new sdk.GetWebIdentityTokenCommand({ Audience: [AUDIENCE], SigningAlgorithm: "ES384", ...input }));
  await get();
  await assert.rejects(get({ Audience: [AUDIENCE, "https://else.example.com"] }), { name: "AccessDenied" });
  await assert.rejects(get({ SigningAlgorithm: "RS256" }), { name: "AccessDenied" });
  await assert.rejects(get({ DurationSeconds: 301 }), { name: "AccessDenied" });
  await assert.rejects(get({ Tags: [{ Key: "a", Value: "1" }] }), /sts:TagGetWebIdentityToken/);
});
