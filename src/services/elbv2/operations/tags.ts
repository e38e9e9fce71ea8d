/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { validationError } from "../errors.ts";
import { existingListener, existingLoadBalancer, existingRule, existingTargetGroup } from "../lookup.ts";
import { kindOf, type ResourceKind } from "../model.ts";
import { findTags, putTags, removeTags } from "../store/tags.ts";
import { requestTags, requireFewTags, toTagList, toTags } from "../tagging.ts";

/** DescribeTags takes that many at once. */
const MAX_DESCRIBED = 20;

export const AddTags: OperationOf<sdk.AddTagsCommand> = {
  authorize: {
    action: "elasticloadbalancing:AddTags",
    resources: (input) => input.ResourceArns!,
    context: requestTags,
  },
  async run(input, call) {
    const tags = toTags(input.Tags);
    await requireResources(call, input.ResourceArns!);
    await inTransaction(call.db, async (trx) => {
      for (const arn of input.ResourceArns!) {
        requireFewTags({ ...(await findTags(trx, arn)), ...tags });
        await putTags(trx, arn, tags);
      }
    });
    return {};
  },
};

export const RemoveTags: OperationOf<sdk.RemoveTagsCommand> = {
  authorize: {
    action: "elasticloadbalancing:RemoveTags",
    resources: (input) => input.ResourceArns!,
    context: (input) => ({ "aws:tagkeys": input.TagKeys }),
  },
  async run(input, call) {
    await requireResources(call, input.ResourceArns!);
    await inTransaction(call.db, async (trx) => {
      for (const arn of input.ResourceArns!) await removeTags(trx, arn, input.TagKeys!);
    });
    return {};
  },
};

export const DescribeTags: OperationOf<sdk.DescribeTagsCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeTags", resources: () => ["*"] },
  async run(input, call) {
    const arns = input.ResourceArns!;
    if (arns.length > MAX_DESCRIBED) {
      throw validationError(`Cannot have more than ${MAX_DESCRIBED} resources described`);
    }
    await requireResources(call, arns);
    const descriptions: sdk.TagDescription[] = [];
    for (const arn of arns) {
      descriptions.push({ ResourceArn: arn, Tags: toTagList(await findTags(call.db, arn)) });
    }
    return { TagDescriptions: descriptions };
  },
};

const LOOKUPS: Readonly<Record<ResourceKind, (call: Call, arn: string) => Promise<unknown>>> = {
  "load balancer": existingLoadBalancer,
  "target group": existingTargetGroup,
  listener: existingListener,
  "listener rule": existingRule,
};

/** Throws the not-found error of the resource's kind, or ValidationError where the ARN is of none. */
async function requireResources(call: Call, arns: readonly string[]): Promise<void> {
  for (const arn of arns) {
    const kind = kindOf(call.region, arn);
    if (!kind) throw validationError(`'${arn}' is not a valid resource ARN`);
    await LOOKUPS[kind](call, arn);
  }
}
