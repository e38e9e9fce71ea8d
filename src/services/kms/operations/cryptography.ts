/** Encryption under a key. https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html */
import { randomBytes } from "node:crypto";
import type * as sdk from "@aws-sdk/client-kms";
import { AccessDeniedError } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys, OperationOf } from "#gateway/operation.ts";
import { MATERIAL_PURPOSE } from "../aws-managed-keys.ts";
import { decrypted, type EncryptionContext, encrypted, keyIdOf } from "../ciphertext.ts";
import {
  dryRun,
  incorrectKey,
  invalidCiphertext,
  unknownCiphertextKey,
  unusable,
  validationException,
} from "../errors.ts";
import {
  compiledKeyPolicy,
  encryptionContextKeys,
  keyContext,
  onKey,
  requiredKey,
  requireOnKey,
  usableKey,
} from "../key-access.ts";
import { type Key, keyArn } from "../model.ts";
import { findKey } from "../store.ts";

const ALGORITHM = "SYMMETRIC_DEFAULT";

const keyId = (input: { KeyId: string | undefined }) => input.KeyId!;
const contextKeys = (input: { EncryptionContext?: EncryptionContext | undefined }) =>
  encryptionContextKeys(input.EncryptionContext);

function materialOf(call: Call, key: Key): Buffer {
  const material = call.system.cipher.open(MATERIAL_PURPOSE, key.sealedMaterial);
  if (!material) throw new Error(`${keyArn(key)} was sealed with another master key (master.key, SLIPWAY_MASTER_KEY)`);
  return material;
}

function blobOf(call: Call, key: Key, plaintext: Uint8Array, context: EncryptionContext | undefined): Uint8Array {
  return encrypted(key.id, materialOf(call, key), plaintext, context ?? {});
}

export const Encrypt: OperationOf<sdk.EncryptCommand> = {
  authorize: onKey("Encrypt", keyId, contextKeys),
  async run(input, call) {
    const key = await usableKey(call, keyId(input));
    if (input.DryRun) throw dryRun();
    return {
      KeyId: keyArn(key),
      CiphertextBlob: blobOf(call, key, input.Plaintext!, input.EncryptionContext),
      EncryptionAlgorithm: ALGORITHM,
    };
  },
};

/** The key that a ciphertext names. Throws InvalidCiphertext, or AccessDenied where the key is unknown here. */
async function keyOfBlob(call: Call, blob: Uint8Array | undefined, action: string): Promise<Key> {
  const id = blob && keyIdOf(blob);
  if (id === undefined) throw invalidCiphertext();
  const key = await findKey(call.db, call.region, id);
  const gone = key?.deletionAt !== undefined && key.deletionAt <= call.now;
  if (!key || gone) throw unknownCiphertextKey(call.principal.arn, action);
  return key;
}

/** Throws Disabled, KMSInvalidState, IncorrectKey where `namedKeyId` is another key, or InvalidCiphertext. */
async function opened(
  call: Call,
  key: Key,
  namedKeyId: string | undefined,
  blob: Uint8Array,
  context: EncryptionContext | undefined,
): Promise<Uint8Array> {
  if (namedKeyId !== undefined && (await requiredKey(call, namedKeyId)).id !== key.id) throw incorrectKey();
  if (key.state !== "Enabled") throw unusable(keyArn(key), key.state);
  const plaintext = decrypted(materialOf(call, key), blob, context ?? {});
  if (!plaintext) throw invalidCiphertext();
  return plaintext;
}

/** The authorization of an operation on the key that a ciphertext names, which only its own account is told. */
function onKeyOfBlob<I extends { readonly CiphertextBlob?: Uint8Array | undefined }>(
  action: string,
  contextOf: (input: NoInfer<I>, call: Call, key: Key) => Promise<ContextKeys>,
): Authorization<I> {
  return {
    action,
    async resources(input, call) {
      const key = await keyOfBlob(call, input.CiphertextBlob, action);
      if (key.accountId !== call.accountId) {
        await requireOnKey(call, action, key, await contextOf(input, call, key)).catch((error: unknown) => {
          throw error instanceof AccessDeniedError ? unknownCiphertextKey(call.principal.arn, action) : error;
        });
      }
      return [keyArn(key)];
    },
    context: async (input, call) => contextOf(input, call, await keyOfBlob(call, input.CiphertextBlob, action)),
    resourcePolicy: async (_arn, input, call) =>
      compiledKeyPolicy(call, await keyOfBlob(call, input.CiphertextBlob, action), action),
    resourcePolicyRequired: true,
    awsManaged: async (_arn, input, call) => (await keyOfBlob(call, input.CiphertextBlob, action)).manager === "AWS",
  };
}

export const Decrypt: OperationOf<sdk.DecryptCommand> = {
  authorize: onKeyOfBlob("kms:Decrypt", async (input, call, key) => ({
    ...(await keyContext(call, key, input.KeyId)),
    ...encryptionContextKeys(input.EncryptionContext),
  })),
  async run(input, call) {
    const key = await keyOfBlob(call, input.CiphertextBlob, "kms:Decrypt");
    const plaintext = await opened(call, key, input.KeyId, input.CiphertextBlob!, input.EncryptionContext);
    if (input.DryRun) throw dryRun();
    return { KeyId: keyArn(key), Plaintext: plaintext, EncryptionAlgorithm: ALGORITHM };
  },
};

/** Needs two permissions: kms:ReEncryptFrom on the one key, kms:ReEncryptTo on the other. */
export const ReEncrypt: OperationOf<sdk.ReEncryptCommand> = {
  authorize: onKeyOfBlob("kms:ReEncryptFrom", async (input, call, key) => ({
    ...(await keyContext(call, key, input.SourceKeyId)),
    ...encryptionContextKeys(input.SourceEncryptionContext),
    "kms:reencryptonsamekey": String(key.id === (await requiredKey(call, input.DestinationKeyId!)).id),
  })),
  async run(input, call) {
    const blob = input.CiphertextBlob!;
    const source = await keyOfBlob(call, blob, "kms:ReEncryptFrom");
    const destination = await usableKey(call, input.DestinationKeyId!);
    await requireOnKey(call, "kms:ReEncryptTo", destination, {
      ...(await keyContext(call, destination, input.DestinationKeyId)),
      ...encryptionContextKeys(input.DestinationEncryptionContext),
      "kms:reencryptonsamekey": String(source.id === destination.id),
    });
    const plaintext = await opened(call, source, input.SourceKeyId, blob, input.SourceEncryptionContext);
    if (input.DryRun) throw dryRun();
    return {
      CiphertextBlob: blobOf(call, destination, plaintext, input.DestinationEncryptionContext),
      SourceKeyId: keyArn(source),
      KeyId: keyArn(destination),
      SourceEncryptionAlgorithm: ALGORITHM,
      DestinationEncryptionAlgorithm: ALGORITHM,
    };
  },
};

const KEY_BYTES = { AES_128: 16, AES_256: 32 } as const;

/** Throws ValidationException unless exactly one of the two is given. */
function dataKey(input: { KeySpec?: string | undefined; NumberOfBytes?: number | undefined }): Buffer {
  const { KeySpec, NumberOfBytes } = input;
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw validationException("Please specify either number of bytes or key spec.");
  }
  return randomBytes(NumberOfBytes ?? KEY_BYTES[KeySpec as keyof typeof KEY_BYTES]);
}

export const GenerateDataKey: OperationOf<sdk.GenerateDataKeyCommand> = {
  authorize: onKey("GenerateDataKey", keyId, contextKeys),
  async run(input, call) {
    const key = await usableKey(call, keyId(input));
    const plaintext = dataKey(input);
    if (input.DryRun) throw dryRun();
    const blob = blobOf(call, key, plaintext, input.EncryptionContext);
    return { KeyId: keyArn(key), Plaintext: plaintext, CiphertextBlob: blob };
  },
};

export const GenerateDataKeyWithoutPlaintext: OperationOf<sdk.GenerateDataKeyWithoutPlaintextCommand> = {
  authorize: onKey("GenerateDataKeyWithoutPlaintext", keyId, contextKeys),
  async run(input, call) {
    const key = await usableKey(call, keyId(input));
    const plaintext = dataKey(input);
    if (input.DryRun) throw dryRun();
    return { KeyId: keyArn(key), CiphertextBlob: blobOf(call, key, plaintext, input.EncryptionContext) };
  },
};

export const GenerateRandom: OperationOf<sdk.GenerateRandomCommand> = {
  authorize: { action: "kms:GenerateRandom", resources: () => ["*"] },
  run(input) {
    if (input.NumberOfBytes === undefined) throw validationException("NumberOfBytes is required.");
    return { Plaintext: randomBytes(input.NumberOfBytes) };
  },
};
