/** BatchGetImage, BatchDeleteImage, DescribeImages, ListImages, ListImageReferrers. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { onRepository, requireRepository } from "../authorization.ts";
import { imageNotFound, invalidParameter } from "../errors.ts";
import {
  deleteImageRows,
  deleteTag,
  digestOfTag,
  findImage,
  type ImageRecord,
  type ImageSummary,
  imageSummaries,
  listsNaming,
  recordPull,
  referrersOf,
} from "../image-store.ts";
import { isDigest } from "../model.ts";
import { page } from "../paging.ts";
import { SWEEP_ID, SWEEP_KIND } from "../runner.ts";
import { lockRepository, type Repository } from "../store.ts";
import { identity } from "./repositories.ts";

/** "Amazon ECR refreshes the last image pull timestamp at least once every 24 hours": reads need not write each time. */
const PULL_RECORD_MS = 60 * 60 * 1000;
const REFERRERS_PAGE = 20;

type Failure = Required<Pick<sdk.ImageFailure, "failureCode" | "failureReason">>;

const NOT_FOUND: Failure = { failureCode: "ImageNotFound", failureReason: "Requested image not found" };

export const BatchGetImage: OperationOf<sdk.BatchGetImageCommand> = {
  authorize: onRepository("BatchGetImage"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const images: sdk.Image[] = [];
    const failures: sdk.ImageFailure[] = [];
    for (const imageId of input.imageIds ?? []) {
      const image = await resolved(call.db, repository, imageId);
      if ("failureCode" in image) {
        failures.push({ imageId, ...image });
      } else if (input.acceptedMediaTypes && !input.acceptedMediaTypes.includes(image.mediaType)) {
        failures.push({ imageId, ...NOT_FOUND });
      } else {
        await notePull(call, repository, image);
        images.push({
          ...identity(repository),
          imageId: { imageDigest: image.digest, imageTag: imageId.imageTag },
          imageManifest: image.manifest,
          imageManifestMediaType: image.mediaType,
        });
      }
    }
    return { images, failures };
  },
};

export const BatchDeleteImage: OperationOf<sdk.BatchDeleteImageCommand> = {
  authorize: onRepository("BatchDeleteImage"),
  async run(input, call) {
    const imageIds: sdk.ImageIdentifier[] = [];
    const failures: sdk.ImageFailure[] = [];
    await inTransaction(call.db, async (trx) => {
      const repository = await requireRepository(input, { ...call, db: trx });
      await lockRepository(trx, repository.id);
      for (const imageId of input.imageIds ?? []) {
        const outcome = await deleteImage(trx, repository, imageId);
        if ("failureCode" in outcome) failures.push({ imageId, ...outcome });
        else imageIds.push(...outcome.deleted);
      }
      if (imageIds.length > 0) await call.system.work.schedule(trx, SWEEP_KIND, SWEEP_ID);
    });
    call.system.work.wake();
    return { imageIds, failures };
  },
};

/** By tag: that tag, and the image with its last one. By digest: the image with all its tags. */
async function deleteImage(
  trx: Database,
  repository: Repository,
  imageId: sdk.ImageIdentifier,
): Promise<Failure | { deleted: sdk.ImageIdentifier[] }> {
  const image = await resolved(trx, repository, imageId);
  if ("failureCode" in image) return image;
  const { digest } = image;
  const [summary] = await imageSummaries(trx, repository.id, [digest]);
  const tags = summary?.tags ?? [];
  if (imageId.imageTag !== undefined && tags.length > 1) {
    await deleteTag(trx, repository.id, imageId.imageTag);
    return { deleted: [{ imageDigest: digest, imageTag: imageId.imageTag }] };
  }
  const lists = await listsNaming(trx, repository.id, digest);
  if (lists.length > 0) {
    const failureReason = `Requested image referenced by manifest list: [${lists.join(", ")}]`;
    return { failureCode: "ImageReferencedByManifestList", failureReason };
  }
  await deleteImageRows(trx, repository.id, digest);
  const deleted = tags.map((imageTag) => ({ imageDigest: digest, imageTag }));
  return { deleted: deleted.length > 0 ? deleted : [{ imageDigest: digest }] };
}

export const DescribeImages: OperationOf<sdk.DescribeImagesCommand> = {
  authorize: onRepository("DescribeImages"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    if (input.imageIds) {
      if (input.nextToken !== undefined || input.maxResults !== undefined) {
        throw invalidParameter("imageIds", "must not be specified together with 'nextToken' or 'maxResults'");
      }
      const digests = await Promise.all(input.imageIds.map((imageId) => requiredDigest(call.db, repository, imageId)));
      const summaries = new Map(
        (await imageSummaries(call.db, repository.id, digests)).map((image) => [image.digest, image]),
      );
      return { imageDetails: [...new Set(digests)].map((digest) => detail(repository, summaries.get(digest)!)) };
    }
    const images = await imageSummaries(call.db, repository.id);
    const wanted = images.filter(({ tags }) => hasTagStatus(tags.length > 0, input.filter?.tagStatus));
    const { items, nextToken } = page(wanted, ({ digest }) => digest, input);
    return { imageDetails: items.map((image) => detail(repository, image)), nextToken };
  },
};

export const ListImages: OperationOf<sdk.ListImagesCommand> = {
  authorize: onRepository("ListImages"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const images = await imageSummaries(call.db, repository.id);
    const ids: { imageDigest: string; imageTag?: string }[] = images.flatMap(({ digest, tags }) =>
      tags.length === 0 ? [{ imageDigest: digest }] : tags.map((imageTag) => ({ imageDigest: digest, imageTag })),
    );
    const wanted = ids.filter(({ imageTag }) => hasTagStatus(imageTag !== undefined, input.filter?.tagStatus));
    // `!` sorts before every character of a tag, so an image's key comes before those of longer digests.
    const keyOf = ({ imageDigest, imageTag = "" }: (typeof ids)[number]) => `${imageDigest}!${imageTag}`;
    const { items, nextToken } = page(wanted, keyOf, input);
    return { imageIds: [...items], nextToken };
  },
};

export const ListImageReferrers: OperationOf<sdk.ListImageReferrersCommand> = {
  authorize: onRepository("BatchGetImage"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const types = input.filter?.artifactTypes;
    const all = await referrersOf(call.db, repository.id, input.subjectId?.imageDigest ?? "");
    const wanted = all.filter(({ artifactType = "" }) => !types || types.length === 0 || types.includes(artifactType));
    const { items, nextToken } = page(wanted, ({ digest }) => digest, input, REFERRERS_PAGE);
    return { referrers: items.map(referrer), nextToken };
  },
};

function referrer({ digest, mediaType, artifactType, manifest, annotations }: ImageRecord): sdk.ImageReferrer {
  const size = Buffer.byteLength(manifest);
  return { digest, mediaType, artifactType, size, annotations, artifactStatus: "ACTIVE" };
}

/** The image that an identifier means, or why there is none. */
async function resolved(
  db: Database,
  repository: Repository,
  { imageDigest, imageTag }: sdk.ImageIdentifier,
): Promise<ImageRecord | Failure> {
  if (imageDigest === undefined && imageTag === undefined) {
    const failureReason = "Invalid request parameters: both tag and digest cannot be null";
    return { failureCode: "MissingDigestAndTag", failureReason };
  }
  if (imageDigest !== undefined && !isDigest(imageDigest)) {
    const failureReason =
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'";
    return { failureCode: "InvalidImageDigest", failureReason };
  }
  const tagged = imageTag === undefined ? undefined : await digestOfTag(db, repository.id, imageTag);
  if (imageTag !== undefined && tagged === undefined) return NOT_FOUND;
  if (imageDigest !== undefined && tagged !== undefined && imageDigest !== tagged) {
    const failureReason = "Invalid request parameters: image tag does not match the image digest";
    return { failureCode: "ImageTagDoesNotMatchDigest", failureReason };
  }
  return (await findImage(db, repository.id, (imageDigest ?? tagged)!)) ?? NOT_FOUND;
}

async function requiredDigest(db: Database, repository: Repository, imageId: sdk.ImageIdentifier): Promise<string> {
  const image = await resolved(db, repository, imageId);
  if (!("failureCode" in image)) return image.digest;
  if (image.failureCode === "MissingDigestAndTag" || image.failureCode === "InvalidImageDigest") {
    throw invalidParameter("imageIds", image.failureReason);
  }
  throw imageNotFound(imageId, repository);
}

async function notePull({ db, now }: Call, repository: Repository, { digest, pulledAt }: ImageRecord): Promise<void> {
  const isRecent = pulledAt !== undefined && now.getTime() - pulledAt.getTime() < PULL_RECORD_MS;
  if (!isRecent) await recordPull(db, repository.id, digest, now);
}

function hasTagStatus(isTagged: boolean, status: sdk.TagStatus | undefined): boolean {
  return status === undefined || status === "ANY" || (status === "TAGGED") === isTagged;
}

function detail(repository: Repository, image: ImageSummary): sdk.ImageDetail {
  return {
    ...identity(repository),
    imageDigest: image.digest,
    ...(image.tags.length > 0 && { imageTags: [...image.tags] }),
    imageSizeInBytes: image.size,
    imagePushedAt: image.pushedAt,
    imageManifestMediaType: image.mediaType,
    artifactMediaType: image.artifactType,
    lastRecordedPullTime: image.pulledAt,
    subjectManifestDigest: image.subject,
    imageStatus: "ACTIVE",
  };
}
