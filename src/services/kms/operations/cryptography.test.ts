import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-kms";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Principal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { kms } from "../index.ts";

const Plaintext = Buffer.from("secret");

async function aKey(system: TestSystem): Promise<string> {
  return (await system.root.send(new sdk.CreateKeyCommand({}))).KeyMetadata!.Arn!;
}

test("what is encrypted is decrypted without naming the key", async () => {
  await using system = await testSystem({ services: [kms] });
  const { root } = system;
  const KeyId = await aKey(system);
  const EncryptionContext = { stage: "prod" };
  const { CiphertextBlob } = await root.send(new sdk.EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
  const opened = await root.send(new sdk.DecryptCommand({ CiphertextBlob, EncryptionContext }));
  assert.deepEqual([opened.KeyId, Buffer.from(opened.Plaintext!)], [KeyId, Plaintext]);
  const invalid = { name: "InvalidCiphertextException" };
  await assert.rejects(root.send(new sdk.DecryptCommand({ CiphertextBlob })), invalid);
  await assert.rejects(root.send(new sdk.DecryptCommand({ CiphertextBlob: Buffer.from("x") })), invalid);
  await assert.rejects(
    root.send(new sdk.DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: await aKey(system) })),
    {
      name: "IncorrectKeyException",
    },
  );
  await assert.rejects(root.send(new sdk.DecryptCommand({ CiphertextBlob, EncryptionContext, DryRun: true })), {
    name: "DryRunOperationException",
  });
});

test("a ciphertext whose key is in another region is denied", async () => {
  await using system = await testSystem({ services: [kms] });
  const { CiphertextBlob } = await system.root.send(new sdk.EncryptCommand({ KeyId: await aKey(system), Plaintext }));
  const elsewhere = system.client(system.root.principal, { accountId: ACCOUNT, region: "eu-west-3" });
  await assert.rejects(elsewhere.send(new sdk.DecryptCommand({ CiphertextBlob })), {
    name: "AccessDenied",
    message: /kms:Decrypt on the resource associated with this ciphertext because the resource does not exist/,
  });
});

test("data keys have the size that was asked for and open again", async () => {
  await using system = await testSystem({ services: [kms] });
  const { root } = system;
  const KeyId = await aKey(system);
  const dataKey = await root.send(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec: "AES_128" }));
  assert.equal(dataKey.Plaintext?.length, 16);
  const opened = await root.send(new sdk.DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }));
  assert.deepEqual(Buffer.from(opened.Plaintext!), Buffer.from(dataKey.Plaintext!));
  const bare = await root.send(new sdk.GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 64 }));
  assert.ok(!("Plaintext" in bare));
  assert.equal(
    (await root.send(new sdk.DecryptCommand({ CiphertextBlob: bare.CiphertextBlob }))).Plaintext?.length,
    64,
  );
  await assert.rejects(root.send(new sdk.GenerateDataKeyCommand({ KeyId })), {
    name: "ValidationException",
    message: "Please specify either number of bytes or key spec.",
  });
  await assert.rejects(root.send(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256", NumberOfBytes: 8 })), {
    name: "ValidationException",
  });
  assert.equal((await root.send(new sdk.GenerateRandomCommand({ NumberOfBytes: 7 }))).Plaintext?.length, 7);
});

test("re-encryption changes key and context, and needs leave on both keys", async () => {
  await using system = await testSystem({ services: [kms] });
  const source = await aKey(system);
  const destination = await aKey(system);
  const { CiphertextBlob } = await system.root.send(new sdk.EncryptCommand({ KeyId: source, Plaintext }));
  const reEncrypt = new sdk.ReEncryptCommand({
    CiphertextBlob,
    DestinationKeyId: destination,
    DestinationEncryptionContext: { a: "1" },
  });
  const answer = await system.root.send(reEncrypt);
  assert.deepEqual([answer.SourceKeyId, answer.KeyId], [source, destination]);
  const opened = await system.root.send(
    new sdk.DecryptCommand({ CiphertextBlob: answer.CiphertextBlob, EncryptionContext: { a: "1" } }),
  );
  assert.deepEqual(Buffer.from(opened.Plaintext!), Plaintext);

  const arn = `arn:aws:iam::${ACCOUNT}:user/dev`;
  const user: Principal = { type: "User", arn, accountId: ACCOUNT, userId: "AIDAX", accessKeyId: "AKIAX" };
  const Statement = [{ Effect: "Allow", Action: "kms:ReEncryptFrom", Resource: "*" }];
  const document = JSON.stringify({ Version: "2012-10-17", Statement });
  system.policies.set(arn, [compilePolicy(parsePolicy(document, "identity"))]);
  const client = system.client(user, { accountId: ACCOUNT, region: REGION });
  await assert.rejects(client.send(reEncrypt), /not authorized to perform: kms:ReEncryptTo on resource/);
});

test("policies can ask for an encryption context", async () => {
  await using system = await testSystem({ services: [kms] });
  const KeyId = await aKey(system);
  const arn = `arn:aws:iam::${ACCOUNT}:user/dev`;
  const user: Principal = { type: "User", arn, accountId: ACCOUNT, userId: "AIDAX", accessKeyId: "AKIAX" };
  const Condition = { StringEquals: { "kms:EncryptionContext:stage": "prod" } };
  const Statement = [{ Effect: "Allow", Action: "kms:Encrypt", Resource: "*", Condition }];
  const document = JSON.stringify({ Version: "2012-10-17", Statement });
  system.policies.set(arn, [compilePolicy(parsePolicy(document, "identity"))]);
  const client = system.client(user, { accountId: ACCOUNT, region: REGION });
  await client.send(new sdk.EncryptCommand({ KeyId, Plaintext, EncryptionContext: { stage: "prod" } }));
  await assert.rejects(client.send(new sdk.EncryptCommand({ KeyId, Plaintext })), { name: "AccessDenied" });
});

test("key material is stored sealed", async () => {
  await using system = await testSystem({ services: [kms] });
  await aKey(system);
  const row = await system.db
    .withTables<{ kms_keys: { sealed_material: string } }>()
    .selectFrom("kms_keys")
    .select("sealed_material")
    .executeTakeFirstOrThrow();
  assert.equal(system.cipher.open("kms-key", row.sealed_material)?.length, 32);
  assert.equal(system.cipher.open("access-key", row.sealed_material), undefined);
});
