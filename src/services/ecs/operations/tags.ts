/** Tags of clusters, services, tasks and task definitions. */
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { clusterNotFound, invalidParameter, resourceNotFound } from "../errors.ts";
import { findCluster } from "../store/clusters.ts";
import { findService } from "../store/services.ts";
import { putTags, tagsOf } from "../store/tags.ts";
import { findTaskDefinition } from "../store/task-definitions.ts";
import { findTaskById } from "../store/tasks.ts";
import { checkedTags, requestTags } from "../tag-rules.ts";
import { parsedTaskDefinition } from "../task-definition-reference.ts";

export const TagResource: OperationOf<sdk.TagResourceCommand> = {
  authorize: { action: "ecs:TagResource", resources: (input) => [input.resourceArn!], context: requestTags },
  async run(input, call) {
    const arn = await requireResource(call, input.resourceArn!);
    const added = checkedTags(input.tags);
    const keys = new Set(added.map(({ key }) => key));
    await inTransaction(call.db, async (trx) => {
      const known = (await tagsOf(trx, [arn])).get(arn) ?? [];
      const managed = known.filter(({ key = "" }) => key.startsWith("aws:"));
      const own = known.filter(({ key = "" }) => !key.startsWith("aws:") && !keys.has(key));
      await putTags(trx, arn, [...managed, ...checkedTags([...own, ...added])]);
    });
    return {};
  },
};

export const UntagResource: OperationOf<sdk.UntagResourceCommand> = {
  authorize: {
    action: "ecs:UntagResource",
    resources: (input) => [input.resourceArn!],
    context: (input) => ({ "aws:tagkeys": input.tagKeys }),
  },
  async run(input, call) {
    const arn = await requireResource(call, input.resourceArn!);
    const keys = new Set(input.tagKeys);
    await inTransaction(call.db, async (trx) => {
      const known = (await tagsOf(trx, [arn])).get(arn) ?? [];
      await putTags(
        trx,
        arn,
        known.filter(({ key = "" }) => !keys.has(key)),
      );
    });
    return {};
  },
};

export const ListTagsForResource: OperationOf<sdk.ListTagsForResourceCommand> = {
  authorize: { action: "ecs:ListTagsForResource", resources: (input) => [input.resourceArn!] },
  async run(input, call) {
    const arn = await requireResource(call, input.resourceArn!);
    return { tags: (await tagsOf(call.db, [arn])).get(arn) ?? [] };
  },
};

/** The ARN of a resource that is there. */
async function requireResource(call: Call, arn: string): Promise<string> {
  const prefix = `arn:aws:ecs:${call.region}:${call.accountId}:`;
  if (!arn.startsWith(prefix)) throw invalidParameter("Invalid resource ARN.");
  const [kind, ...names] = arn.slice(prefix.length).split("/");
  if (kind === "cluster") {
    if ((await findCluster(call.db, call, names[0] ?? ""))?.status !== "ACTIVE") throw clusterNotFound();
    return arn;
  }
  if (!(await exists(call, kind ?? "", names, arn))) throw resourceNotFound();
  return arn;
}

async function exists(call: Call, kind: string, [cluster = "", name = ""]: string[], arn: string): Promise<boolean> {
  if (kind === "service") {
    const service = await findService(call.db, call, cluster, name);
    return service !== undefined && service.status !== "INACTIVE";
  }
  if (kind === "task") {
    const task = await findTaskById(call.db, name);
    return task?.accountId === call.accountId && task.region === call.region && task.cluster === cluster;
  }
  if (kind !== "task-definition") throw invalidParameter("Invalid resource ARN.");
  const parsed = parsedTaskDefinition(call, arn);
  return (
    parsed?.revision !== undefined && Boolean(await findTaskDefinition(call.db, call, parsed.family, parsed.revision))
  );
}
