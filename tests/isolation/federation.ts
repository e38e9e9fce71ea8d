/** Who signs in with an identity provider's word: providers, roles that trust them, and what their people bring. */
import * as iam from "@aws-sdk/client-iam";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Client } from "#gateway/client.ts";
import { samlIssuer, samlMetadata, signedSaml } from "#gateway/federation/testing.ts";
import { IssuerKeys, useIssuerKeys } from "#services/sts/web-identity/issuer-keys.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import type { Samples } from "./fixture.ts";

/** Every account's workloads have tokens of it, as those of a public issuer do: its keys are the first fixture's. */
const ISSUER = "issuer.example.com/shared";
const AUDIENCE = "sts.amazonaws.com";
const ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/";
const LIFE_MS = 60 * 60_000;

export type IssuerKeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** A public issuer's keys, which the system takes for what it is answered when it asks the issuer. */
export async function sharedIssuer(system: TestSystem): Promise<IssuerKeyPair> {
  const pair = await generateKeyPair("RS256");
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: "shared", alg: "RS256", use: "sig" }];
  useIssuerKeys(system, new IssuerKeys(async () => ({ keys })));
  return pair;
}

/** Samples of what was made; `secrets` gets what nobody else may be told. */
export async function federationOf(
  system: TestSystem,
  client: Client,
  { name, mark }: { readonly name: string; readonly mark: string },
  issuer: IssuerKeyPair,
  secrets: string[],
): Promise<Samples> {
  const { accountId } = client.scope;
  const Tags = [{ Key: "owner", Value: mark }];
  const idp = await samlIssuer();
  const metadata = samlMetadata(idp, ` ID="${mark}"`);
  const create = { Name: name, SAMLMetadataDocument: metadata, Tags };
  const { SAMLProviderArn = "" } = await client.send(new iam.CreateSAMLProviderCommand(create));
  const { SAMLProviderUUID } = await client.send(new iam.GetSAMLProviderCommand({ SAMLProviderArn }));
  secrets.push(SAMLProviderUUID!);
  const { OpenIDConnectProviderArn = "" } = await client.send(
    new iam.CreateOpenIDConnectProviderCommand({
      Url: `https://${ISSUER}`,
      ClientIDList: [AUDIENCE],
      ThumbprintList: ["a".repeat(40)],
    }),
  );
  await client.send(new iam.EnableOutboundWebIdentityFederationCommand({}));

  const trusting = async (RoleName: string, statement: object) => {
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", ...statement }],
    });
    const { Role } = await client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    return Role!.Arn!;
  };
  const samlRole = await trusting("fixture-saml", {
    Principal: { Federated: SAMLProviderArn },
    Action: "sts:AssumeRoleWithSAML",
    Condition: { StringEquals: { "SAML:aud": "https://signin.aws.amazon.com/saml" } },
  });
  // The provider is everybody's: only the subject tells the accounts' workloads apart.
  const subject = `workload-of-${accountId}`;
  const webRole = await trusting("fixture-web", {
    Principal: { Federated: OpenIDConnectProviderArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${ISSUER}:sub`]: subject } },
  });
  const now = system.clock.now();
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "RS256", kid: "shared" })
    .setIssuer(`https://${ISSUER}`)
    .setSubject(subject)
    .setAudience(AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(new Date(now.getTime() + LIFE_MS))
    .sign(issuer.privateKey);
  const response = Buffer.from(
    signedSaml(responseFor({ entityId: idp.entityId, pair: `${samlRole},${SAMLProviderArn}`, now }), "_a1", idp),
  );
  return {
    SAMLProviderArn: [SAMLProviderArn],
    "iam.CreateSAMLProvider.Name": ["fixture-other"],
    SAMLMetadataDocument: [samlMetadata(idp)],
    "sts.AssumeRoleWithSAML.RoleArn": [samlRole],
    "sts.AssumeRoleWithSAML.PrincipalArn": [SAMLProviderArn],
    SAMLAssertion: [response.toString("base64")],
    "sts.AssumeRoleWithWebIdentity.RoleArn": [webRole],
    WebIdentityToken: [token],
    "sts.AssumeRoleWithWebIdentity.ProviderId": [],
    "sts.Audience": [["https://example.com"]],
    "sts.SigningAlgorithm": ["RS256"],
  };
}

interface SignIn {
  readonly entityId: string;
  /** The role's ARN and the provider's. */
  readonly pair: string;
  readonly now: Date;
}

function responseFor({ entityId, pair, now }: SignIn): string {
  const at = (ms: number) => new Date(now.getTime() + ms).toISOString();
  const recipient = "https://signin.aws.amazon.com/saml";
  const attribute = (name: string, value: string) =>
    `<saml:Attribute Name="${ATTRIBUTES}${name}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`;
  return [
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" Version="2.0" IssueInstant="${at(0)}">`,
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" Version="2.0" IssueInstant="${at(0)}">`,
    `<saml:Issuer>${entityId}</saml:Issuer><saml:Subject><saml:NameID>alice</saml:NameID>`,
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">',
    `<saml:SubjectConfirmationData NotOnOrAfter="${at(LIFE_MS)}" Recipient="${recipient}"/></saml:SubjectConfirmation>`,
    `</saml:Subject><saml:Conditions NotBefore="${at(-1000)}" NotOnOrAfter="${at(LIFE_MS)}"><saml:AudienceRestriction>`,
    "<saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
    `<saml:AuthnStatement AuthnInstant="${at(0)}"/><saml:AttributeStatement>`,
    attribute("Role", pair),
    attribute("RoleSessionName", "alice"),
    "</saml:AttributeStatement></saml:Assertion></samlp:Response>",
  ].join("");
}
