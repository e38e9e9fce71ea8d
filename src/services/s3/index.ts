/** Amazon S3: buckets, objects and their versions, multipart uploads. */
import * as sdk from "@aws-sdk/client-s3";
import { defineService } from "#gateway/service.ts";
import type { Limits, Violation } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { s3Tables } from "./migrations/0001-s3.ts";
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
} from "./operations/bucket-access.ts";
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
} from "./operations/bucket-settings.ts";
import {
  CreateBucket,
  DeleteBucket,
  GetBucketLocation,
  GetBucketVersioning,
  HeadBucket,
  ListBuckets,
  PutBucketVersioning,
} from "./operations/buckets.ts";
import { CompleteMultipartUpload } from "./operations/complete-multipart-upload.ts";
import { CopyObject } from "./operations/copy-object.ts";
import { DeleteObject, DeleteObjects } from "./operations/delete-objects.ts";
import { GetObject, GetObjectAttributes, HeadObject } from "./operations/get-object.ts";
import { ListObjects, ListObjectsV2, ListObjectVersions } from "./operations/list-objects.ts";
import {
  AbortMultipartUpload,
  CreateMultipartUpload,
  ListMultipartUploads,
  ListParts,
} from "./operations/multipart-uploads.ts";
import { DeleteObjectTagging, GetObjectAcl, GetObjectTagging, PutObjectTagging } from "./operations/object-tagging.ts";
import { PutObject } from "./operations/put-object.ts";
import { UploadPart, UploadPartCopy } from "./operations/upload-parts.ts";
import { registerSweep } from "./store/blob-uses.ts";

export const s3 = defineService({
  name: "s3",
  sdk,
  Client: sdk.S3Client,
  operations: {
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
  },
  limits: withoutLocations(limits as Limits),
  // What is wrong inside a body makes the whole XML malformed; the rest came in headers and the query.
  validation: { code: (found) => (found.some(isInBody) ? "MalformedXML" : "InvalidArgument") },
  migrations: [s3Tables],
  registerWork: registerSweep,
});

function isInBody({ path }: Violation): boolean {
  return path.includes(".");
}

/** CreateBucket has words of its own for them, and the model's list grows with every new region. */
function withoutLocations({ CreateBucketConfiguration: _, ...others }: Limits): Limits {
  return others;
}
