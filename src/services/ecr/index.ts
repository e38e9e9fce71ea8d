/** Amazon ECR: repositories with their images, and the registry that `docker push` and `docker pull` talk to. */

import * as sdk from "@aws-sdk/client-ecr";
import { defineService, type Service } from "#gateway/service.ts";
import { resourceTags } from "./authorization.ts";
import { OciDataPlane } from "./data-plane.ts";
import { registryTables } from "./migrations/0001-registry.ts";
import { GetAuthorizationToken } from "./operations/authorization-token.ts";
import {
  BatchDeleteImage,
  BatchGetImage,
  DescribeImages,
  ListImageReferrers,
  ListImages,
} from "./operations/images.ts";
import {
  BatchCheckLayerAvailability,
  CompleteLayerUpload,
  GetDownloadUrlForLayer,
  InitiateLayerUpload,
  UploadLayerPart,
} from "./operations/layers.ts";
import {
  DeleteLifecyclePolicy,
  GetLifecyclePolicy,
  GetLifecyclePolicyPreview,
  PutLifecyclePolicy,
  StartLifecyclePolicyPreview,
} from "./operations/lifecycle-policy.ts";
import { PutImage } from "./operations/put-image.ts";
import {
  CreateRepository,
  DeleteRepository,
  DescribeRegistry,
  DescribeRepositories,
  PutImageScanningConfiguration,
  PutImageTagMutability,
} from "./operations/repositories.ts";
import { DeleteRepositoryPolicy, GetRepositoryPolicy, SetRepositoryPolicy } from "./operations/repository-policy.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./operations/tags.ts";
import { registerWork } from "./runner.ts";
import { limits, validation } from "./validation.ts";

export const ecr: Service = defineService({
  name: "ecr",
  sdk,
  Client: sdk.ECRClient,
  operations: {
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
  },
  limits,
  validation,
  migrations: [registryTables],
  // The registry's requests are recorded as the service's own, which exists only once this table is complete.
  dataPlanes: [new OciDataPlane(() => ecr)],
  resourceTags,
  registerWork,
});
