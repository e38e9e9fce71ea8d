/**
 * SAML providers: whose assertions AssumeRoleWithSAML takes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html
 */
import { createPrivateKey } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import { parseSamlMetadata, type SamlMetadata } from "#gateway/federation/saml-metadata.ts";
import { XmlError } from "#gateway/federation/xml.ts";
import type { Authorization, OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { alreadyExists, invalidInput, limitExceeded, noSuchEntity, overQuota } from "../errors.ts";
import { newSamlId } from "../ids.ts";
import { sortedTagList, type Tags } from "../model.ts";
import { SAML_KEY_PURPOSE } from "../saml-keys.ts";
import {
  deleteSamlProvider,
  findSamlProvider,
  insertSamlProvider,
  listSamlProviders,
  type SamlPrivateKey,
  type SamlProvider,
  updateSamlProvider,
} from "../store/saml-providers.ts";
import { requestTags, resourceTags } from "../tag-rules.ts";
import { changing, madeWithTags, pageOf } from "./support.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_PROVIDERS = 100;
/** "IAM and STS" keep two, so that one can be rotated out. */
const MAX_PRIVATE_KEYS = 2;
const YEARS_WITHOUT_END = 100;

function arnOf(accountId: string, name: string): string {
  return `arn:aws:iam::${accountId}:saml-provider/${name}`;
}

/** undefined for what is no provider of the caller's account. */
async function find(db: Database, call: Call, arn: string): Promise<SamlProvider | undefined> {
  const prefix = arnOf(call.accountId, "");
  return arn.startsWith(prefix) ? findSamlProvider(db, call.accountId, arn.slice(prefix.length)) : undefined;
}

async function required(db: Database, call: Call, arn: string): Promise<SamlProvider> {
  const provider = await find(db, call, arn);
  if (!provider) throw noSuchEntity(`Manifest not found for arn ${arn}`);
  return provider;
}

function about<I extends { readonly SAMLProviderArn: string | undefined }>(
  action: string,
  context?: (input: NoInfer<I>) => ReturnType<typeof requestTags>,
): Authorization<I> {
  return {
    action: `iam:${action}`,
    resources: ({ SAMLProviderArn }) => [SAMLProviderArn!],
    ...(context && { context }),
  };
}

function changeTags(call: Call, arn: string, to: (tags: Tags) => Tags): Promise<object> {
  return changing(call, async (trx) => {
    const provider = await required(trx, call, arn);
    await updateSamlProvider(trx, { ...provider, tags: to(provider.tags) });
    return {};
  });
}

export const CreateSAMLProvider: OperationOf<sdk.CreateSAMLProviderCommand> = {
  authorize: madeWithTags("TagSAMLProvider", {
    action: "iam:CreateSAMLProvider",
    resources: ({ Name }, call) => [arnOf(call.accountId, Name!)],
  }),
  async run(input, call) {
    const { validUntil } = checkedMetadata(input.SAMLMetadataDocument!);
    const provider: SamlProvider = {
      accountId: call.accountId,
      name: input.Name!,
      id: newSamlId("provider"),
      metadata: input.SAMLMetadataDocument!,
      createdAt: call.now,
      validUntil: validUntil ?? withoutEnd(call.now),
      encryptionMode: input.AssertionEncryptionMode,
      privateKeys: input.AddPrivateKey === undefined ? [] : [sealedKey(call, input.AddPrivateKey)],
      tags: resourceTags.checked(input.Tags),
    };
    requireKeyForEncryption(provider);
    await changing(call, async (trx) => {
      if (await findSamlProvider(trx, call.accountId, provider.name)) {
        throw alreadyExists(`Provider with name ${provider.name} already exists.`);
      }
      if ((await listSamlProviders(trx, call.accountId)).length >= MAX_PROVIDERS) {
        throw overQuota("SAMLProvidersPerAccount", MAX_PROVIDERS);
      }
      await insertSamlProvider(trx, provider);
    });
    return { SAMLProviderArn: arnOf(call.accountId, provider.name), ...tagsOf(provider) };
  },
};

export const GetSAMLProvider: OperationOf<sdk.GetSAMLProviderCommand> = {
  authorize: about("GetSAMLProvider"),
  async run(input, call) {
    const provider = await required(call.db, call, input.SAMLProviderArn!);
    const { privateKeys, encryptionMode } = provider;
    return {
      SAMLProviderUUID: provider.id,
      SAMLMetadataDocument: provider.metadata,
      CreateDate: provider.createdAt,
      ValidUntil: provider.validUntil,
      ...(encryptionMode && { AssertionEncryptionMode: encryptionMode }),
      ...(privateKeys.length > 0 && {
        PrivateKeyList: privateKeys.map(({ keyId, addedAt }) => ({ KeyId: keyId, Timestamp: new Date(addedAt) })),
      }),
      ...tagsOf(provider),
    };
  },
};

export const ListSAMLProviders: OperationOf<sdk.ListSAMLProvidersCommand> = {
  authorize: { action: "iam:ListSAMLProviders", resources: () => ["*"] },
  async run(_input, call) {
    const providers = await listSamlProviders(call.db, call.accountId);
    return {
      SAMLProviderList: providers.map(({ accountId, name, createdAt, validUntil }) => ({
        Arn: arnOf(accountId, name),
        ValidUntil: validUntil,
        CreateDate: createdAt,
      })),
    };
  },
};

/** The errors' words: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html */
export const UpdateSAMLProvider: OperationOf<sdk.UpdateSAMLProviderCommand> = {
  authorize: about("UpdateSAMLProvider"),
  async run(input, call) {
    const { SAMLMetadataDocument, AssertionEncryptionMode, AddPrivateKey, RemovePrivateKey } = input;
    if (AddPrivateKey !== undefined && RemovePrivateKey !== undefined) {
      throw invalidInput(
        "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.",
      );
    }
    if (
      [SAMLMetadataDocument, AssertionEncryptionMode, AddPrivateKey, RemovePrivateKey].every((x) => x === undefined)
    ) {
      throw invalidInput(
        "Unable to update identity provider. No updates are defined for metadata or encryption assertion.",
      );
    }
    const metadata = SAMLMetadataDocument === undefined ? undefined : checkedMetadata(SAMLMetadataDocument);
    const added = AddPrivateKey === undefined ? undefined : sealedKey(call, AddPrivateKey);
    await changing(call, async (trx) => {
      const provider = await required(trx, call, input.SAMLProviderArn!);
      const changed: SamlProvider = {
        ...provider,
        ...(metadata && {
          metadata: SAMLMetadataDocument!,
          validUntil: metadata.validUntil ?? withoutEnd(provider.createdAt),
        }),
        encryptionMode: AssertionEncryptionMode ?? provider.encryptionMode,
        privateKeys: changedKeys(provider.privateKeys, added, RemovePrivateKey),
      };
      requireKeyForEncryption(changed);
      await updateSamlProvider(trx, changed);
    });
    return { SAMLProviderArn: input.SAMLProviderArn! };
  },
};

export const DeleteSAMLProvider: OperationOf<sdk.DeleteSAMLProviderCommand> = {
  authorize: about("DeleteSAMLProvider"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const provider = await required(trx, call, input.SAMLProviderArn!);
      await deleteSamlProvider(trx, call.accountId, provider.name);
    });
    return {};
  },
};

export const TagSAMLProvider: OperationOf<sdk.TagSAMLProviderCommand> = {
  authorize: about("TagSAMLProvider", ({ Tags }) => requestTags(Tags)),
  run: (input, call) => changeTags(call, input.SAMLProviderArn!, (tags) => resourceTags.added(tags, input.Tags)),
};

export const UntagSAMLProvider: OperationOf<sdk.UntagSAMLProviderCommand> = {
  authorize: about("UntagSAMLProvider", ({ TagKeys }) => ({ "aws:tagkeys": TagKeys })),
  run: (input, call) => changeTags(call, input.SAMLProviderArn!, (tags) => resourceTags.without(tags, input.TagKeys!)),
};

export const ListSAMLProviderTags: OperationOf<sdk.ListSAMLProviderTagsCommand> = {
  authorize: about("ListSAMLProviderTags"),
  async run(input, call) {
    const { tags } = await required(call.db, call, input.SAMLProviderArn!);
    const { items, ...rest } = await pageOf(input, sortedTagList(tags), ({ Key }) => Key!);
    return { Tags: items, ...rest };
  },
};

function tagsOf({ tags }: SamlProvider): { Tags?: sdk.Tag[] } {
  return tags.size === 0 ? {} : { Tags: sortedTagList(tags) };
}

function checkedMetadata(document: string): SamlMetadata {
  try {
    return parseSamlMetadata(document);
  } catch (error) {
    if (error instanceof XmlError) throw invalidInput("Could not parse metadata");
    throw error;
  }
}

/** What AWS gives as the end of metadata that has none. */
function withoutEnd(from: Date): Date {
  const end = new Date(from);
  end.setUTCFullYear(end.getUTCFullYear() + YEARS_WITHOUT_END);
  return end;
}

function sealedKey(call: Call, pem: string): SamlPrivateKey {
  try {
    if (createPrivateKey(pem).asymmetricKeyType !== "rsa") throw new Error("it is no RSA key");
  } catch {
    throw invalidInput("Invalid private key.");
  }
  const sealed = call.system.cipher.seal(SAML_KEY_PURPOSE, pem);
  return { keyId: newSamlId("private key"), addedAt: call.now.getTime(), sealed };
}

function changedKeys(
  keys: readonly SamlPrivateKey[],
  added: SamlPrivateKey | undefined,
  removedId: string | undefined,
): readonly SamlPrivateKey[] {
  if (removedId !== undefined && !keys.some(({ keyId }) => keyId === removedId)) {
    throw invalidInput("Failed to remove private key because the Key ID does not match a private key.");
  }
  const kept = keys.filter(({ keyId }) => keyId !== removedId);
  if (!added) return kept;
  if (kept.length >= MAX_PRIVATE_KEYS) throw limitExceeded(`Private key limit of ${MAX_PRIVATE_KEYS} is reached.`);
  return [...kept, added];
}

function requireKeyForEncryption({ encryptionMode, privateKeys }: SamlProvider): void {
  if (encryptionMode === "Required" && privateKeys.length === 0) {
    throw invalidInput("Unable to set assertion encryption mode to Required because no private key is provided.");
  }
}
