/** TagResource, UntagResource, ListTagsForResource. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys, OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { onRepositories, requestTagKeys } from "../authorization.ts";
import { invalidParameter, repositoryNotFound } from "../errors.ts";
import { parsedRepositoryArn } from "../model.ts";
import { findRepository, lockRepository, type Repository, updateRepository } from "../store.ts";
import { withoutTags, withTags } from "../tags.ts";

interface ResourceInput {
  readonly resourceArn: string | undefined;
}

function onResource<I extends ResourceInput>(action: string, request?: (input: I) => ContextKeys) {
  return onRepositories<I>(action, ({ resourceArn = "" }) => [resourceArn], request);
}

async function requireResource(
  { resourceArn = "" }: ResourceInput,
  call: Pick<Call, "db" | "region">,
): Promise<Repository> {
  const name = parsedRepositoryArn(resourceArn);
  // A request goes to the region of its endpoint, whatever its ARN says.
  if (!name || name.region !== call.region) throw invalidParameter("resourceArn", "Invalid ARN");
  const repository = await findRepository(call.db, name);
  if (!repository) throw repositoryNotFound(name);
  return repository;
}

export const TagResource: OperationOf<sdk.TagResourceCommand> = {
  authorize: onResource("TagResource", (input: sdk.TagResourceRequest) => requestTagKeys(input.tags)),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const repository = await requireResource(input, { db: trx, region: call.region });
      await lockRepository(trx, repository.id);
      const tags = withTags(repository.tags, input.tags ?? []);
      await updateRepository(trx, repository.id, { tags: JSON.stringify(tags) });
    });
    return {};
  },
};

export const UntagResource: OperationOf<sdk.UntagResourceCommand> = {
  authorize: onResource("UntagResource", (input: sdk.UntagResourceRequest) => ({ "aws:tagkeys": input.tagKeys ?? [] })),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const repository = await requireResource(input, { db: trx, region: call.region });
      await lockRepository(trx, repository.id);
      const tags = withoutTags(repository.tags, input.tagKeys ?? []);
      await updateRepository(trx, repository.id, { tags: JSON.stringify(tags) });
    });
    return {};
  },
};

export const ListTagsForResource: OperationOf<sdk.ListTagsForResourceCommand> = {
  authorize: onResource("ListTagsForResource"),
  async run(input, call) {
    const { tags } = await requireResource(input, call);
    return { tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
  },
};
