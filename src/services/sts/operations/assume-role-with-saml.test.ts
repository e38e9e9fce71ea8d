import assert from "node:assert/strict";
import {
  type CipherGCM,
  constants,
  createCipheriv,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { describe, test } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { anonymousPrincipal } from "#gateway/context.ts";
import { parseSamlMetadata } from "#gateway/federation/saml-metadata.ts";
import { type SamlIssuer, samlIssuer, samlMetadata, signedSaml, TRANSFORMS } from "#gateway/federation/testing.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sts } from "../index.ts";
import { ParsedMetadata, useParsedMetadata } from "../saml/provider-metadata.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const SCOPE = { accountId: ACCOUNT, region: REGION };
const ROLE = `arn:aws:iam::${ACCOUNT}:role/analyst`;
const PROVIDER = `arn:aws:iam::${ACCOUNT}:saml-provider/Corp`;
const ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/";
/** BASE64(SHA1("https://idp.example.com/saml" + "111122223333" + "/Corp")) */
const NAME_QUALIFIER = "/BWCFeaWE+hXWjPktXT8lFPCYqc=";

const idp = await samlIssuer();
const stranger = await samlIssuer();

interface Statement {
  readonly id?: string;
  readonly issuer?: string;
  readonly issued?: string;
  readonly nameId?: string;
  readonly recipient?: string;
  readonly until?: string;
  readonly conditions?: string;
  readonly audience?: string;
  readonly session?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

const DEFAULT_ATTRIBUTES = {
  [`${ATTRIBUTES}Role`]: [`${ROLE},${PROVIDER}`],
  [`${ATTRIBUTES}RoleSessionName`]: ["alice"],
};

function assertion(statement: Statement = {}): string {
  const {
    id = "_a1",
    issuer = idp.entityId,
    issued = "2026-01-01T00:00:00Z",
    nameId = "alice@example.com",
    recipient = "https://signin.aws.amazon.com/saml",
    until = "2026-01-01T00:05:00.5Z",
    conditions = 'NotBefore="2025-12-31T23:55:00Z" NotOnOrAfter="2026-01-01T00:05:00Z"',
    audience = "urn:amazon:webservices",
    session = "",
    attributes = DEFAULT_ATTRIBUTES,
  } = statement;
  const values = Object.entries(attributes).map(
    ([name, texts]) =>
      `<saml:Attribute Name="${name}">${texts.map((text) => `<saml:AttributeValue>${text}</saml:AttributeValue>`).join("")}</saml:Attribute>`,
  );
  return [
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${issued}">`,
    `<saml:Issuer>${issuer}</saml:Issuer><saml:Subject>`,
    `<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${nameId}</saml:NameID>`,
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">',
    `<saml:SubjectConfirmationData NotOnOrAfter="${until}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions ${conditions}><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="2026-01-01T00:00:00Z"${session}/>`,
    `<saml:AttributeStatement>${values.join("")}</saml:AttributeStatement></saml:Assertion>`,
  ].join("");
}

function response(content: string, status = "urn:oasis:names:tc:SAML:2.0:status:Success"): string {
  return [
    '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" Version="2.0" IssueInstant="2026-01-01T00:00:00Z">',
    `<samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${content}</samlp:Response>`,
  ].join("");
}

const encoded = (xml: string) => Buffer.from(xml).toString("base64");
/** With its assertion signed. */
const signed = (statement?: Statement, by: SamlIssuer = idp) =>
  encoded(signedSaml(response(assertion(statement)), statement?.id ?? "_a1", by));

interface Fixture extends AsyncDisposable {
  readonly on: TestSystem;
  assume(
    assertion: string,
    input?: Partial<sdk.AssumeRoleWithSAMLCommandInput>,
  ): Promise<Omit<sdk.AssumeRoleWithSAMLCommandOutput, "$metadata">>;
}

async function fixture(
  trust: { Action?: string[]; Condition?: object; Principal?: object | string } = {},
  metadata = samlMetadata(idp),
): Promise<Fixture> {
  const on = await testSystem({ services: [iam, sts], identities: (parts) => new IamIdentities(parts) });
  on.setNow(NOW);
  await on.root.send(new iamSdk.CreateSAMLProviderCommand({ Name: "Corp", SAMLMetadataDocument: metadata }));
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithSAML",
        Principal: { Federated: PROVIDER },
        Condition: { StringEquals: { "saml:aud": "https://signin.aws.amazon.com/saml" } },
        ...trust,
      },
    ],
  });
  await on.root.send(new iamSdk.CreateRoleCommand({ RoleName: "analyst", AssumeRolePolicyDocument }));
  return {
    on,
    assume: (SAMLAssertion, input = {}) =>
      on
        .client(anonymousPrincipal(ACCOUNT), SCOPE)
        .send(new sdk.AssumeRoleWithSAMLCommand({ RoleArn: ROLE, PrincipalArn: PROVIDER, SAMLAssertion, ...input })),
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  };
}

const DENIED = { name: "AccessDenied", message: "Not authorized to perform sts:AssumeRoleWithSAML" };
const invalid = (message: string | RegExp) => ({ name: "InvalidIdentityTokenException", message });

describe("AssumeRoleWithSAML", () => {
  test("gives who the provider vouches for the role that its assertion names", async () => {
    await using fix = await fixture();
    const answer = await fix.assume(signed());
    assert.equal(answer.Subject, "alice@example.com");
    assert.equal(answer.SubjectType, "persistent");
    assert.equal(answer.Issuer, idp.entityId);
    assert.equal(answer.Audience, "https://signin.aws.amazon.com/saml");
    assert.equal(answer.NameQualifier, NAME_QUALIFIER);
    assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/analyst/alice`);
    assert.deepEqual(answer.Credentials?.Expiration, new Date("2026-01-01T01:00:00Z"));
    const { AccessKeyId, SessionToken } = answer.Credentials!;
    const principal = await fix.on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! });
    assert.equal(principal.federation?.provider, PROVIDER);
    assert.equal(principal.federation?.keys["saml:sub"], "alice@example.com");
  });

  test("takes a signature of the whole response as well", async () => {
    await using fix = await fixture();
    const whole = response(
      `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:Issuer>${assertion()}`,
    );
    await fix.assume(encoded(signedSaml(whole, "_r1", idp)));
  });

  test("reads the provider's metadata once, and anew when it is another", async () => {
    await using fix = await fixture();
    const read: string[] = [];
    const counting = (document: string) => {
      read.push(document);
      return parseSamlMetadata(document);
    };
    useParsedMetadata(fix.on, new ParsedMetadata(counting));
    await fix.assume(signed());
    await fix.assume(signed());
    assert.deepEqual(read, [samlMetadata(idp)]);
    const SAMLMetadataDocument = samlMetadata(stranger);
    await fix.on.root.send(new iamSdk.UpdateSAMLProviderCommand({ SAMLProviderArn: PROVIDER, SAMLMetadataDocument }));
    await assert.rejects(fix.assume(signed()), invalid(/signature/i));
    await fix.assume(signed({}, stranger));
    assert.deepEqual(read, [samlMetadata(idp), SAMLMetadataDocument]);
  });

  test("takes the key that the provider has rotated in beside the old one", async () => {
    const other = samlMetadata(stranger).match(/<md:KeyDescriptor.*<\/md:KeyDescriptor>/)![0];
    const both = samlMetadata(idp).replace("</md:KeyDescriptor>", `</md:KeyDescriptor>${other}`);
    await using fix = await fixture({}, both);
    await fix.assume(signed());
    await fix.assume(signed({}, stranger));
  });

  test("refuses what the provider has not signed", async () => {
    await using fix = await fixture();
    await assert.rejects(fix.assume(encoded(response(assertion()))), invalid("Response signature invalid"));
    await assert.rejects(fix.assume(signed({}, stranger)), invalid("Response signature invalid"));
    const xml = signedSaml(response(assertion()), "_a1", idp);
    await assert.rejects(fix.assume(encoded(xml.replace("alice@", "mallory@"))), invalid("Response signature invalid"));
    const algorithm = xml.replace("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256");
    await assert.rejects(fix.assume(encoded(algorithm)), invalid("Response signature invalid"));
  });

  test("reads the signed assertion alone, however it is wrapped", async () => {
    await using fix = await fixture();
    const good = signedSaml(response(assertion()), "_a1", idp);
    const [original] = good.match(/<saml:Assertion.*<\/saml:Assertion>/s)!;
    const [signature] = original.match(/<Signature.*<\/Signature>/s)!;
    const evil = assertion({ id: "_evil", nameId: "mallory@example.com" });
    const evilAround = evil.replace("</saml:Issuer>", `</saml:Issuer>${signature}`);
    const hidden = (at: string) => evilAround.replace("</saml:Assertion>", `${at}</saml:Assertion>`);
    const sameId = assertion({ nameId: "mallory@example.com" });
    const outcomes: (string | undefined)[] = [];
    for (const wrapped of [
      // The evil one first or last, without a signature.
      good.replace(original, evil + original),
      good.replace(original, original + evil),
      // The signature moved into the evil one, the original hidden in it or beside it.
      good.replace(original, hidden(original.replace(signature, ""))),
      good.replace(original, evilAround + original.replace(signature, "")),
      good.replace(original, `<samlp:Extensions>${original.replace(signature, "")}</samlp:Extensions>${evilAround}`),
      // Two elements with the id that is signed.
      good.replace(original, sameId + original),
      good.replace(original, original + sameId),
      good.replace(original, sameId.replace("</saml:Issuer>", `</saml:Issuer>${signature}`) + original),
      // The original below an object of the signature.
      good.replace(
        original,
        evil.replace(
          "</saml:Issuer>",
          `</saml:Issuer>${signature.replace("</Signature>", `<Object>${original.replace(signature, "")}</Object></Signature>`)}`,
        ),
      ),
    ]) {
      assert.notEqual(wrapped, good);
      const outcome = await fix.assume(encoded(wrapped)).then(
        ({ Subject }) => Subject,
        (error: Error) => void assert.equal(error.name, "InvalidIdentityTokenException"),
      );
      assert.notEqual(outcome, "mallory@example.com");
      outcomes.push(outcome);
    }
    // What stands beside an assertion that is signed where it stands does no harm, and is not read.
    assert.deepEqual(outcomes.slice(0, 2), ["alice@example.com", "alice@example.com"]);
  });

  test("reads a name with a comment inside as the whole name", async () => {
    await using fix = await fixture();
    const xml = signedSaml(response(assertion({ nameId: "admin@example.com.evil.com" })), "_a1", idp);
    const commented = xml.replace("admin@example.com.evil", "admin@example.com<!-- -->.evil");
    const { Subject } = await fix.assume(encoded(commented));
    assert.equal(Subject, "admin@example.com.evil.com");
  });

  test("checks no more signatures, and no longer, than a response can have", async () => {
    await using fix = await fixture();
    const refused = invalid("Response signature invalid");
    const xml = signedSaml(response(assertion()), "_a1", idp);
    const foreign = (id: string) =>
      /<saml:Assertion.*<\/saml:Assertion>/s.exec(signedSaml(response(assertion({ id })), id, stranger))![0];
    const among = (...ids: string[]) => xml.replace("<saml:Assertion", `${ids.map(foreign).join("")}<saml:Assertion`);
    await fix.assume(encoded(among("_b1")));
    await assert.rejects(fix.assume(encoded(among("_b1", "_b2"))), refused);
    const again = signedSaml(response(assertion()), "_a1", idp, [...TRANSFORMS, TRANSFORMS[1]]);
    await assert.rejects(fix.assume(encoded(again)), refused);
    const crowd = xml.replace("<saml:Issuer>", `${"<x/>".repeat(5_000)}<saml:Issuer>`);
    await assert.rejects(fix.assume(encoded(crowd)), invalid("The SAML response cannot be read"));
  });

  test("refuses what is no response, entities and bombs among it", async () => {
    await using fix = await fixture();
    const unreadable = invalid("The SAML response cannot be read");
    await assert.rejects(fix.assume("not base64!"), invalid("Invalid base64 SAMLResponse"));
    await assert.rejects(
      fix.assume(Buffer.from([0xff, 0xfe, 0x3c, 0x00]).toString("base64")),
      invalid("Invalid base64 SAMLResponse"),
    );
    await assert.rejects(fix.assume(encoded("no XML")), unreadable);
    await assert.rejects(fix.assume(encoded("<a><b></a>")), unreadable);
    const lol = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>';
    await assert.rejects(fix.assume(encoded(lol + response(assertion()))), unreadable);
    await assert.rejects(fix.assume(encoded(response("&nbsp;"))), unreadable);
    await assert.rejects(fix.assume(encoded(response("<x>".repeat(9000) + "</x>".repeat(9000)))), unreadable);
    await assert.rejects(fix.assume("A".repeat(100_001)), { name: "ValidationError" });
    await assert.rejects(fix.assume(encoded(assertion())), invalid("The document is no SAML response"));
    const failed = response(assertion(), "urn:oasis:names:tc:SAML:2.0:status:Responder");
    await assert.rejects(fix.assume(encoded(signedSaml(failed, "_a1", idp))), invalid(/was authenticated/));
    const two = response(assertion() + assertion({ id: "_a2" }));
    await assert.rejects(fix.assume(encoded(signedSaml(two, "_r1", idp))), invalid(/exactly one assertion/));
  });

  test("refuses assertions that are expired, from the future, for somebody else or of another issuer", async () => {
    await using fix = await fixture();
    const refused = async (statement: Statement, error: object) =>
      assert.rejects(fix.assume(signed(statement)), error, JSON.stringify(statement));
    const expired = (message: string) => ({ name: "ExpiredTokenException", message });
    await refused({ issuer: "https://else.example.com" }, invalid("Issuer not present in specified provider"));
    await refused({ conditions: 'NotOnOrAfter="2026-01-01T00:00:00Z"' }, expired("Response has expired"));
    await refused({ conditions: 'NotBefore="2026-01-01T00:05:01Z"' }, invalid(/not valid yet/));
    await refused({ until: "2026-01-01T00:00:00Z" }, expired("Response has expired"));
    await refused({ until: "soon" }, invalid("The SAML response cannot be read"));
    await refused({ issued: "2025-12-31T23:54:59Z" }, expired("Token must be redeemed within 5 minutes of issuance"));
    await refused({ audience: "urn:else" }, invalid("Response does not contain the required audience."));
    await refused({ recipient: "https://evil.example.com/saml" }, invalid(/Recipient/));
    await refused({ recipient: "https://signin.aws.amazon.com/saml/acs/SAMLSPOTHER" }, invalid(/Recipient/));
    await refused({ session: ' SessionNotOnOrAfter="2025-12-31T23:00:00Z"' }, expired("Response has expired"));
    await using past = await fixture({}, samlMetadata(idp, ' validUntil="2025-12-31T00:00:00Z"'));
    await assert.rejects(past.assume(signed()), invalid(/metadata of the SAML provider has expired/));
  });

  test("keeps to the roles and the name that the assertion gives", async () => {
    await using fix = await fixture();
    const attributes = (more: Statement["attributes"]) => signed({ attributes: { ...DEFAULT_ATTRIBUTES, ...more } });
    const none = { [`${ATTRIBUTES}Role`]: [] };
    await assert.rejects(fix.assume(attributes(none)), invalid("Your request included an invalid SAML response."));
    const others = { [`${ATTRIBUTES}Role`]: [`${ROLE}2,${PROVIDER}`, `${ROLE},${PROVIDER}2`] };
    await assert.rejects(fix.assume(attributes(others)), DENIED);
    await fix.assume(attributes({ [`${ATTRIBUTES}Role`]: [`${PROVIDER}, ${ROLE}`] }));
    const unnamed = attributes({ [`${ATTRIBUTES}RoleSessionName`]: [] });
    await assert.rejects(fix.assume(unnamed), invalid("RoleSessionName is required in AuthnResponse"));
    const badName = attributes({ [`${ATTRIBUTES}RoleSessionName`]: ["has spaces"] });
    await assert.rejects(
      fix.assume(badName),
      invalid("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"),
    );
    const badSource = attributes({ [`${ATTRIBUTES}SourceIdentity`]: ["aws:x"] });
    await assert.rejects(fix.assume(badSource), invalid(/^Source Identity must match/));
    const missing = `arn:aws:iam::${ACCOUNT}:saml-provider/Missing`;
    await assert.rejects(fix.assume(signed(), { PrincipalArn: missing }), invalid("Specified provider doesn't exist"));
  });

  test("lets in only whom the trust policy means", async () => {
    await using conditioned = await fixture({
      Condition: {
        StringEquals: { "saml:iss": idp.entityId, "saml:doc": `${ACCOUNT}/Corp`, "saml:sub_type": "persistent" },
        "ForAnyValue:StringEquals": { "saml:edupersonaffiliation": "staff" },
      },
    });
    const affiliated = (...texts: string[]) =>
      signed({ attributes: { ...DEFAULT_ATTRIBUTES, "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": texts } });
    await conditioned.assume(affiliated("student", "staff"));
    await assert.rejects(conditioned.assume(affiliated("student")), DENIED);
    await assert.rejects(conditioned.assume(signed()), DENIED);
    for (const trust of [{ Principal: "*" }, { Principal: { AWS: ACCOUNT } }, { Action: ["sts:AssumeRole"] }]) {
      await using fix = await fixture(trust);
      await assert.rejects(fix.assume(signed()), DENIED);
    }
  });

  test("makes the assertion's tags and source identity the session's, and ends no later than the provider's session", async () => {
    await using fix = await fixture({ Action: ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"] });
    const answer = await fix.assume(
      signed({
        session: ' SessionNotOnOrAfter="2026-01-01T00:30:00Z"',
        attributes: {
          ...DEFAULT_ATTRIBUTES,
          [`${ATTRIBUTES}PrincipalTag:Team`]: ["blue"],
          [`${ATTRIBUTES}PrincipalTag:Stage`]: ["test"],
          [`${ATTRIBUTES}TransitiveTagKeys`]: ["Team"],
          [`${ATTRIBUTES}SourceIdentity`]: ["alice"],
        },
      }),
    );
    assert.deepEqual(answer.Credentials?.Expiration, new Date("2026-01-01T00:30:00Z"));
    assert.equal(answer.SourceIdentity, "alice");
    const { AccessKeyId, SessionToken } = answer.Credentials!;
    const principal = await fix.on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! });
    assert.deepEqual(principal.tags, { Team: "blue", Stage: "test" });
    await using untagged = await fixture();
    const tagged = signed({ attributes: { ...DEFAULT_ATTRIBUTES, [`${ATTRIBUTES}PrincipalTag:Team`]: ["blue"] } });
    await assert.rejects(untagged.assume(tagged), {
      name: "AccessDenied",
      message: "Not authorized to perform sts:TagSession",
    });
  });

  describe("of an encrypted assertion", () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const AddPrivateKey = privateKey.export({ format: "pem", type: "pkcs8" }).toString();

    /** As `xmlenc` has it; `mode` is the cipher's. */
    function encrypted(
      xml: string,
      mode: "cbc" | "gcm",
      keyMethod = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    ): string {
      const key = randomBytes(32);
      const nonce = randomBytes(mode === "gcm" ? 12 : 16);
      const cipher = createCipheriv(`aes-256-${mode}`, key, nonce) as CipherGCM;
      const parts = [nonce, cipher.update(xml), cipher.final(), ...(mode === "gcm" ? [cipher.getAuthTag()] : [])];
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const value = (bytes: Buffer) =>
        `<xenc:CipherData><xenc:CipherValue>${bytes.toString("base64")}</xenc:CipherValue></xenc:CipherData>`;
      const method =
        mode === "gcm" ? "http://www.w3.org/2009/xmlenc11#aes256-gcm" : "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
      return [
        '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">',
        '<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">',
        `<xenc:EncryptionMethod Algorithm="${method}"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`,
        `<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${keyMethod}"/>`,
        `${value(publicEncrypt({ key: publicKey, padding, oaepHash: "sha1" }, key))}</xenc:EncryptedKey></ds:KeyInfo>`,
        `${value(Buffer.concat(parts))}</xenc:EncryptedData></saml:EncryptedAssertion>`,
      ].join("");
    }

    async function withKey(AssertionEncryptionMode: "Required" | "Allowed"): Promise<Fixture> {
      const fix = await fixture();
      const update = { SAMLProviderArn: PROVIDER, AddPrivateKey, AssertionEncryptionMode };
      await fix.on.root.send(new iamSdk.UpdateSAMLProviderCommand(update));
      return fix;
    }

    test("takes one that is signed inside, or inside a response that is signed", async () => {
      await using fix = await withKey("Required");
      const inside = signedSaml(assertion(), "_a1", idp);
      for (const mode of ["cbc", "gcm"] as const) {
        const { Subject } = await fix.assume(encoded(response(encrypted(inside, mode))));
        assert.equal(Subject, "alice@example.com");
        const around = response(
          `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:Issuer>${encrypted(assertion(), mode)}`,
        );
        await fix.assume(encoded(signedSaml(around, "_r1", idp)));
      }
    });

    test("refuses one that nobody has signed, that is for another key, or that is broken", async () => {
      await using fix = await withKey("Allowed");
      const unreadable = invalid("The encrypted assertion cannot be read");
      const unsigned = response(encrypted(assertion(), "gcm"));
      await assert.rejects(fix.assume(encoded(unsigned)), unreadable, "as much as for what cannot be deciphered");
      const inside = signedSaml(assertion(), "_a1", idp);
      const good = response(encrypted(inside, "gcm"));
      await assert.rejects(fix.assume(encoded(response(encrypted("no XML", "gcm")))), unreadable);
      const broken = good.replace(/.{8}(<\/xenc:CipherValue><\/xenc:CipherData><\/xenc:EncryptedData>)/, "AAAAAAAA$1");
      await assert.rejects(fix.assume(encoded(broken)), unreadable);
      const weak = response(encrypted(inside, "gcm", "http://www.w3.org/2001/04/xmlenc#rsa-1_5"));
      await assert.rejects(fix.assume(encoded(weak)), unreadable);
      await using keyless = await fixture();
      await assert.rejects(keyless.assume(encoded(good)), unreadable);
      await fix.assume(encoded(good));
      await fix.assume(signed());
    });

    test("is the only one that a provider takes which requires encryption", async () => {
      await using fix = await withKey("Required");
      const refused = invalid("The SAML provider requires that assertions are encrypted");
      await assert.rejects(fix.assume(signed()), refused);
      const whole = response(
        `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:Issuer>${assertion()}`,
      );
      await assert.rejects(fix.assume(encoded(signedSaml(whole, "_r1", idp))), refused);
    });
  });
});
