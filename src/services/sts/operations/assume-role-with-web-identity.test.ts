import assert from "node:assert/strict";
import type { webcrypto } from "node:crypto";
import { describe, test } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import type { Client } from "#gateway/client.ts";
import { anonymousPrincipal } from "#gateway/context.ts";
import { newAuthority, type TestIssuer, testIssuer, thumbprintOf } from "#gateway/federation/testing.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sts } from "../index.ts";
import { fetchKeys, IssuerKeys, useIssuerKeys } from "../web-identity/issuer-keys.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const SECONDS = NOW.getTime() / 1000;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/deployer`;
const SCOPE = { accountId: ACCOUNT, region: REGION };
const GITHUB = "token.actions.githubusercontent.com";
const SUBJECT = "repo:octo-org/app:ref:refs/heads/main";

const rsa = await generateKeyPair("RS256");
const other = await generateKeyPair("RS256");
const ec = await generateKeyPair("ES384");
const JWKS = {
  keys: [
    { ...(await exportJWK(rsa.publicKey)), kid: "rsa", alg: "RS256", use: "sig" },
    { ...(await exportJWK(ec.publicKey)), kid: "ec", alg: "ES384" },
  ],
};

interface Fixture extends AsyncDisposable {
  readonly on: TestSystem;
  readonly issuer: TestIssuer;
  /** Without its scheme. */
  readonly name: string;
  token(claims?: JWTPayload, header?: object, key?: webcrypto.CryptoKey): Promise<string>;
  assume(token: string, input?: Partial<sdk.AssumeRoleWithWebIdentityCommandInput>): Promise<Answer>;
}
type Answer = Omit<sdk.AssumeRoleWithWebIdentityCommandOutput, "$metadata">;

/** `github`: the issuer has GitHub's name, which leads to the test's server. */
async function fixture(options: { github?: boolean; thumbprints?: (issuer: TestIssuer) => string[] } = {}) {
  const issuer = await testIssuer(JWKS);
  const url = options.github ? `https://${GITHUB}` : issuer.url;
  const name = url.slice("https://".length);
  const on = await testSystem({ services: [iam, sts], identities: (parts) => new IamIdentities(parts) });
  on.setNow(NOW);
  if (options.github) {
    useIssuerKeys(on, new IssuerKeys(({ thumbprints }) => fetchKeys({ url: issuer.url, thumbprints }, issuer.caPem)));
  } else {
    const trusted = options.thumbprints ? (await newAuthority()).certificatePem : issuer.caPem;
    useIssuerKeys(on, new IssuerKeys((asked) => fetchKeys(asked, trusted)));
  }
  await on.root.send(
    new iamSdk.CreateOpenIDConnectProviderCommand({
      Url: url,
      ClientIDList: ["sts.amazonaws.com"],
      ThumbprintList: options.thumbprints?.(issuer) ?? ["0".repeat(40)],
    }),
  );
  return {
    on,
    issuer,
    name,
    token: (claims = {}, header = { alg: "RS256", kid: "rsa" }, key = rsa.privateKey) =>
      new SignJWT({
        iss: url,
        sub: SUBJECT,
        aud: "sts.amazonaws.com",
        iat: SECONDS,
        exp: SECONDS + 300,
        ...claims,
      })
        .setProtectedHeader(header as { alg: string })
        .sign(key),
    assume: (token, input = {}) =>
      on.client(anonymousPrincipal(ACCOUNT), SCOPE).send(
        new sdk.AssumeRoleWithWebIdentityCommand({
          RoleArn: ROLE,
          RoleSessionName: "GitHubActions",
          WebIdentityToken: token,
          ...input,
        }),
      ),
    async [Symbol.asyncDispose]() {
      await on[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
    },
  } satisfies Fixture as Fixture;
}

interface Trust {
  readonly Principal?: object | string;
  readonly Action?: string[];
  readonly Condition?: object;
}

async function aRole({ on, name }: Fixture, trust: Trust = {}, more: Partial<iamSdk.CreateRoleCommandInput> = {}) {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${name}` },
        ...trust,
      },
    ],
  });
  await on.root.send(new iamSdk.CreateRoleCommand({ RoleName: "deployer", AssumeRolePolicyDocument, ...more }));
}

async function policyOf(on: TestSystem, ...statements: object[]): Promise<void> {
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await on.root.send(new iamSdk.PutRolePolicyCommand({ RoleName: "deployer", PolicyName: "own", PolicyDocument }));
}

async function clientOf(on: TestSystem, { Credentials }: Answer): Promise<Client> {
  const { AccessKeyId, SessionToken } = Credentials!;
  return on.client(await on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! }), SCOPE);
}

const DENIED = { name: "AccessDenied", message: "Not authorized to perform sts:AssumeRoleWithWebIdentity" };

describe("AssumeRoleWithWebIdentity", () => {
  test("gives a workflow of GitHub's the role whose trust policy means its repository", async () => {
    await using fix = await fixture({ github: true });
    await aRole(fix, {
      Condition: {
        StringEquals: { [`${GITHUB}:aud`]: "sts.amazonaws.com" },
        StringLike: { [`${GITHUB}:sub`]: "repo:octo-org/*" },
      },
    });
    const answer = await fix.assume(await fix.token());
    assert.equal(answer.SubjectFromWebIdentityToken, SUBJECT);
    assert.equal(answer.Audience, "sts.amazonaws.com");
    assert.equal(answer.Provider, `arn:aws:iam::${ACCOUNT}:oidc-provider/${GITHUB}`);
    assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/GitHubActions`);
    assert.deepEqual(answer.Credentials?.Expiration, new Date("2026-01-01T01:00:00Z"));
    const session = await clientOf(fix.on, answer);
    assert.deepEqual(await session.send(new sdk.GetCallerIdentityCommand({})), {
      UserId: answer.AssumedRoleUser!.AssumedRoleId!,
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/GitHubActions`,
    });
    await assert.rejects(fix.assume(await fix.token({ sub: "repo:evil/app:ref:refs/heads/main" })), DENIED);
  });

  test("knows what GitHub says beside the subject", async () => {
    await using fix = await fixture({ github: true });
    await aRole(fix, { Condition: { StringEquals: { [`${GITHUB}:repository_id`]: "42", [`${GITHUB}:ref`]: "main" } } });
    await fix.assume(await fix.token({ repository_id: 42, ref: "main" }));
    await assert.rejects(fix.assume(await fix.token({ repository_id: 43, ref: "main" })), DENIED);
  });

  test("takes a token of any algorithm that AWS takes, from an issuer of one's own machine", async () => {
    await using fix = await fixture();
    await aRole(fix, { Condition: { StringEquals: { [`${fix.name}:sub`]: SUBJECT } } });
    await fix.assume(await fix.token());
    await fix.assume(await fix.token({}, { alg: "ES384", kid: "ec" }, ec.privateKey));
  });

  test("takes an issuer whose authority only the provider's thumbprint vouches for", async () => {
    await using fix = await fixture({ thumbprints: (issuer) => [thumbprintOf(issuer.caPem)] });
    await aRole(fix);
    await fix.assume(await fix.token());
    await using unlisted = await fixture({ thumbprints: () => ["a".repeat(40)] });
    await aRole(unlisted);
    await assert.rejects(unlisted.assume(await unlisted.token()), {
      name: "InvalidIdentityTokenException",
      message: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
    });
  });

  test("lets nobody in whom the trust policy does not name by the provider", async () => {
    for (const Principal of [
      "*",
      { AWS: "*" },
      { AWS: ACCOUNT },
      { Federated: "arn:aws:iam::111122223333:oidc-provider/else" },
    ]) {
      await using fix = await fixture();
      await aRole(fix, { Principal });
      await assert.rejects(fix.assume(await fix.token()), DENIED);
    }
    await using fix = await fixture();
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/missing`;
    await assert.rejects(fix.assume(await fix.token(), { RoleArn }), DENIED);
    await assert.rejects(fix.assume(await fix.token(), { RoleArn: `arn:aws:iam::${ACCOUNT}:user/someone` }), {
      name: "ValidationError",
      message: "Request ARN is invalid",
    });
  });

  test("is an action of its own: who may call AssumeRole may not sign in, nor the reverse", async () => {
    await using fix = await fixture();
    await aRole(fix, { Action: ["sts:AssumeRole"] });
    await assert.rejects(fix.assume(await fix.token()), DENIED);
    await using signIn = await fixture();
    await aRole(signIn);
    const assume = new sdk.AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session" });
    await assert.rejects(signIn.on.root.send(assume), { name: "AccessDenied" });
  });

  test("needs a provider in the role's account", async () => {
    await using fix = await fixture();
    await aRole(fix);
    const elsewhere = await fix.token({ iss: "https://issuer.example.com" });
    const message = "No OpenIDConnect provider found in your account for https://issuer.example.com";
    await assert.rejects(fix.assume(elsewhere), { name: "InvalidIdentityTokenException", message });
    const RoleArn = ROLE.replace(ACCOUNT, "999988887777");
    await assert.rejects(fix.assume(await fix.token(), { RoleArn }), /No OpenIDConnect provider found in your account/);
    for (const iss of ["http://localhost", "https://x.tokens.sts.global.api.aws", "", 7]) {
      await assert.rejects(fix.assume(await fix.token({ iss } as JWTPayload)), {
        name: "InvalidIdentityTokenException",
      });
    }
  });

  test("refuses what no issuer has signed", async () => {
    await using fix = await fixture();
    await aRole(fix);
    const name = "InvalidIdentityTokenException";
    const notJwt =
      /^The ID Token provided is not a valid JWT\. \(You may see this error if you sent an Access Token\)$/;
    const claims = { iss: fix.issuer.url, sub: SUBJECT, aud: "sts.amazonaws.com", iat: SECONDS, exp: SECONDS + 300 };
    await assert.rejects(fix.assume(new UnsecuredJWT(claims).encode()), { name, message: notJwt });
    const secret = new TextEncoder().encode(JSON.stringify(JWKS.keys[0]));
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "rsa" }).sign(secret);
    await assert.rejects(fix.assume(hmac), { name, message: notJwt });
    for (const garbage of ["none", "a.b.c", `${"x".repeat(19_000)}.y.z`]) {
      await assert.rejects(fix.assume(garbage), { name, message: notJwt });
    }
    await assert.rejects(fix.assume("x".repeat(20_001)), { name: "ValidationError" });
    const good = await fix.token();
    const forged = await fix.token({}, { alg: "RS256", kid: "rsa" }, other.privateKey);
    await assert.rejects(fix.assume(forged), { name, message: "The signature of the identity token is not valid" });
    const [head, , signature] = good.split(".");
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: "repo:evil/app" })).toString("base64url");
    await assert.rejects(fix.assume(`${head}.${changed}.${signature}`), { name, message: /signature/ });
    const unknownKey = /^Couldn't retrieve verification key from your identity provider, {2}please reference/;
    for (const kid of ["wrong", "ec"]) {
      const token = await fix.token({}, { alg: "RS256", kid }, other.privateKey);
      await assert.rejects(fix.assume(token), { name, message: unknownKey });
    }
  });

  test("refuses tokens that are expired, from the future, for somebody else or without what they must say", async () => {
    await using fix = await fixture();
    await aRole(fix);
    const refused = async (claims: JWTPayload, error: { name?: string; message: string | RegExp }) =>
      assert.rejects(fix.assume(await fix.token(claims)), { name: "InvalidIdentityTokenException", ...error });
    await refused(
      { exp: SECONDS },
      {
        name: "ExpiredTokenException",
        message: `Token expired: current date/time ${SECONDS} must be before the expiration date/time${SECONDS}`,
      },
    );
    await refused({ nbf: SECONDS + 301 }, { message: "The identity token is not valid yet" });
    await refused({ iat: SECONDS + 301 }, { message: "The identity token is not valid yet" });
    await fix.assume(await fix.token({ iat: SECONDS + 299, nbf: SECONDS + 299 }));
    await refused({ aud: "somebody.else" }, { message: "Incorrect token audience" });
    await refused({ azp: "somebody.else" }, { message: "Incorrect token audience" });
    await fix.assume(await fix.token({ aud: "somebody.else", azp: "sts.amazonaws.com" }));
    await fix.assume(await fix.token({ aud: ["somebody.else", "sts.amazonaws.com"] }));
    for (const claim of ["sub", "aud", "exp", "iat"]) {
      await refused({ [claim]: undefined }, { message: `Missing a required claim: ${claim}` });
    }
    await assert.rejects(fix.assume(await fix.token(), { ProviderId: "www.amazon.com" }), {
      name: "InvalidIdentityTokenException",
    });
  });

  test("keeps to the roles that the token names, where it names some", async () => {
    await using fix = await fixture();
    await aRole(fix, { Condition: { Bool: { "sts:RoleAuthorizedByIdp": "true" } } });
    await fix.assume(await fix.token({ "https://aws.amazon.com/roles": ROLE }));
    await assert.rejects(fix.assume(await fix.token()), DENIED);
    const elsewhere = await fix.token({ "https://aws.amazon.com/roles": [`${ROLE}2`] });
    await assert.rejects(fix.assume(elsewhere), { name: "InvalidIdentityTokenException" });
  });

  test("says that the issuer cannot be reached", async () => {
    await using fix = await fixture();
    await aRole(fix);
    fix.issuer.answers.set("/keys", (response) => void response.writeHead(503).end());
    await assert.rejects(fix.assume(await fix.token()), { name: "IDPCommunicationErrorException" });
  });

  test("takes a key that the issuer has rotated in", async () => {
    await using fix = await fixture();
    await aRole(fix);
    await fix.assume(await fix.token());
    fix.issuer.answers.set("/keys", { keys: [{ ...(await exportJWK(other.publicKey)), kid: "new", alg: "RS256" }] });
    fix.on.setNow(new Date(NOW.getTime() + 31_000));
    await fix.assume(await fix.token({}, { alg: "RS256", kid: "new" }, other.privateKey));
    await assert.rejects(fix.assume(await fix.token()), { name: "InvalidIdentityTokenException" });
  });

  test("makes the token's tags and source identity the session's, where the role lets it", async () => {
    await using fix = await fixture();
    const claims = {
      "https://aws.amazon.com/tags": {
        principal_tags: { Team: ["blue"], Stage: ["test"] },
        transitive_tag_keys: ["Team"],
      },
      "https://aws.amazon.com/source_identity": "alice@example.com",
    };
    await aRole(fix);
    await assert.rejects(fix.assume(await fix.token(claims)), {
      name: "AccessDenied",
      message: "Not authorized to perform sts:TagSession",
    });
    await using tagged = await fixture();
    await aRole(tagged, {
      Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
      Condition: { StringEquals: { "aws:RequestTag/Team": "blue", "sts:SourceIdentity": "alice@example.com" } },
    });
    const answer = await tagged.assume(await tagged.token(claims));
    assert.equal(answer.SourceIdentity, "alice@example.com");
    assert.ok(answer.PackedPolicySize! > 0);
    const { principal } = await clientOf(tagged.on, answer);
    assert.deepEqual(principal.tags, { Team: "blue", Stage: "test" });
    assert.equal(principal.sourceIdentity, "alice@example.com");
    assert.deepEqual(principal.transitiveTagKeys, ["Team"]);

    const reserved = await tagged.token({
      ...claims,
      "https://aws.amazon.com/tags": { principal_tags: { Team: ["blue"], "aws:x": ["1"] } },
    });
    await assert.rejects(tagged.assume(reserved), { name: "ValidationError" });

    const flattened = {
      "https://aws.amazon.com/tags/principal_tags/Team": "blue",
      "https://aws.amazon.com/tags/transitive_tag_keys": ["Team"],
      "https://aws.amazon.com/source_identity": "alice@example.com",
    };
    assert.deepEqual((await clientOf(tagged.on, await tagged.assume(await tagged.token(flattened)))).principal.tags, {
      Team: "blue",
    });
    for (const malformed of [
      { "https://aws.amazon.com/tags": "Team=blue" },
      { "https://aws.amazon.com/tags": { principal_tags: { Team: ["blue", "red"] } } },
      { "https://aws.amazon.com/tags": { principal_tags: { Team: [7] } } },
      { "https://aws.amazon.com/tags": { principal_tags: { "a<b": ["x"] } } },
      { "https://aws.amazon.com/source_identity": "has spaces" },
    ]) {
      const token = await tagged.token({ ...claims, ...malformed });
      await assert.rejects(tagged.assume(token), { name: "InvalidIdentityTokenException" });
    }
  });

  test("leaves the session who it came from, for its own policies", async () => {
    await using fix = await fixture();
    await aRole(fix);
    await policyOf(
      fix.on,
      {
        Effect: "Allow",
        Action: "iam:ListUsers",
        Resource: "*",
        Condition: { StringEquals: { "aws:FederatedProvider": `arn:aws:iam::${ACCOUNT}:oidc-provider/${fix.name}` } },
      },
      {
        Effect: "Allow",
        Action: "iam:ListRoles",
        Resource: "*",
        Condition: { StringLike: { [`${fix.name}:sub`]: "repo:octo-org/*" } },
      },
      {
        Effect: "Allow",
        Action: "iam:ListGroups",
        Resource: "*",
        Condition: { StringLike: { [`${fix.name}:email`]: "*" } },
      },
    );
    const session = await clientOf(fix.on, await fix.assume(await fix.token({ email: "a@example.com" })));
    await session.send(new iamSdk.ListUsersCommand({}));
    await session.send(new iamSdk.ListRolesCommand({}));
    await assert.rejects(session.send(new iamSdk.ListGroupsCommand({})), { name: "AccessDenied" });
  });

  test("ends the sessions that were issued before a role revoked them", async () => {
    await using fix = await fixture();
    await aRole(fix);
    const older = await clientOf(fix.on, await fix.assume(await fix.token()));
    fix.on.setNow(new Date(NOW.getTime() + 2_000));
    const newer = await clientOf(fix.on, await fix.assume(await fix.token()));
    await policyOf(
      fix.on,
      { Effect: "Allow", Action: "iam:ListUsers", Resource: "*" },
      {
        Effect: "Deny",
        Action: "*",
        Resource: "*",
        Condition: { DateLessThan: { "aws:TokenIssueTime": "2026-01-01T00:00:01Z" } },
      },
    );
    await newer.send(new iamSdk.ListUsersCommand({}));
    await assert.rejects(older.send(new iamSdk.ListUsersCommand({})), /with an explicit deny/);
  });

  test("bounds the session by its policy and the role's duration", async () => {
    await using fix = await fixture();
    await aRole(fix, {}, { MaxSessionDuration: 7200 });
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "iam:List*", Resource: "*" },
    });
    await policyOf(fix.on, { Effect: "Allow", Action: "*", Resource: "*" });
    const answer = await fix.assume(await fix.token(), { DurationSeconds: 7200, Policy });
    assert.deepEqual(answer.Credentials?.Expiration, new Date("2026-01-01T02:00:00Z"));
    const session = await clientOf(fix.on, answer);
    await session.send(new iamSdk.ListUsersCommand({}));
    await assert.rejects(session.send(new iamSdk.CreateUserCommand({ UserName: "x" })), { name: "AccessDenied" });
    await assert.rejects(fix.assume(await fix.token(), { DurationSeconds: 7201 }), {
      name: "ValidationError",
      message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    });
    await assert.rejects(fix.assume(await fix.token(), { Policy: "{" }), { name: "MalformedPolicyDocumentException" });
    const PolicyArns = Array.from({ length: 11 }, () => ({ arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" }));
    await assert.rejects(fix.assume(await fix.token(), { PolicyArns }), { name: "ValidationError" });
    assert.deepEqual(
      fix.on.audited.filter((entry) => entry.startsWith("sts:")),
      [
        "sts:AssumeRoleWithWebIdentity",
        "sts:AssumeRoleWithWebIdentity ValidationError",
        "sts:AssumeRoleWithWebIdentity MalformedPolicyDocumentException",
        "sts:AssumeRoleWithWebIdentity ValidationError",
      ],
    );
  });
});
