/** Tags given with a request. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Tag.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import { duplicateTagKeys, tooManyTags, validationError } from "./errors.ts";
import type { Tags } from "./store/tags.ts";

const MAX_TAGS = 50;

export function toTags(given: readonly sdk.Tag[] | undefined): Tags {
  const tags: Record<string, string> = {};
  for (const { Key = "", Value = "" } of given ?? []) {
    if (Object.hasOwn(tags, Key)) throw duplicateTagKeys(Key);
    if (/^aws:/i.test(Key)) throw validationError(`Tag key '${Key}' cannot begin with 'aws:'`);
    tags[Key] = Value;
  }
  requireFewTags(tags);
  return tags;
}

export function requireFewTags(tags: Tags): void {
  if (Object.keys(tags).length > MAX_TAGS) throw tooManyTags();
}

export function toTagList(tags: Tags): sdk.Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/**
 * What policies can ask of what a request makes or changes.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/security_iam_service-with-iam.html
 */
export function requestKeys(
  input: Pick<sdk.CreateLoadBalancerCommandInput, "SecurityGroups" | "Subnets" | "SubnetMappings"> &
    Pick<sdk.ModifyListenerCommandInput, "Protocol" | "SslPolicy">,
): ContextKeys {
  const subnets = input.Subnets ?? input.SubnetMappings?.map(({ SubnetId }) => SubnetId ?? "");
  return {
    "elasticloadbalancing:listenerprotocol": input.Protocol && [input.Protocol],
    "elasticloadbalancing:securitygroup": input.SecurityGroups,
    "elasticloadbalancing:securitypolicy": input.SslPolicy && [input.SslPolicy],
    "elasticloadbalancing:subnet": subnets,
  };
}

/** The condition keys of requests that carry tags. */
export function requestTags(input: { readonly Tags?: readonly sdk.Tag[] | undefined }): ContextKeys {
  const given = input.Tags ?? [];
  return {
    ...Object.fromEntries(given.map(({ Key = "", Value = "" }) => [`aws:requesttag/${Key.toLowerCase()}`, Value])),
    "aws:tagkeys": given.map(({ Key = "" }) => Key),
  };
}

/**
 * Creating a resource with tags needs AddTags too.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tagging-resources-during-creation.html
 */
export async function requireTagging(
  call: Call,
  operation: string,
  resource: string,
  input: { readonly Tags?: readonly sdk.Tag[] | undefined },
): Promise<void> {
  if (!input.Tags || input.Tags.length === 0) return;
  const context = { ...requestTags(input), "elasticloadbalancing:createaction": operation };
  await requireAccess(call, { action: "elasticloadbalancing:AddTags", resource, context });
}
