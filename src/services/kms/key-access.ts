/** Which key a request means, and what its key policy says. */
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { ensureAwsManagedKey, isAwsManagedAlias } from "./aws-managed-keys.ts";
import { aliasNotFound, invalidArn, invalidKeyId, keyNotFound, unusable } from "./errors.ts";
import { aliasArn, type Key, keyArn, type Place } from "./model.ts";
import { findAlias, findKey } from "./store.ts";

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

export function compiledKeyPolicy(key: Key): CompiledPolicy {
  return compilePolicy(parsePolicy(key.policy, "resource"));
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
  return {
    action: `kms:${action}`,
    resources: async (input, call) => [keyArn(await requiredKey(call, keyIdOf(input)))],
    context: async (input, call) => ({
      ...keyContext(call, await requiredKey(call, keyIdOf(input)), keyIdOf(input)),
      ...context?.(input),
    }),
    resourcePolicy: async (_arn, input, call) => compiledKeyPolicy(await requiredKey(call, keyIdOf(input))),
    resourcePolicyRequired: true,
    awsManaged: async (_arn, input, call) => (await requiredKey(call, keyIdOf(input))).manager === "AWS",
  };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
export function keyContext(call: Call, key: Key, keyId?: string): ContextKeys {
  const { principal } = call;
  const alias = keyId === undefined ? undefined : /(?:^|:)(alias\/.+)$/.exec(keyId)?.[1];
  return {
    "kms:calleraccount": principal.accountId,
    "kms:keyspec": "SYMMETRIC_DEFAULT",
    "kms:keyusage": "ENCRYPT_DECRYPT",
    "kms:keyorigin": "AWS_KMS",
    ...(alias !== undefined && { "kms:requestalias": alias }),
    // A service that acts for itself is the one through which the key is used.
    ...(principal.service !== undefined && {
      "kms:viaservice": principal.service.replace(/\.amazonaws\.com$/, `.${call.region}.amazonaws.com`),
    }),
    ...Object.fromEntries(Array.from(key.tags, ([name, value]) => [`aws:resourcetag/${name.toLowerCase()}`, value])),
  };
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
