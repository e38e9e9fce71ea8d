/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-s3";
import type { OperationTable } from "#gateway/operation.ts";
import {
  DeleteBucketOwnershipControls,
  DeleteBucketPolicy,
  DeletePublicAccessBlock,
  GetBucketAcl,
  GetBucketOwnershipControls,
  GetBucketPolicy,
  GetBucketPolicyStatus,
  GetPublicAccessBlock,
  PutBucketOwnershipControls,
  PutBucketPolicy,
  PutPublicAccessBlock,
} from "./bucket-access.ts";
import {
  DeleteBucketEncryption,
  DeleteBucketLifecycle,
  DeleteBucketTagging,
  GetBucketEncryption,
  GetBucketLifecycleConfiguration,
  GetBucketTagging,
  PutBucketEncryption,
  PutBucketLifecycleConfiguration,
  PutBucketTagging,
} from "./bucket-settings.ts";
import {
  CreateBucket,
  DeleteBucket,
  GetBucketLocation,
  GetBucketVersioning,
  HeadBucket,
  ListBuckets,
  PutBucketVersioning,
} from "./buckets.ts";
import { CompleteMultipartUpload } from "./complete-multipart-upload.ts";
import { CopyObject } from "./copy-object.ts";
import { DeleteObject, DeleteObjects } from "./delete-objects.ts";
import { GetObject, GetObjectAttributes, HeadObject } from "./get-object.ts";
import { ListObjects, ListObjectsV2, ListObjectVersions } from "./list-objects.ts";
import { AbortMultipartUpload, CreateMultipartUpload, ListMultipartUploads, ListParts } from "./multipart-uploads.ts";
import { DeleteObjectTagging, GetObjectAcl, GetObjectTagging, PutObjectTagging } from "./object-tagging.ts";
import { PutObject } from "./put-object.ts";
import { UploadPart, UploadPartCopy } from "./upload-parts.ts";

export const operations: OperationTable<typeof sdk> = {
  AbortMultipartUpload,
  CompleteMultipartUpload,
  CopyObject,
  CreateBucket,
  CreateMultipartUpload,
  DeleteBucket,
  DeleteBucketEncryption,
  DeleteBucketLifecycle,
  DeleteBucketOwnershipControls,
  DeleteBucketPolicy,
  DeleteBucketTagging,
  DeleteObject,
  DeleteObjects,
  DeleteObjectTagging,
  DeletePublicAccessBlock,
  GetBucketAcl,
  GetBucketEncryption,
  GetBucketLifecycleConfiguration,
  GetBucketLocation,
  GetBucketOwnershipControls,
  GetBucketPolicy,
  GetBucketPolicyStatus,
  GetBucketTagging,
  GetBucketVersioning,
  GetObject,
  GetObjectAcl,
  GetObjectAttributes,
  GetObjectTagging,
  GetPublicAccessBlock,
  HeadBucket,
  HeadObject,
  ListBuckets,
  ListMultipartUploads,
  ListObjects,
  ListObjectsV2,
  ListObjectVersions,
  ListParts,
  PutBucketEncryption,
  PutBucketLifecycleConfiguration,
  PutBucketOwnershipControls,
  PutBucketPolicy,
  PutBucketTagging,
  PutBucketVersioning,
  PutObject,
  PutObjectTagging,
  PutPublicAccessBlock,
  UploadPart,
  UploadPartCopy,
};
