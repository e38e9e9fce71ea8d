/**
 * ECR's modelled exceptions with ECR's sentences. Where AWS does not publish a sentence, it was taken from transcripts of
 * the real service in public issue trackers (aws/containers-roadmap#862 and #2380, oras-project/oras-py#54,
 * int128/docker-manifest-create-action#63, radius-project/radius#7855, apple/container#1895) and from moto's `ecr`.
 */
import * as sdk from "@aws-sdk/client-ecr";
import type { RepositoryName } from "./model.ts";

/** The members that every SDK exception wants. */
function words(message: string): { message: string; $metadata: Record<string, never> } {
  return { message, $metadata: {} };
}

function named({ name, accountId }: RepositoryName): string {
  return `repository with name '${name}' in the registry with id '${accountId}'`;
}

export function invalidParameter(parameter: string, constraint: string): sdk.InvalidParameterException {
  return new sdk.InvalidParameterException(
    words(`Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`),
  );
}

export function repositoryNotFound({ name, accountId }: RepositoryName): sdk.RepositoryNotFoundException {
  return new sdk.RepositoryNotFoundException(
    words(`The repository with name '${name}' does not exist in the registry with id '${accountId}'`),
  );
}

export function repositoryAlreadyExists({ name, accountId }: RepositoryName): sdk.RepositoryAlreadyExistsException {
  return new sdk.RepositoryAlreadyExistsException(
    words(`The repository with name '${name}' already exists in the registry with id '${accountId}'`),
  );
}

export function repositoryNotEmpty({ name, accountId }: RepositoryName): sdk.RepositoryNotEmptyException {
  const sentence = `The repository with name '${name}' in registry with id '${accountId}' cannot be deleted because it still contains images`;
  return new sdk.RepositoryNotEmptyException(words(sentence));
}

export function repositoryPolicyNotFound(repository: RepositoryName): sdk.RepositoryPolicyNotFoundException {
  return new sdk.RepositoryPolicyNotFoundException(
    words(`Repository policy does not exist for the ${named(repository)}`),
  );
}

export function lifecyclePolicyNotFound(repository: RepositoryName): sdk.LifecyclePolicyNotFoundException {
  return new sdk.LifecyclePolicyNotFoundException(
    words(`Lifecycle policy does not exist for the ${named(repository)}`),
  );
}

export function lifecyclePreviewNotFound(repository: RepositoryName): sdk.LifecyclePolicyPreviewNotFoundException {
  return new sdk.LifecyclePolicyPreviewNotFoundException(
    words(`Lifecycle policy preview does not exist for the ${named(repository)}`),
  );
}

export function imageNotFound(
  { imageDigest, imageTag }: sdk.ImageIdentifier,
  repository: RepositoryName,
): sdk.ImageNotFoundException {
  const imageId = `{imageDigest:'${imageDigest ?? "null"}', imageTag:'${imageTag ?? "null"}'}`;
  return new sdk.ImageNotFoundException(
    words(`The image with imageId ${imageId} does not exist within the ${named(repository)}`),
  );
}

export function imageAlreadyExists(
  digest: string,
  tag: string | undefined,
  { name, accountId }: RepositoryName,
): sdk.ImageAlreadyExistsException {
  const image = `Image with digest '${digest}'${tag === undefined ? "" : ` and tag '${tag}'`}`;
  return new sdk.ImageAlreadyExistsException(
    words(`${image} already exists in the repository with name '${name}' in registry with id '${accountId}'`),
  );
}

export function imageTagAlreadyExists(tag: string, { name }: RepositoryName): sdk.ImageTagAlreadyExistsException {
  const sentence = `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the repository is immutable.`;
  return new sdk.ImageTagAlreadyExistsException(words(sentence));
}

export function imageDigestDoesNotMatch(given: string, actual: string): sdk.ImageDigestDoesNotMatchException {
  return new sdk.ImageDigestDoesNotMatchException(
    words(`The provided image digest '${given}' does not match the calculated image digest '${actual}'`),
  );
}

/** A manifest names layers that were not pushed. */
export function layersMissing(digests: readonly string[], repository: RepositoryName): sdk.LayersNotFoundException {
  return new sdk.LayersNotFoundException(words(requiredForPushing("Layers", digests, repository)));
}

/** A manifest list names images that were not pushed. */
export function imagesMissing(
  digests: readonly string[],
  repository: RepositoryName,
): sdk.ReferencedImagesNotFoundException {
  return new sdk.ReferencedImagesNotFoundException(words(requiredForPushing("Images", digests, repository)));
}

function requiredForPushing(what: string, digests: readonly string[], { name, accountId }: RepositoryName): string {
  return `${what} with digests '[${digests.join(", ")}]' required for pushing image into repository with name '${name}' in the registry with id '${accountId}' do not exist`;
}

export function layerNotFound(digest: string, repository: RepositoryName): sdk.LayersNotFoundException {
  return new sdk.LayersNotFoundException(
    words(`The layer with digest '${digest}' does not exist within the ${named(repository)}`),
  );
}

export function layerAlreadyExists(
  digest: string,
  { name, accountId }: RepositoryName,
): sdk.LayerAlreadyExistsException {
  const sentence = `The layer with digest '${digest}' already exists in the repository with name '${name}' in registry with id '${accountId}'`;
  return new sdk.LayerAlreadyExistsException(words(sentence));
}

export function layerDigestMismatch(): sdk.InvalidLayerException {
  return new sdk.InvalidLayerException(words("None of the provided layer digests match the calculated layer digest"));
}

export function uploadNotFound(uploadId: string, { name, accountId }: RepositoryName): sdk.UploadNotFoundException {
  const sentence = `The upload with id '${uploadId}' does not exist in the repository with name '${name}' in registry with id '${accountId}'`;
  return new sdk.UploadNotFoundException(words(sentence));
}

export function emptyUpload(uploadId: string, { name, accountId }: RepositoryName): sdk.EmptyUploadException {
  const sentence = `The upload with id '${uploadId}' in the repository with name '${name}' in registry with id '${accountId}' cannot be completed because it does not have any parts.`;
  return new sdk.EmptyUploadException(words(sentence));
}

/** `received` is the number of bytes that the upload has, `sentence` what is wrong with the part. */
export function invalidLayerPart(
  uploadId: string,
  received: number,
  { name, accountId }: RepositoryName,
  sentence: string,
): sdk.InvalidLayerPartException {
  return new sdk.InvalidLayerPartException({
    ...words(sentence),
    registryId: accountId,
    repositoryName: name,
    uploadId,
    lastValidByteReceived: received - 1,
  });
}

export function invalidTag(sentence: string): sdk.InvalidTagParameterException {
  return new sdk.InvalidTagParameterException(words(sentence));
}

export function tooManyTags(): sdk.TooManyTagsException {
  return new sdk.TooManyTagsException(words("The maximum number of tags that can be applied to a repository is 50."));
}
