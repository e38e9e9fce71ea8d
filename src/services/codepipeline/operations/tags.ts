/** Tags of pipelines. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidArn, resourceNotFound } from "../errors.ts";
import { type Pipeline, parsedPipelineArn } from "../model.ts";
import { pageOf, placeOf } from "../paging.ts";
import { findPipeline, updateTags } from "../store.ts";
import { mergedTags, requestTags } from "../tag-rules.ts";

const DEFAULT_PAGE = 100;

export const TagResource: OperationOf<sdk.TagResourceCommand> = {
  authorize: {
    action: "codepipeline:TagResource",
    resources: (input) => [input.resourceArn!],
    context: ({ tags }) => requestTags(tags),
  },
  async run(input, call) {
    const pipeline = await taggedPipeline(input.resourceArn!, call);
    await updateTags(call.db, pipeline.id, mergedTags(pipeline.tags, input.tags));
    return {};
  },
};

export const UntagResource: OperationOf<sdk.UntagResourceCommand> = {
  authorize: {
    action: "codepipeline:UntagResource",
    resources: (input) => [input.resourceArn!],
    context: ({ tagKeys }) => ({ "aws:tagkeys": tagKeys }),
  },
  async run(input, call) {
    const pipeline = await taggedPipeline(input.resourceArn!, call);
    const kept = Object.entries(pipeline.tags).filter(([key]) => !input.tagKeys!.includes(key));
    await updateTags(call.db, pipeline.id, Object.fromEntries(kept));
    return {};
  },
};

export const ListTagsForResource: OperationOf<sdk.ListTagsForResourceCommand> = {
  authorize: { action: "codepipeline:ListTagsForResource", resources: (input) => [input.resourceArn!] },
  async run(input, call) {
    const { tags } = await taggedPipeline(input.resourceArn!, call);
    const after = placeOf<string>("tags", "string", input.nextToken);
    const size = input.maxResults ?? DEFAULT_PAGE;
    const found = Object.entries(tags)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .filter(([key]) => after === undefined || key > after);
    const { items, nextToken } = pageOf("tags", found, size, ([key]) => key);
    return { tags: items.map(([key, value]) => ({ key, value })), nextToken };
  },
};

async function taggedPipeline(arn: string, call: Call): Promise<Pipeline> {
  const address = parsedPipelineArn(arn);
  if (!address) throw invalidArn(arn);
  const ours = address.accountId === call.accountId && address.region === call.region;
  const pipeline = ours ? await findPipeline(call.db, call, address.name) : undefined;
  if (!pipeline) throw resourceNotFound(arn);
  return pipeline;
}
