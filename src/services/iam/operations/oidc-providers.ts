/**
 * OpenID Connect providers: issuers whose tokens AssumeRoleWithWebIdentity takes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
import * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import { ForbiddenAddressError, topThumbprint, UnreachableError } from "#gateway/federation/issuer-tls.ts";
import type { Authorization, OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { alreadyExists, invalidInput, noSuchEntity, overQuota, validationError } from "../errors.ts";
import { sortedTagList, type Tags } from "../model.ts";
import {
  deleteOidcProvider,
  findOidcProvider,
  insertOidcProvider,
  listOidcProviders,
  type OidcProvider,
  updateOidcProvider,
} from "../store/oidc-providers.ts";
import { requestTags, resourceTags } from "../tag-rules.ts";
import { changing, madeWithTags, pageOf } from "./support.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_PROVIDERS = 100;
const MAX_CLIENT_IDS = 100;
const MAX_THUMBPRINTS = 5;
const TIMEOUT_MS = 5_000;

function arnOf(accountId: string, url: string): string {
  return `arn:aws:iam::${accountId}:oidc-provider/${url}`;
}

/** undefined for what is no provider of the caller's account. */
async function find(db: Database, call: Call, arn: string): Promise<OidcProvider | undefined> {
  const prefix = arnOf(call.accountId, "");
  return arn.startsWith(prefix) ? findOidcProvider(db, call.accountId, arn.slice(prefix.length)) : undefined;
}

async function required(db: Database, call: Call, arn: string): Promise<OidcProvider> {
  const provider = await find(db, call, arn);
  if (!provider) throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
  return provider;
}

interface Named {
  readonly OpenIDConnectProviderArn: string | undefined;
}

function about<I extends Named>(
  action: string,
  context?: (input: NoInfer<I>) => ReturnType<typeof requestTags>,
): Authorization<I> {
  return {
    action: `iam:${action}`,
    resources: ({ OpenIDConnectProviderArn }) => [OpenIDConnectProviderArn!],
    ...(context && { context }),
  };
}

function change(call: Call, arn: string, to: (provider: OidcProvider) => Partial<OidcProvider>): Promise<object> {
  return changing(call, async (trx) => {
    const provider = await required(trx, call, arn);
    await updateOidcProvider(trx, { ...provider, ...to(provider) });
    return {};
  });
}

export const CreateOpenIDConnectProvider: OperationOf<sdk.CreateOpenIDConnectProviderCommand> = {
  authorize: madeWithTags("TagOpenIDConnectProvider", {
    action: "iam:CreateOpenIDConnectProvider",
    resources: ({ Url }, call) => [arnOf(call.accountId, withoutScheme(Url!))],
  }),
  async run(input, call) {
    const url = checkedUrl(input.Url!);
    const clientIds = checkedClientIds(input.ClientIDList ?? []);
    const tags = resourceTags.checked(input.Tags);
    const provider: OidcProvider = {
      accountId: call.accountId,
      url: withoutScheme(input.Url!),
      clientIds,
      thumbprints: input.ThumbprintList?.length
        ? checkedThumbprints(input.ThumbprintList)
        : [await retrievedThumbprint(call, url)],
      createdAt: call.now,
      tags,
    };
    await changing(call, async (trx) => {
      if (await findOidcProvider(trx, call.accountId, provider.url)) {
        throw alreadyExists(`Provider with url ${input.Url} already exists.`);
      }
      if ((await listOidcProviders(trx, call.accountId)).length >= MAX_PROVIDERS) {
        throw overQuota("OpenIdConnectProvidersPerAccount", MAX_PROVIDERS);
      }
      await insertOidcProvider(trx, provider);
    });
    return { OpenIDConnectProviderArn: arnOf(call.accountId, provider.url), ...tagsOf(tags) };
  },
};

export const GetOpenIDConnectProvider: OperationOf<sdk.GetOpenIDConnectProviderCommand> = {
  authorize: about("GetOpenIDConnectProvider"),
  async run(input, call) {
    const provider = await required(call.db, call, input.OpenIDConnectProviderArn!);
    return {
      Url: provider.url,
      ClientIDList: [...provider.clientIds],
      ThumbprintList: [...provider.thumbprints],
      CreateDate: provider.createdAt,
      ...tagsOf(provider.tags),
    };
  },
};

export const ListOpenIDConnectProviders: OperationOf<sdk.ListOpenIDConnectProvidersCommand> = {
  authorize: { action: "iam:ListOpenIDConnectProviders", resources: () => ["*"] },
  async run(_input, call) {
    const providers = await listOidcProviders(call.db, call.accountId);
    return { OpenIDConnectProviderList: providers.map(({ accountId, url }) => ({ Arn: arnOf(accountId, url) })) };
  },
};

/** "It does not fail or return an error if you call the operation for a provider that does not exist." */
export const DeleteOpenIDConnectProvider: OperationOf<sdk.DeleteOpenIDConnectProviderCommand> = {
  authorize: about("DeleteOpenIDConnectProvider"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const provider = await find(trx, call, input.OpenIDConnectProviderArn!);
      if (provider) await deleteOidcProvider(trx, call.accountId, provider.url);
    });
    return {};
  },
};

/** "It does not fail or return an error if you add an existing client ID to the provider." */
export const AddClientIDToOpenIDConnectProvider: OperationOf<sdk.AddClientIDToOpenIDConnectProviderCommand> = {
  authorize: about("AddClientIDToOpenIDConnectProvider"),
  run: (input, call) =>
    change(call, input.OpenIDConnectProviderArn!, ({ clientIds }) => ({
      clientIds: checkedClientIds([...clientIds, input.ClientID!]),
    })),
};

/** "It does not fail or return an error if you try to remove a client ID that does not exist." */
export const RemoveClientIDFromOpenIDConnectProvider: OperationOf<sdk.RemoveClientIDFromOpenIDConnectProviderCommand> =
  {
    authorize: about("RemoveClientIDFromOpenIDConnectProvider"),
    run: (input, call) =>
      change(call, input.OpenIDConnectProviderArn!, ({ clientIds }) => ({
        clientIds: clientIds.filter((id) => id !== input.ClientID),
      })),
  };

export const UpdateOpenIDConnectProviderThumbprint: OperationOf<sdk.UpdateOpenIDConnectProviderThumbprintCommand> = {
  authorize: about("UpdateOpenIDConnectProviderThumbprint"),
  run: (input, call) =>
    change(call, input.OpenIDConnectProviderArn!, () => ({ thumbprints: checkedThumbprints(input.ThumbprintList!) })),
};

export const TagOpenIDConnectProvider: OperationOf<sdk.TagOpenIDConnectProviderCommand> = {
  authorize: about("TagOpenIDConnectProvider", ({ Tags }) => requestTags(Tags)),
  run: (input, call) =>
    change(call, input.OpenIDConnectProviderArn!, ({ tags }) => ({ tags: resourceTags.added(tags, input.Tags) })),
};

export const UntagOpenIDConnectProvider: OperationOf<sdk.UntagOpenIDConnectProviderCommand> = {
  authorize: about("UntagOpenIDConnectProvider", ({ TagKeys }) => ({ "aws:tagkeys": TagKeys })),
  run: (input, call) =>
    change(call, input.OpenIDConnectProviderArn!, ({ tags }) => ({ tags: resourceTags.without(tags, input.TagKeys!) })),
};

export const ListOpenIDConnectProviderTags: OperationOf<sdk.ListOpenIDConnectProviderTagsCommand> = {
  authorize: about("ListOpenIDConnectProviderTags"),
  async run(input, call) {
    const { tags } = await required(call.db, call, input.OpenIDConnectProviderArn!);
    const { items, ...rest } = await pageOf(input, sortedTagList(tags), ({ Key }) => Key!);
    return { Tags: items, ...rest };
  },
};

function tagsOf(tags: Tags): { Tags?: sdk.Tag[] } {
  return tags.size === 0 ? {} : { Tags: sortedTagList(tags) };
}

function withoutScheme(url: string): string {
  return url.replace(/^https:\/\//i, "");
}

/**
 * "The URL must begin with https:// […] path components are allowed but query parameters are not." A port, which AWS refuses,
 * is taken: an issuer of one's own machine rarely has 443. The text counts as it is: a slash at its end is part of it.
 */
function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.host) throw validationError("Invalid Open ID Connect Provider URL");
  if (url.protocol !== "https:") {
    throw invalidInput("Invalid Open ID Connect Provider URL. The URL must begin with https://.");
  }
  if (url.username || url.password || /[?#\s]/.test(text)) throw invalidInput("Invalid Open ID Connect Provider URL.");
  return url;
}

function checkedClientIds(ids: readonly string[]): readonly string[] {
  const unique = [...new Set(ids)];
  if (unique.length > MAX_CLIENT_IDS) throw overQuota("ClientIdsPerOpenIdConnectProvider", MAX_CLIENT_IDS);
  return unique;
}

function checkedThumbprints(thumbprints: readonly string[]): readonly string[] {
  if (thumbprints.length > MAX_THUMBPRINTS) {
    throw invalidInput(`Thumbprint list must contain fewer than ${MAX_THUMBPRINTS} entries.`);
  }
  return thumbprints.map((thumbprint) => thumbprint.toLowerCase());
}

/** "If it is not included, IAM will retrieve and use the top intermediate certificate authority (CA) thumbprint." */
async function retrievedThumbprint({ system }: Call, url: URL): Promise<string> {
  try {
    return await topThumbprint(url, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof ForbiddenAddressError)) throw error;
    // Why is for who runs Slipway: the caller would learn from it what there is around it.
    system.log("info", "the certificate of an issuer was not retrieved", { issuer: url.origin, error: String(error) });
    const message = `The certificate of ${url.origin} could not be retrieved; pass its thumbprint in ThumbprintList.`;
    throw new sdk.OpenIdIdpCommunicationErrorException({ message, $metadata: {} });
  }
}
