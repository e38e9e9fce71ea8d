/** Which key a request means, and what its key policy says. */

import { AccessDeniedError, requireAccess } from "#gateway/authorize.ts";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import type { ResourceTags } from "#gateway/service.ts";
import { ensureAwsManagedKey, isAwsManagedAlias } from "./aws-managed-keys.ts";
import { aliasNotFound, invalidArn, invalidKeyId, keyNotFound, unknownKey, unusable } from "./errors.ts";
import { aliasArn, type Key, keyArn, type Place } from "./model.ts";
import { findAlias, findKey, listAliases } from "./store.ts";

/** "Aliases per KMS key". https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const MAX_ALIASES = 50;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A key by id, ARN, alias or alias ARN. Throws NotFound. */
export async function requiredKey(call: Call, keyId: string): Promise<Key> {
  const { place, name } = located(call, keyId);
  if (name.startsWith("alias/")) {
    const alias = isAwsManagedAlias(name)
      ? await ensureAwsManagedKey(call, place, name)
      : await findAlias(call.db, place, name);
    if (!alias) throw aliasNotFound(aliasArn(place, name));
    return existingKey(call, place, alias.keyId);
  }
  if (!UUID.test(name)) throw invalidKeyId(keyId);
  return existingKey(call, place, name);
}

/** As `requiredKey`, but a key that another account does not have is one that the caller may not use. */
async function knownKey(call: Call, keyId: string, action: string): Promise<Key> {
  try {
    return await requiredKey(call, keyId);
  } catch (error) {
    const foreign = keyId.startsWith("arn:") && located(call, keyId).place.accountId !== call.accountId;
    throw foreign ? unknownKey(call.principal.arn, action) : error;
  }
}

/** As `requiredKey`, for operations that use the key: throws Disabled or KMSInvalidState where it is not enabled. */
export async function usableKey(call: Call, keyId: string): Promise<Key> {
  const key = await requiredKey(call, keyId);
  if (key.state !== "Enabled") throw unusable(keyArn(key), key.state);
  return key;
}

async function existingKey(call: Call, place: Place, id: string): Promise<Key> {
  const key = await findKey(call.db, place.region, id);
  const gone = key?.deletionAt !== undefined && key.deletionAt <= call.now;
  if (!key || gone || key.accountId !== place.accountId) throw keyNotFound(keyArn({ ...place, id }));
  return key;
}

function located(call: Call, keyId: string): { place: Place; name: string } {
  if (!keyId.startsWith("arn:")) return { place: { accountId: call.accountId, region: call.region }, name: keyId };
  const [, region, accountId, name] = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):(?:key\/)?(.+)$/.exec(keyId) ?? [];
  if (region === undefined || accountId === undefined || name === undefined) throw invalidArn(`Invalid arn ${keyId}`);
  if (region !== call.region) throw invalidArn(`Invalid arn ${region}`);
  return { place: { accountId, region }, name };
}

/**
 * What principals of other accounts may be allowed; "if you give a user in a different account permission for other
 * operations, those permissions have no effect".
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
 */
const CROSS_ACCOUNT: ReadonlySet<string> = new Set([
  "kms:CreateGrant",
  "kms:Decapsulate",
  "kms:Decrypt",
  "kms:DeriveSharedSecret",
  "kms:DescribeKey",
  "kms:Encapsulate",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyPair",
  "kms:GenerateDataKeyPairWithoutPlaintext",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:GenerateMac",
  "kms:GetKeyRotationStatus",
  "kms:GetPublicKey",
  "kms:ListGrants",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
  "kms:RetireGrant",
  "kms:RevokeGrant",
  "kms:Sign",
  "kms:Verify",
  "kms:VerifyMac",
]);

/** undefined: the caller's account is another one, and the policy has no say. */
export function compiledKeyPolicy(call: Call, key: Key, action: string): CompiledPolicy | undefined {
  if (key.accountId !== call.accountId && !CROSS_ACCOUNT.has(action)) return undefined;
  return compilePolicy(parsePolicy(key.policy, "resource"));
}

/** Throws AccessDenied unless the key's policy lets the caller do it. */
export async function requireOnKey(call: Call, action: string, key: Key, context: ContextKeys): Promise<void> {
  await requireAccess(call, {
    action,
    resource: keyArn(key),
    context,
    resourcePolicy: compiledKeyPolicy(call, key, action),
    resourcePolicyRequired: true,
    awsManaged: key.manager === "AWS",
  });
}

/** Whoever may not use another account's key is told neither its id nor whether there is one. */
async function requireOnForeignKey(call: Call, action: string, key: Key, context: ContextKeys): Promise<void> {
  try {
    await requireOnKey(call, action, key, context);
  } catch (error) {
    throw error instanceof AccessDeniedError ? unknownKey(call.principal.arn, action) : error;
  }
}

/**
 * The authorization of an operation on one key: its key policy must allow, by itself or by enabling the account's IAM
 * policies.
 */
export function onKey<I>(
  action: string,
  keyIdOf: (input: NoInfer<I>) => string,
  context?: (input: NoInfer<I>) => ContextKeys,
): Authorization<I> {
  const contextOf = async (input: I, call: Call, key: Key) => ({
    ...(await keyContext(call, key, keyIdOf(input))),
    ...context?.(input),
  });
  return {
    action: `kms:${action}`,
    async resources(input, call) {
      const key = await knownKey(call, keyIdOf(input), `kms:${action}`);
      if (key.accountId !== call.accountId) {
        await requireOnForeignKey(call, `kms:${action}`, key, await contextOf(input, call, key));
      }
      return [keyArn(key)];
    },
    context: async (input, call) => contextOf(input, call, await requiredKey(call, keyIdOf(input))),
    resourcePolicy: async (_arn, input, call) =>
      compiledKeyPolicy(call, await requiredKey(call, keyIdOf(input)), `kms:${action}`),
    resourcePolicyRequired: true,
    awsManaged: async (_arn, input, call) => (await requiredKey(call, keyIdOf(input))).manager === "AWS",
  };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
export async function keyContext(call: Call, key: Key, keyId?: string): Promise<ContextKeys> {
  const aliases = await listAliases(call.db, key, key.id, { after: undefined, limit: MAX_ALIASES });
  const alias = keyId === undefined ? undefined : /(?:^|:)(alias\/.+)$/.exec(keyId)?.[1];
  return {
    ...callerContext(call),
    ...specKeys("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    "kms:keyorigin": "AWS_KMS",
    "kms:multiregion": "false",
    "kms:resourcealiases": aliases.map(({ name }) => name),
    ...(alias !== undefined && { "kms:requestalias": alias }),
  };
}

/** By their older names too: "to avoid breaking changes, AWS KMS supports both condition keys". */
export function specKeys(spec: string, usage: string): ContextKeys {
  return {
    "kms:keyspec": spec,
    "kms:customermasterkeyspec": spec,
    "kms:keyusage": usage,
    "kms:customermasterkeyusage": usage,
  };
}

/** Of every operation on keys and aliases. */
export function callerContext({ principal, calledVia, region }: Call): ContextKeys {
  // A service that acts for itself is the one through which the key is used, too.
  const service = calledVia?.at(-1) ?? principal.service;
  return {
    "kms:calleraccount": principal.accountId,
    "kms:viaservice": service?.replace(/\.amazonaws\.com$/, `.${region}.amazonaws.com`),
  };
}

/** `aws:ResourceTag/…` of a key; aliases have none. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const [, region, id] = /^arn:aws:kms:([^:]+):\d{12}:key\/(.+)$/.exec(arn) ?? [];
  const key = id === undefined ? undefined : await findKey(call.db, region!, id);
  return key && Object.fromEntries(key.tags);
}

export function encryptionContextKeys(context: Readonly<Record<string, string>> | undefined): ContextKeys {
  const entries = Object.entries(context ?? {});
  if (entries.length === 0) return { "kms:encryptionalgorithm": "SYMMETRIC_DEFAULT" };
  return {
    "kms:encryptionalgorithm": "SYMMETRIC_DEFAULT",
    "kms:encryptioncontextkeys": entries.map(([key]) => key),
    ...Object.fromEntries(entries.map(([key, value]) => [`kms:encryptioncontext:${key.toLowerCase()}`, value])),
  };
}
