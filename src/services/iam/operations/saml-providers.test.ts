import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { samlIssuer, samlMetadata } from "#gateway/federation/testing.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { iamSystem } from "../testing.ts";

const ARN = `arn:aws:iam::${ACCOUNT}:saml-provider/Corp`;
const METADATA = samlMetadata(await samlIssuer());
const privateKey = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "pem", type: "spki" },
  }).privateKey;
const KEY = privateKey();

test("a SAML provider is made, shown, listed, changed and deleted", async () => {
  await using system = await iamSystem();
  system.setNow(new Date("2026-01-01T00:00:00Z"));
  const create = new sdk.CreateSAMLProviderCommand({ Name: "Corp", SAMLMetadataDocument: METADATA });
  assert.deepEqual(await system.root.send(create), { SAMLProviderArn: ARN });
  await assert.rejects(system.root.send(create), {
    name: "EntityAlreadyExistsException",
    message: "Provider with name Corp already exists.",
  });
  const get = () => system.root.send(new sdk.GetSAMLProviderCommand({ SAMLProviderArn: ARN }));
  const { SAMLProviderUUID, ...shown } = await get();
  assert.match(SAMLProviderUUID!, /^SAMLSP[A-Z2-7]{16}$/);
  const dates = { CreateDate: new Date("2026-01-01T00:00:00Z"), ValidUntil: new Date("2126-01-01T00:00:00Z") };
  assert.deepEqual(shown, { SAMLMetadataDocument: METADATA, ...dates });
  const list = await system.root.send(new sdk.ListSAMLProvidersCommand({}));
  assert.deepEqual(list.SAMLProviderList, [{ Arn: ARN, ...dates }]);

  const changed = METADATA.replace("entityID=", 'validUntil="2027-01-01T00:00:00Z" entityID=');
  const update = new sdk.UpdateSAMLProviderCommand({ SAMLProviderArn: ARN, SAMLMetadataDocument: changed });
  assert.deepEqual(await system.root.send(update), { SAMLProviderArn: ARN });
  assert.deepEqual((await get()).ValidUntil, new Date("2027-01-01T00:00:00Z"));
  assert.equal((await get()).SAMLProviderUUID, SAMLProviderUUID);

  await system.root.send(new sdk.DeleteSAMLProviderCommand({ SAMLProviderArn: ARN }));
  const gone = { name: "NoSuchEntityException", message: `Manifest not found for arn ${ARN}` };
  await assert.rejects(get(), gone);
  await assert.rejects(system.root.send(new sdk.DeleteSAMLProviderCommand({ SAMLProviderArn: ARN })), gone);
});

test("its metadata must be an identity provider's, with a certificate that can be read", async () => {
  await using system = await iamSystem();
  const create = (SAMLMetadataDocument: string) =>
    system.root.send(new sdk.CreateSAMLProviderCommand({ Name: "Corp", SAMLMetadataDocument }));
  const filler = `<!--${" ".repeat(1000)}-->`;
  for (const broken of [
    METADATA.replace("EntityDescriptor>", "Entity>"),
    METADATA.replaceAll("EntityDescriptor", "EntitiesDescriptor"),
    METADATA.replace(/entityID="[^"]*"/, ""),
    METADATA.replaceAll("IDPSSODescriptor", "SPSSODescriptor"),
    METADATA.replace("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol"),
    METADATA.replace('use="signing"', 'use="encryption"'),
    METADATA.replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
    METADATA.replace("entityID=", 'validUntil="tomorrow" entityID='),
    METADATA.replace("?>", '?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>'),
    `no XML ${filler}`,
  ]) {
    await assert.rejects(create(broken), { name: "InvalidInputException", message: "Could not parse metadata" });
  }
  await assert.rejects(create("<short/>"), { name: "ValidationError" });
  assert.deepEqual((await system.root.send(new sdk.ListSAMLProvidersCommand({}))).SAMLProviderList, []);
});

test("it has up to two private keys, sealed, and asks for encryption only with one", async () => {
  await using system = await iamSystem();
  await assert.rejects(
    system.root.send(
      new sdk.CreateSAMLProviderCommand({
        Name: "Corp",
        SAMLMetadataDocument: METADATA,
        AssertionEncryptionMode: "Required",
      }),
    ),
    {
      name: "InvalidInputException",
      message: "Unable to set assertion encryption mode to Required because no private key is provided.",
    },
  );
  await system.root.send(
    new sdk.CreateSAMLProviderCommand({
      Name: "Corp",
      SAMLMetadataDocument: METADATA,
      AssertionEncryptionMode: "Required",
      AddPrivateKey: KEY,
    }),
  );
  const get = () => system.root.send(new sdk.GetSAMLProviderCommand({ SAMLProviderArn: ARN }));
  const update = (change: Partial<sdk.UpdateSAMLProviderCommandInput>) =>
    system.root.send(new sdk.UpdateSAMLProviderCommand({ SAMLProviderArn: ARN, ...change }));
  const first = (await get()).PrivateKeyList!;
  assert.match(first[0]!.KeyId!, /^[A-Z0-9]{22,64}$/);
  assert.equal((await get()).AssertionEncryptionMode, "Required");
  await update({ AddPrivateKey: privateKey() });
  await assert.rejects(update({ AddPrivateKey: KEY }), {
    name: "LimitExceededException",
    message: "Private key limit of 2 is reached.",
  });
  await assert.rejects(update({ AddPrivateKey: KEY, RemovePrivateKey: first[0]!.KeyId }), /in the same request/);
  await assert.rejects(update({}), /No updates are defined/);
  await assert.rejects(update({ AddPrivateKey: "no key" }), {
    name: "InvalidInputException",
    message: "Invalid private key.",
  });
  await assert.rejects(update({ RemovePrivateKey: "A".repeat(22) }), /does not match a private key/);
  await update({ RemovePrivateKey: first[0]!.KeyId });
  const [left] = (await get()).PrivateKeyList!;
  await assert.rejects(update({ RemovePrivateKey: left!.KeyId }), /because no private key is provided/);
  await update({ AssertionEncryptionMode: "Allowed", RemovePrivateKey: left!.KeyId });
  assert.equal((await get()).PrivateKeyList, undefined);
});

test("it has tags", async () => {
  await using system = await iamSystem();
  const Tags = [
    { Key: "b", Value: "2" },
    { Key: "a", Value: "1" },
  ];
  await system.root.send(new sdk.CreateSAMLProviderCommand({ Name: "Corp", SAMLMetadataDocument: METADATA, Tags }));
  const about = { SAMLProviderArn: ARN };
  await system.root.send(new sdk.TagSAMLProviderCommand({ ...about, Tags: [{ Key: "c", Value: "3" }] }));
  await system.root.send(new sdk.UntagSAMLProviderCommand({ ...about, TagKeys: ["b"] }));
  assert.deepEqual(await system.root.send(new sdk.ListSAMLProviderTagsCommand(about)), {
    Tags: [
      { Key: "a", Value: "1" },
      { Key: "c", Value: "3" },
    ],
    IsTruncated: false,
  });
});
