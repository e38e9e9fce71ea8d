/** Tags of connections and hosts. */
import type * as sdk from "@aws-sdk/client-codestar-connections";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { noResource } from "../errors.ts";
import { namedResource } from "../lookup.ts";
import { parsedArn, type ResourceAddress, type Tags } from "../model.ts";
import { findConnection, findHost, updateTags } from "../store.ts";
import { mergedTags, requestTags } from "../tag-rules.ts";

export const TagResource: OperationOf<sdk.TagResourceCommand> = {
  authorize: {
    action: "codestar-connections:TagResource",
    resources: (input, call) => namedResource(input.ResourceArn!, call),
    context: (input) => requestTags(input.Tags),
  },
  async run(input, call) {
    const { address, tags } = await tagged(input.ResourceArn!, call);
    await updateTags(call.db, address, mergedTags(tags, input.Tags));
    return {};
  },
};

export const UntagResource: OperationOf<sdk.UntagResourceCommand> = {
  authorize: {
    action: "codestar-connections:UntagResource",
    resources: (input, call) => namedResource(input.ResourceArn!, call),
    context: (input) => ({ "aws:tagkeys": input.TagKeys }),
  },
  async run(input, call) {
    const { address, tags } = await tagged(input.ResourceArn!, call);
    const kept = Object.entries(tags).filter(([key]) => !input.TagKeys!.includes(key));
    await updateTags(call.db, address, Object.fromEntries(kept));
    return {};
  },
};

export const ListTagsForResource: OperationOf<sdk.ListTagsForResourceCommand> = {
  authorize: {
    action: "codestar-connections:ListTagsForResource",
    resources: (input, call) => namedResource(input.ResourceArn!, call),
  },
  async run(input, call) {
    const { tags } = await tagged(input.ResourceArn!, call);
    return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
  },
};

async function tagged(arn: string, call: Call): Promise<{ address: ResourceAddress; tags: Tags }> {
  const address = parsedArn(arn);
  if (!address || address.accountId !== call.accountId || address.region !== call.region) throw noResource(arn);
  const found = address.type === "host" ? await findHost(call.db, address) : await findConnection(call.db, address);
  if (!found) throw noResource(arn);
  return { address, tags: found.tags };
}
