/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html */
import { createHash } from "node:crypto";
import { GetSAMLProviderCommand } from "@aws-sdk/client-iam";
import type * as sdk from "@aws-sdk/client-sts";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import { XmlError } from "#gateway/federation/xml.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { accessDenied, expiredToken, invalidIdentityToken, validationError } from "../errors.ts";
import {
  accountOfRole,
  checkedSourceIdentity,
  federatedPrincipal,
  federatedSession,
  isSessionName,
  requireTags,
  signInOf,
  trustOf,
} from "../federated-session.ts";
import { type Assertion, attributeKeys, readAssertion, SamlExpiredError } from "../saml/assertion.ts";
import { decryptedAssertion } from "../saml/encrypted-assertion.ts";
import { parsedMetadata } from "../saml/provider-metadata.ts";
import { SamlError, signedAssertion } from "../saml/signed-assertion.ts";

const ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/";

interface Facts {
  readonly assertion: Assertion;
  readonly nameQualifier: string;
}

type Input = sdk.AssumeRoleWithSAMLCommand["input"];

export const AssumeRoleWithSAML: OperationOf<sdk.AssumeRoleWithSAMLCommand> = {
  unsigned: true,
  identify: samlUser,
  authorize: trustOf("sts:AssumeRoleWithSAML"),
  async run(input, call) {
    const { assertion, nameQualifier } = signInOf<Facts>(call).facts;
    return {
      ...(await federatedSession(input, call)),
      Subject: assertion.subject,
      SubjectType: assertion.subjectType,
      Issuer: assertion.issuer,
      Audience: assertion.recipient,
      NameQualifier: nameQualifier,
    };
  },
};

/** The errors' words: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html */
async function samlUser(input: Input, call: Call) {
  accountOfRole(input.RoleArn!);
  const provider = await samlProvider(call, input.PrincipalArn!);
  const privateKeys = (await call.system.identities.samlPrivateKeys?.(provider.arn, call.db)) ?? [];
  const assertion = provenAssertion(input.SAMLAssertion!, provider, privateKeys, call);
  const { accountId, name, arn } = provider;
  const named = (attribute: string) => assertion.attributes.get(ATTRIBUTES + attribute) ?? [];

  if (named("Role").length === 0) throw invalidIdentityToken("Your request included an invalid SAML response.");
  if (!named("Role").some((pair) => isPair(pair, input.RoleArn!, arn))) {
    throw accessDenied("Not authorized to perform sts:AssumeRoleWithSAML");
  }
  const [sessionName] = named("RoleSessionName");
  if (!sessionName) throw invalidIdentityToken("RoleSessionName is required in AuthnResponse");
  if (!isSessionName(sessionName)) {
    throw invalidIdentityToken("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}");
  }
  const tags = { Tags: sessionTagsOf(assertion), TransitiveTagKeys: named("TransitiveTagKeys") };
  requireTags(tags.Tags);

  const nameQualifier = createHash("sha1").update(`${assertion.issuer}${accountId}/${name}`).digest("base64");
  const lasting = {
    "saml:namequalifier": nameQualifier,
    "saml:sub": assertion.subject,
    "saml:sub_type": assertion.subjectType,
  };
  return federatedPrincipal<Facts>(
    "SAMLUser",
    accountId,
    `${nameQualifier}:${assertion.subject}`,
    { provider: arn, subject: assertion.subject, keys: lasting },
    {
      sessionName,
      sourceIdentity: checkedSourceIdentity(named("SourceIdentity")[0]),
      tags,
      keys: {
        ...attributeKeys(assertion),
        ...lasting,
        "saml:aud": assertion.recipient,
        "saml:doc": `${accountId}/${name}`,
        "saml:iss": assertion.issuer,
      },
      until: assertion.sessionUntil,
      facts: { assertion, nameQualifier },
    },
  );
}

interface SamlProvider {
  readonly arn: string;
  readonly accountId: string;
  readonly name: string;
  /** SAMLSP… */
  readonly id: string;
  readonly metadata: string;
  readonly encryption: "Required" | "Allowed" | undefined;
}

async function samlProvider(call: Call, arn: string): Promise<SamlProvider> {
  const [, accountId, name] = /^arn:aws:iam::(\d{12}):saml-provider\/([\w.-]+)$/.exec(arn) ?? [];
  if (accountId === undefined || name === undefined) throw validationError("Principal ARN is invalid");
  const iam = call.system.client(rootPrincipal(accountId), { accountId, region: call.region, db: call.db });
  try {
    const provider = await iam.send(new GetSAMLProviderCommand({ SAMLProviderArn: arn }));
    return {
      arn,
      accountId,
      name,
      id: provider.SAMLProviderUUID!,
      metadata: provider.SAMLMetadataDocument!,
      encryption: provider.AssertionEncryptionMode,
    };
  } catch (error) {
    if ((error as Error).name === "NoSuchEntityException") throw noProvider();
    throw error;
  }
}

function noProvider(): Error {
  return invalidIdentityToken("Specified provider doesn't exist");
}

function provenAssertion(
  encoded: string,
  provider: SamlProvider,
  privateKeys: readonly string[],
  { system, now }: Call,
): Assertion {
  try {
    const { entityId, certificates, validUntil } = parsedMetadata(system).of(provider.metadata);
    if (validUntil && validUntil <= now) throw new SamlError("The metadata of the SAML provider has expired");
    const signed = signedAssertion(decoded(encoded), {
      certificates,
      decrypt: (encrypted) => decryptedAssertion(encrypted, privateKeys),
      encryptedOnly: provider.encryption === "Required",
    });
    return readAssertion(signed, { issuer: entityId, providerId: provider.id, now });
  } catch (error) {
    if (error instanceof SamlExpiredError) throw expiredToken(error.message);
    if (error instanceof SamlError) throw invalidIdentityToken(error.message);
    if (error instanceof XmlError) throw invalidIdentityToken("The SAML response cannot be read");
    throw error;
  }
}

function decoded(encoded: string): string {
  const base64 = encoded.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new SamlError("Invalid base64 SAMLResponse");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64"));
  } catch {
    throw new SamlError("Invalid base64 SAMLResponse");
  }
}

/** "A comma-delimited pair of ARNs", in either order. */
function isPair(pair: string, roleArn: string, providerArn: string): boolean {
  const arns = pair.split(",").map((arn) => arn.trim());
  return arns.length === 2 && arns.includes(roleArn) && arns.includes(providerArn);
}

function sessionTagsOf({ attributes }: Assertion): sdk.Tag[] {
  const prefix = `${ATTRIBUTES}PrincipalTag:`;
  return [...attributes]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, values]) => {
      if (values.length !== 1) throw invalidIdentityToken("A session tag has exactly one value.");
      return { Key: name.slice(prefix.length), Value: values[0]! };
    });
}
