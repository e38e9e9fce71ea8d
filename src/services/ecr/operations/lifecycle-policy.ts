/** PutLifecyclePolicy, GetLifecyclePolicy, DeleteLifecyclePolicy, and previews of what a policy would do. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { onRepository, requireRepository } from "../authorization.ts";
import { invalidParameter, lifecyclePolicyNotFound, lifecyclePreviewNotFound } from "../errors.ts";
import { expirations, parsedLifecyclePolicy } from "../lifecycle-policy.ts";
import { page } from "../paging.ts";
import { LIFECYCLE_KIND, lifecycleImages } from "../runner.ts";
import { updateRepository } from "../store.ts";
import { identity } from "./repositories.ts";

export const PutLifecyclePolicy: OperationOf<sdk.PutLifecyclePolicyCommand> = {
  authorize: onRepository("PutLifecyclePolicy"),
  async run(input, call) {
    const lifecyclePolicyText = input.lifecyclePolicyText ?? "";
    parsedLifecyclePolicy(lifecyclePolicyText);
    const repository = await inTransaction(call.db, async (trx) => {
      const found = await requireRepository(input, { ...call, db: trx });
      await updateRepository(trx, found.id, { lifecycle_policy: lifecyclePolicyText, lifecycle_evaluated_at: null });
      await call.system.work.schedule(trx, LIFECYCLE_KIND, found.id);
      return found;
    });
    call.system.work.wake();
    return { ...identity(repository), lifecyclePolicyText };
  },
};

export const GetLifecyclePolicy: OperationOf<sdk.GetLifecyclePolicyCommand> = {
  authorize: onRepository("GetLifecyclePolicy"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const { lifecyclePolicy, lifecycleEvaluatedAt } = repository;
    if (lifecyclePolicy === undefined) throw lifecyclePolicyNotFound(repository);
    return { ...identity(repository), lifecyclePolicyText: lifecyclePolicy, lastEvaluatedAt: lifecycleEvaluatedAt };
  },
};

export const DeleteLifecyclePolicy: OperationOf<sdk.DeleteLifecyclePolicyCommand> = {
  authorize: onRepository("DeleteLifecyclePolicy"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const { lifecyclePolicy, lifecycleEvaluatedAt } = repository;
    if (lifecyclePolicy === undefined) throw lifecyclePolicyNotFound(repository);
    await updateRepository(call.db, repository.id, { lifecycle_policy: null, lifecycle_evaluated_at: null });
    return { ...identity(repository), lifecyclePolicyText: lifecyclePolicy, lastEvaluatedAt: lifecycleEvaluatedAt };
  },
};

/** A preview as it is kept with its repository. */
interface Preview {
  readonly policyText: string;
  readonly results: readonly {
    readonly imageDigest: string;
    readonly imageTags: readonly string[];
    /** Epoch milliseconds. */
    readonly pushedAt: number;
    readonly rulePriority: number;
  }[];
}

/** Answers IN_PROGRESS as AWS does, though the preview is complete at once: clients wait for COMPLETE in any case. */
export const StartLifecyclePolicyPreview: OperationOf<sdk.StartLifecyclePolicyPreviewCommand> = {
  authorize: onRepository("StartLifecyclePolicyPreview"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const policyText = input.lifecyclePolicyText ?? repository.lifecyclePolicy;
    if (policyText === undefined) throw lifecyclePolicyNotFound(repository);
    const images = await lifecycleImages(call.db, repository.id);
    const byDigest = new Map(images.map((image) => [image.digest, image]));
    const preview: Preview = {
      policyText,
      results: expirations(parsedLifecyclePolicy(policyText), images, call.now).map(({ digest, rulePriority }) => {
        const { tags, pushedAt } = byDigest.get(digest)!;
        return { imageDigest: digest, imageTags: tags, pushedAt: pushedAt.getTime(), rulePriority };
      }),
    };
    await updateRepository(call.db, repository.id, { lifecycle_preview: JSON.stringify(preview) });
    return { ...identity(repository), lifecyclePolicyText: policyText, status: "IN_PROGRESS" };
  },
};

export const GetLifecyclePolicyPreview: OperationOf<sdk.GetLifecyclePolicyPreviewCommand> = {
  authorize: onRepository("GetLifecyclePolicyPreview"),
  async run(input, call) {
    if (input.imageIds && (input.nextToken !== undefined || input.maxResults !== undefined)) {
      throw invalidParameter("imageIds", "must not be specified together with 'nextToken' or 'maxResults'");
    }
    const repository = await requireRepository(input, call);
    if (repository.lifecyclePreview === undefined) throw lifecyclePreviewNotFound(repository);
    const { policyText, results } = JSON.parse(repository.lifecyclePreview) as Preview;
    const wanted = results
      .filter((result) => isWanted(result, input))
      .sort((a, b) => (a.imageDigest < b.imageDigest ? -1 : 1));
    const { items, nextToken } = page(wanted, ({ imageDigest }) => imageDigest, input);
    return {
      ...identity(repository),
      lifecyclePolicyText: policyText,
      status: "COMPLETE",
      nextToken,
      previewResults: items.map(({ imageDigest, imageTags, pushedAt, rulePriority }) => ({
        imageDigest,
        imageTags: [...imageTags],
        imagePushedAt: new Date(pushedAt),
        action: { type: "EXPIRE" },
        appliedRulePriority: rulePriority,
      })),
      summary: { expiringImageTotalCount: results.length },
    };
  },
};

function isWanted(
  { imageDigest, imageTags }: Preview["results"][number],
  { imageIds, filter }: sdk.GetLifecyclePolicyPreviewRequest,
): boolean {
  const status = filter?.tagStatus ?? "ANY";
  if (status !== "ANY" && (status === "TAGGED") !== imageTags.length > 0) return false;
  if (!imageIds) return true;
  return imageIds.some((id) => id.imageDigest === imageDigest || imageTags.includes(id.imageTag ?? ""));
}
