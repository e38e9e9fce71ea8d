/** Signing in from elsewhere, as the JS SDK does it: without a signature, over real HTTP, against an issuer's real TLS. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from "jose";
import { until } from "#demo/until.ts";
import { samlIssuer, samlMetadata, type TestIssuer, testIssuer } from "#gateway/federation/testing.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

let slipway: SlipwayProcess;
let issuer: TestIssuer;
const keys = await generateKeyPair("RS256");

before(async () => {
  slipway = await SlipwayProcess.start();
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "RS256" };
  // With a certificate of the data folder's own authority, as a service of this machine may have.
  issuer = await testIssuer({ keys: [jwk] }, await ownAuthority());
});
after(async () => {
  await issuer[Symbol.asyncDispose]();
  await slipway[Symbol.asyncDispose]();
});

async function ownAuthority() {
  const read = (file: string) => readFile(join(slipway.dataDir, "tls", file), "utf8");
  return { certificatePem: await read("ca.pem"), privateKeyPem: await read("ca.key") };
}

function configuration() {
  const { url, region, accessKeyId, secretAccessKey } = slipway.running;
  return { endpoint: url, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
}

const iam = () => new iamSdk.IAMClient(configuration());
/** The SDK signs neither AssumeRoleWithWebIdentity nor AssumeRoleWithSAML. */
const nobody = () => new sts.STSClient({ ...configuration(), credentials: undefined as never });

function token(claims: object = {}): Promise<string> {
  return new SignJWT({ sub: "repo:octo-org/app:ref:refs/heads/main", ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "one" })
    .setIssuer(issuer.url)
    .setAudience("sts.amazonaws.com")
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(keys.privateKey);
}

async function aRole(RoleName: string, provider: string, action: string, Condition: object): Promise<string> {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Federated: provider }, Action: `sts:${action}`, Condition }],
  });
  return (await iam().send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))).Role!.Arn!;
}

describe("a web identity", () => {
  let RoleArn: string;
  const assume = async (claims?: object) =>
    nobody().send(
      new sts.AssumeRoleWithWebIdentityCommand({
        RoleArn,
        RoleSessionName: "actions",
        WebIdentityToken: await token(claims),
      }),
    );

  before(async () => {
    const ThumbprintList = ["0".repeat(40)];
    const create = new iamSdk.CreateOpenIDConnectProviderCommand({ Url: issuer.url, ThumbprintList });
    const { OpenIDConnectProviderArn } = await iam().send(create);
    const add = { OpenIDConnectProviderArn, ClientID: "sts.amazonaws.com" };
    await iam().send(new iamSdk.AddClientIDToOpenIDConnectProviderCommand(add));
    const key = `${issuer.url.slice("https://".length)}:sub`;
    RoleArn = await aRole("actions", OpenIDConnectProviderArn!, "AssumeRoleWithWebIdentity", {
      StringLike: { [key]: "repo:octo-org/app:*" },
    });
  });

  it("gets a session that survives a kill, and is nothing to another Slipway", async () => {
    const { Credentials, SubjectFromWebIdentityToken } = await assume();
    assert.equal(SubjectFromWebIdentityToken, "repo:octo-org/app:ref:refs/heads/main");
    const credentials = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const whoAmI = (endpoint: string) =>
      new sts.STSClient({ ...configuration(), endpoint, credentials }).send(new sts.GetCallerIdentityCommand({}));
    const expected = `arn:aws:sts::${slipway.running.account}:assumed-role/actions/actions`;
    assert.equal((await whoAmI(slipway.running.url)).Arn, expected);
    await slipway.kill();
    await slipway.start();
    assert.equal((await whoAmI(slipway.running.url)).Arn, expected);
    await using other = await SlipwayProcess.start();
    await assert.rejects(whoAmI(other.running.url), { name: "InvalidClientTokenId" });
  });

  it("is told no more than that it may not, and is in the audit trail by its own name", async () => {
    await assert.rejects(assume({ sub: "repo:evil/app:ref:refs/heads/main" }), {
      name: "AccessDenied",
      message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    });
    const identity = { type: "WebIdentityUser", userName: "repo:evil/app:ref:refs/heads/main" };
    const found = await until(async () => {
      const lines = (await slipway.auditTrail()).trim().split("\n");
      const records = lines.filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>);
      return records.find(({ userIdentity, errorCode }) => {
        const { userName } = userIdentity as { userName?: string };
        return userName === identity.userName && errorCode === "AccessDenied";
      });
    });
    assert.equal((found.userIdentity as { type: string }).type, identity.type);
    assert.equal(
      (found.requestParameters as { WebIdentityToken: string }).WebIdentityToken,
      "HIDDEN_DUE_TO_SECURITY_REASONS",
    );
    const { encodedAuthorizationMessage } = found.additionalEventData as { encodedAuthorizationMessage: string };
    const decode = new sts.DecodeAuthorizationMessageCommand({ EncodedMessage: encodedAuthorizationMessage });
    const { DecodedMessage } = await new sts.STSClient(configuration()).send(decode);
    assert.equal((JSON.parse(DecodedMessage!) as { explicitDeny: boolean }).explicitDeny, false);
  });

  it("is what a request without a signature may bring, and nothing else is", async () => {
    const send = async (method: string, form: string) => {
      const { url } = slipway.running;
      const response =
        method === "GET"
          ? await fetch(`${url}/?${form}`)
          : await fetch(url, { method, body: form, headers: { "content-type": "application/x-www-form-urlencoded" } });
      return [response.status, /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1]];
    };
    const role = `RoleArn=${encodeURIComponent(RoleArn)}&Version=2011-06-15`;
    for (const action of ["GetCallerIdentity", "AssumeRole", "GetSessionToken", "DecodeAuthorizationMessage"]) {
      assert.deepEqual(await send("POST", `Action=${action}&${role}`), [403, "MissingAuthenticationToken"], action);
    }
    assert.deepEqual(await send("POST", "Action=ListUsers&Version=2010-05-08"), [403, "MissingAuthenticationToken"]);
    assert.deepEqual(await send("POST", "no form"), [403, "MissingAuthenticationToken"]);
    const signIn = `Action=AssumeRoleWithWebIdentity&RoleSessionName=actions&${role}&WebIdentityToken=`;
    assert.deepEqual(await send("POST", `${signIn}none`), [400, "InvalidIdentityToken"]);
    assert.deepEqual(await send("POST", signIn + "x".repeat(20_001)), [400, "ValidationError"]);
    for (const method of ["GET", "POST"]) {
      assert.deepEqual(await send(method, signIn + (await token())), [200, undefined]);
    }
  });
});

describe("the providers", () => {
  it("of SAML are kept with their metadata", async () => {
    const SAMLMetadataDocument = samlMetadata(await samlIssuer());
    const create = new iamSdk.CreateSAMLProviderCommand({ Name: "Corp", SAMLMetadataDocument });
    const { SAMLProviderArn } = await iam().send(create);
    const about = { SAMLProviderArn };
    await iam().send(new iamSdk.TagSAMLProviderCommand({ ...about, Tags: [{ Key: "a", Value: "1" }] }));
    assert.deepEqual((await iam().send(new iamSdk.ListSAMLProviderTagsCommand(about))).Tags, [
      { Key: "a", Value: "1" },
    ]);
    await iam().send(new iamSdk.UntagSAMLProviderCommand({ ...about, TagKeys: ["a"] }));
    await iam().send(new iamSdk.UpdateSAMLProviderCommand({ ...about, SAMLMetadataDocument }));
    const shown = await iam().send(new iamSdk.GetSAMLProviderCommand(about));
    assert.equal(shown.SAMLMetadataDocument, SAMLMetadataDocument);
    const { SAMLProviderList } = await iam().send(new iamSdk.ListSAMLProvidersCommand({}));
    assert.deepEqual(
      SAMLProviderList!.map(({ Arn }) => Arn),
      [SAMLProviderArn],
    );
    const RoleArn = await aRole("analyst", SAMLProviderArn!, "AssumeRoleWithSAML", {
      StringEquals: { "saml:aud": "https://signin.aws.amazon.com/saml" },
    });
    const signIn = { RoleArn, PrincipalArn: SAMLProviderArn, SAMLAssertion: Buffer.from("<a/>").toString("base64") };
    await assert.rejects(nobody().send(new sts.AssumeRoleWithSAMLCommand(signIn)), {
      name: "InvalidIdentityTokenException",
    });
    await iam().send(new iamSdk.DeleteSAMLProviderCommand(about));
  });

  it("of OpenID Connect are kept with their client ids, thumbprints and tags", async () => {
    const ThumbprintList = ["a".repeat(40)];
    const create = new iamSdk.CreateOpenIDConnectProviderCommand({ Url: "https://issuer.example.com", ThumbprintList });
    const about = { OpenIDConnectProviderArn: (await iam().send(create)).OpenIDConnectProviderArn };
    await iam().send(new iamSdk.TagOpenIDConnectProviderCommand({ ...about, Tags: [{ Key: "a", Value: "1" }] }));
    await iam().send(new iamSdk.UntagOpenIDConnectProviderCommand({ ...about, TagKeys: ["a"] }));
    assert.deepEqual((await iam().send(new iamSdk.ListOpenIDConnectProviderTagsCommand(about))).Tags, []);
    const client = { ...about, ClientID: "app" };
    await iam().send(new iamSdk.AddClientIDToOpenIDConnectProviderCommand(client));
    await iam().send(new iamSdk.RemoveClientIDFromOpenIDConnectProviderCommand(client));
    const renewed = { ...about, ThumbprintList: ["b".repeat(40)] };
    await iam().send(new iamSdk.UpdateOpenIDConnectProviderThumbprintCommand(renewed));
    const shown = await iam().send(new iamSdk.GetOpenIDConnectProviderCommand(about));
    assert.deepEqual(shown.ThumbprintList, renewed.ThumbprintList);
    const listed = (await iam().send(new iamSdk.ListOpenIDConnectProvidersCommand({}))).OpenIDConnectProviderList!;
    assert.ok(listed.some(({ Arn }) => Arn === about.OpenIDConnectProviderArn));
    await iam().send(new iamSdk.DeleteOpenIDConnectProviderCommand(about));
  });
});

describe("centralised root access", () => {
  it("is none without an organization that has it", async () => {
    const TaskPolicyArn = { arn: "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials" };
    const assume = new sts.AssumeRootCommand({ TargetPrincipal: "444455556666", TaskPolicyArn });
    await assert.rejects(new sts.STSClient(configuration()).send(assume), {
      name: "AccessDenied",
      message: "Not authorized to perform sts:AssumeRoot on arn:aws:iam::444455556666:root",
    });
  });
});

describe("the account's own issuer", () => {
  it("makes tokens that are verified with what it serves under its own name", async () => {
    const { IssuerIdentifier } = await iam().send(new iamSdk.EnableOutboundWebIdentityFederationCommand({}));
    const get = new sts.GetWebIdentityTokenCommand({
      Audience: ["https://api.example.com"],
      SigningAlgorithm: "ES384",
    });
    const { WebIdentityToken } = await new sts.STSClient(configuration()).send(get);
    const { jwks_uri } = await through(`${IssuerIdentifier}/.well-known/openid-configuration`);
    const jwks = (await through(String(jwks_uri))) as unknown as JSONWebKeySet;
    const { payload } = await jwtVerify(WebIdentityToken!, createLocalJWKSet(jwks), { issuer: IssuerIdentifier! });
    assert.equal(payload.sub, `arn:aws:iam::${slipway.running.account}:user/administrator`);
    const info = await iam().send(new iamSdk.GetOutboundWebIdentityFederationInfoCommand({}));
    assert.equal(info.IssuerIdentifier, IssuerIdentifier);
    await iam().send(new iamSdk.DisableOutboundWebIdentityFederationCommand({}));
    await assert.rejects(new sts.STSClient(configuration()).send(get), {
      name: "OutboundWebIdentityFederationDisabledException",
    });
  });
});

/** What a URL is answered with behind Slipway's proxy. */
async function through(url: string): Promise<Record<string, unknown>> {
  const absolute = url.replace("https:", "http:");
  const outgoing = request({ port: slipway.port, path: absolute, headers: { host: new URL(url).host } }).end();
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) =>
    outgoing.once("response", resolve).once("error", reject),
  );
  return JSON.parse(await text(response)) as Record<string, unknown>;
}
