/** Aliases. https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html */
import type * as sdk from "@aws-sdk/client-kms";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, OperationOf } from "#gateway/operation.ts";
import { aliasNotFound, aliasTaken, notAuthorized, unusable, validationException } from "../errors.ts";
import { compiledKeyPolicy, keyContext, requiredKey } from "../key-access.ts";
import { type Alias, aliasArn, type Key, keyArn, toAliasEntry } from "../model.ts";
import { page } from "../paging.ts";
import { deleteAlias, findAlias, insertAlias, listAliases, updateAlias } from "../store.ts";

const LISTED = 50;

/** The alias needs an IAM policy; the key, which `requireOnKey` asks about, its key policy. */
function onAlias<I extends { AliasName: string | undefined }>(action: string): Authorization<I> {
  return { action: `kms:${action}`, resources: (input, call) => [aliasArn(call, input.AliasName!)] };
}

async function requireOnKey(call: Call, action: string, key: Key): Promise<void> {
  await requireAccess(call, {
    action: `kms:${action}`,
    resource: keyArn(key),
    context: keyContext(call, key),
    resourcePolicy: compiledKeyPolicy(key),
    resourcePolicyRequired: true,
    awsManaged: key.manager === "AWS",
  });
}

/** Throws ValidationException, or NotAuthorized for the names of AWS's own. */
function requireCustomerAlias(name: string): void {
  if (!name.startsWith("alias/") || name === "alias/") {
    throw validationException(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.startsWith("alias/aws/")) throw notAuthorized("The aliases alias/aws/… are reserved for AWS managed keys.");
}

/** An alias leads to a key of the same account, never to another alias. */
async function targetKey(call: Call, targetKeyId: string): Promise<Key> {
  if (/(^|:)alias\//.test(targetKeyId)) throw validationException("Aliases must refer to keys. Not aliases");
  const key = await requiredKey(call, targetKeyId);
  if (key.state === "PendingDeletion") throw unusable(keyArn(key), key.state);
  return key;
}

async function existing(call: Call, name: string): Promise<Alias> {
  const alias = await findAlias(call.db, call, name);
  if (!alias) throw aliasNotFound(aliasArn(call, name));
  return alias;
}

export const CreateAlias: OperationOf<sdk.CreateAliasCommand> = {
  authorize: onAlias("CreateAlias"),
  async run(input, call) {
    const name = input.AliasName!;
    requireCustomerAlias(name);
    const key = await targetKey(call, input.TargetKeyId!);
    await requireOnKey(call, "CreateAlias", key);
    const { accountId, region, now } = call;
    const alias: Alias = { accountId, region, name, keyId: key.id, createdAt: now, updatedAt: now };
    if (!(await insertAlias(call.db, alias))) throw aliasTaken(aliasArn(call, name));
    return {};
  },
};

export const UpdateAlias: OperationOf<sdk.UpdateAliasCommand> = {
  authorize: onAlias("UpdateAlias"),
  async run(input, call) {
    requireCustomerAlias(input.AliasName!);
    const alias = await existing(call, input.AliasName!);
    const key = await targetKey(call, input.TargetKeyId!);
    // Both the key that loses the alias and the one that gets it must allow.
    await requireOnKey(call, "UpdateAlias", await requiredKey(call, alias.keyId));
    await requireOnKey(call, "UpdateAlias", key);
    await updateAlias(call.db, { ...alias, keyId: key.id, updatedAt: call.now });
    return {};
  },
};

export const DeleteAlias: OperationOf<sdk.DeleteAliasCommand> = {
  authorize: onAlias("DeleteAlias"),
  async run(input, call) {
    requireCustomerAlias(input.AliasName!);
    const alias = await existing(call, input.AliasName!);
    await requireOnKey(call, "DeleteAlias", await requiredKey(call, alias.keyId));
    await deleteAlias(call.db, alias);
    return {};
  },
};

export const ListAliases: OperationOf<sdk.ListAliasesCommand> = {
  authorize: { action: "kms:ListAliases", resources: () => ["*"] },
  async run(input, call) {
    const keyId = input.KeyId === undefined ? undefined : (await requiredKey(call, input.KeyId)).id;
    const { items, ...rest } = await page(
      input,
      LISTED,
      (slice) => listAliases(call.db, call, keyId, slice),
      ({ name }) => name,
    );
    return { Aliases: items.map(toAliasEntry), ...rest };
  },
};
