/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { OperationTable } from "#gateway/operation.ts";
import { GetAuthorizationToken } from "./authorization-token.ts";
import { BatchDeleteImage, BatchGetImage, DescribeImages, ListImageReferrers, ListImages } from "./images.ts";
import {
  BatchCheckLayerAvailability,
  CompleteLayerUpload,
  GetDownloadUrlForLayer,
  InitiateLayerUpload,
  UploadLayerPart,
} from "./layers.ts";
import {
  DeleteLifecyclePolicy,
  GetLifecyclePolicy,
  GetLifecyclePolicyPreview,
  PutLifecyclePolicy,
  StartLifecyclePolicyPreview,
} from "./lifecycle-policy.ts";
import { PutImage } from "./put-image.ts";
import {
  CreateRepository,
  DeleteRepository,
  DescribeRegistry,
  DescribeRepositories,
  PutImageScanningConfiguration,
  PutImageTagMutability,
} from "./repositories.ts";
import { DeleteRepositoryPolicy, GetRepositoryPolicy, SetRepositoryPolicy } from "./repository-policy.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./tags.ts";

export const operations: OperationTable<typeof sdk> = {
  BatchCheckLayerAvailability,
  BatchDeleteImage,
  BatchGetImage,
  CompleteLayerUpload,
  CreateRepository,
  DeleteLifecyclePolicy,
  DeleteRepository,
  DeleteRepositoryPolicy,
  DescribeImages,
  DescribeRegistry,
  DescribeRepositories,
  GetAuthorizationToken,
  GetDownloadUrlForLayer,
  GetLifecyclePolicy,
  GetLifecyclePolicyPreview,
  GetRepositoryPolicy,
  InitiateLayerUpload,
  ListImageReferrers,
  ListImages,
  ListTagsForResource,
  PutImage,
  PutImageScanningConfiguration,
  PutImageTagMutability,
  PutLifecyclePolicy,
  SetRepositoryPolicy,
  StartLifecyclePolicyPreview,
  TagResource,
  UntagResource,
  UploadLayerPart,
};
