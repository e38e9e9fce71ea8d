/** Tags of log groups, by ARN and in the older form by name. */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidParameter, tooManyTags } from "../errors.ts";
import { existingLogGroup, groupResources, namedLogGroup, taggedResources } from "../lookup.ts";
import { type LogGroup, parsedLogGroupArn } from "../model.ts";
import { updateLogGroup } from "../store.ts";
import { requestTags } from "../tag-keys.ts";

const MAX_TAGS = 50;

export const TagResource: OperationOf<sdk.TagResourceCommand> = {
  authorize: { action: "logs:TagResource", resources: taggedResources, context: requestTags },
  async run(input, call) {
    await addTags(await taggedGroup(input.resourceArn!, call), input.tags!, call);
    return {};
  },
};

export const UntagResource: OperationOf<sdk.UntagResourceCommand> = {
  authorize: {
    action: "logs:UntagResource",
    resources: taggedResources,
    context: (input) => ({ "aws:tagkeys": input.tagKeys }),
  },
  async run(input, call) {
    await removeTags(await taggedGroup(input.resourceArn!, call), input.tagKeys!, call);
    return {};
  },
};

export const ListTagsForResource: OperationOf<sdk.ListTagsForResourceCommand> = {
  authorize: { action: "logs:ListTagsForResource", resources: taggedResources },
  async run(input, call) {
    return { tags: { ...(await taggedGroup(input.resourceArn!, call)).tags } };
  },
};

export const TagLogGroup: OperationOf<sdk.TagLogGroupCommand> = {
  authorize: { action: "logs:TagLogGroup", resources: groupResources, context: requestTags },
  async run(input, call) {
    await addTags(await existingLogGroup(namedLogGroup(input, call), call), input.tags!, call);
    return {};
  },
};

export const UntagLogGroup: OperationOf<sdk.UntagLogGroupCommand> = {
  authorize: {
    action: "logs:UntagLogGroup",
    resources: groupResources,
    context: (input) => ({ "aws:tagkeys": input.tags }),
  },
  async run(input, call) {
    await removeTags(await existingLogGroup(namedLogGroup(input, call), call), input.tags!, call);
    return {};
  },
};

export const ListTagsLogGroup: OperationOf<sdk.ListTagsLogGroupCommand> = {
  authorize: { action: "logs:ListTagsLogGroup", resources: groupResources },
  async run(input, call) {
    return { tags: { ...(await existingLogGroup(namedLogGroup(input, call), call)).tags } };
  },
};

async function taggedGroup(arn: string, call: Call): Promise<LogGroup> {
  const address = parsedLogGroupArn(arn);
  if (!address) throw invalidParameter("The specified resourceArn is not the ARN of a log group.");
  return existingLogGroup(address, call);
}

async function addTags(group: LogGroup, added: Readonly<Record<string, string>>, call: Call): Promise<void> {
  const tags = { ...group.tags, ...added };
  if (Object.keys(tags).length > MAX_TAGS) throw tooManyTags(group.name);
  await updateLogGroup(call.db, group.id, { tags });
}

async function removeTags(group: LogGroup, keys: readonly string[], call: Call): Promise<void> {
  const tags = Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key)));
  await updateLogGroup(call.db, group.id, { tags });
}
