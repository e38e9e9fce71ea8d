/** PutImage: the last step of a push. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { OperationOf } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { onRepository, requireRepository } from "../authorization.ts";
import {
  imageAlreadyExists,
  imageDigestDoesNotMatch,
  imagesMissing,
  imageTagAlreadyExists,
  invalidParameter,
  layersMissing,
  repositoryNotFound,
} from "../errors.ts";
import { digestOfTag, findImage, imageSummaries, insertImage, setTag } from "../image-store.ts";
import { layersOf } from "../layer-store.ts";
import { type Manifest, parsedManifest } from "../manifest.ts";
import { isImmutable, isTag } from "../model.ts";
import { lockRepository, type Repository } from "../store.ts";
import { identity } from "./repositories.ts";

/** What a push is announced with on the bus, as JSON; see `imagePushed`. */
export const IMAGE_PUSH_TOPIC = "ecr:image-push";

/** Everything that was pushed is there, or nothing has changed: a tag never points to an image that is incomplete. */
export const PutImage: OperationOf<sdk.PutImageCommand> = {
  authorize: onRepository("PutImage"),
  async run(input, call) {
    const text = input.imageManifest ?? "";
    const { imageTag } = input;
    const manifest = parsedManifest(text, input.imageManifestMediaType);
    if (input.imageDigest !== undefined && input.imageDigest !== manifest.digest) {
      throw imageDigestDoesNotMatch(input.imageDigest, manifest.digest);
    }
    if (imageTag !== undefined && !isTag(imageTag)) {
      throw invalidParameter("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'");
    }
    const repository = await inTransaction(call.db, async (trx) => {
      const found = await requireRepository(input, { ...call, db: trx });
      if (!(await lockRepository(trx, found.id))) throw repositoryNotFound(found);
      const size = await checkedSize(trx, found, manifest);
      await store(trx, found, { text, size }, manifest, imageTag, call.now);
      return found;
    });
    call.system.bus.publish(IMAGE_PUSH_TOPIC, imagePushed(repository, manifest.digest, imageTag));
    const image: sdk.Image = {
      ...identity(repository),
      imageId: { imageDigest: manifest.digest, imageTag },
      imageManifest: text,
      imageManifestMediaType: manifest.mediaType,
    };
    return { image };
  },
};

function imagePushed(
  { accountId, region, name, scanOnPush }: Repository,
  imageDigest: string,
  imageTag?: string,
): string {
  return JSON.stringify({ accountId, region, repositoryName: name, imageDigest, imageTag, scanOnPush });
}

/** The image's size. Throws where the repository lacks something that the manifest names. */
async function checkedSize(trx: Database, repository: Repository, manifest: Manifest): Promise<number> {
  const layers = await layersOf(trx, repository.id, manifest.layers);
  const missingLayers = manifest.layers.filter((digest) => !layers.has(digest));
  if (missingLayers.length > 0) throw layersMissing(missingLayers, repository);
  const images = await imageSummaries(trx, repository.id, manifest.manifests);
  const sizes = new Map(images.map(({ digest, size }) => [digest, size]));
  const missingImages = manifest.manifests.filter((digest) => !sizes.has(digest));
  if (missingImages.length > 0) throw imagesMissing(missingImages, repository);
  const sum = [...layers.values()].reduce((total, { size }) => total + size, 0);
  return Math.max(sum, ...sizes.values());
}

async function store(
  trx: Database,
  repository: Repository,
  { text, size }: { text: string; size: number },
  manifest: Manifest,
  tag: string | undefined,
  now: Date,
): Promise<void> {
  const { digest } = manifest;
  const known = await findImage(trx, repository.id, digest);
  const tagged = tag === undefined ? undefined : await digestOfTag(trx, repository.id, tag);
  if (known && (tag === undefined || tagged === digest)) throw imageAlreadyExists(digest, tag, repository);
  if (tag !== undefined && tagged !== undefined && isImmutable(tag, repository.tagMutability)) {
    throw imageTagAlreadyExists(tag, repository);
  }
  if (!known) {
    const { mediaType, artifactType, subject, annotations } = manifest;
    const image = { digest, manifest: text, mediaType, artifactType, subject, annotations, size, pushedAt: now };
    await insertImage(trx, repository.id, image, manifest);
  }
  if (tag !== undefined) await setTag(trx, repository.id, tag, digest);
}
