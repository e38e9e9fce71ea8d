/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html and DeleteObjects */
import type * as sdk from "@aws-sdk/client-s3";
import { AccessDeniedError } from "#gateway/authorize.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { existingBucket, objectAccess, requireObjectAccess } from "../access.ts";
import { shownVersion } from "../attributes.ts";
import { s3Error } from "../errors.ts";
import { type Deletion, deleteObject } from "../versions.ts";

export const DeleteObject: OperationOf<sdk.DeleteObjectCommand> = {
  authorize: objectAccess("s3:DeleteObject", "s3:DeleteObjectVersion"),
  async run(input, call) {
    await existingBucket(input, call);
    const deletion = await deleteObject(call, input.Bucket!, input.Key!, input.VersionId, input);
    const { bucket, version } = deletion;
    return {
      DeleteMarker: version?.deleteMarker ? true : undefined,
      VersionId: version ? shownVersion(bucket, version.versionId) : input.VersionId,
    };
  },
};

const MAX_DELETIONS = 1000;

export const DeleteObjects: OperationOf<sdk.DeleteObjectsCommand> = {
  // Each object is asked for by itself, and a denial is that object's alone.
  authorize: "always",
  async run(input, call) {
    const objects = input.Delete?.Objects ?? [];
    if (objects.length === 0 || objects.length > MAX_DELETIONS) throw s3Error("MalformedXML");
    const bucket = await existingBucket(input, call);
    const deleted: sdk.DeletedObject[] = [];
    const errors: sdk._Error[] = [];
    for (const { Key, VersionId, ETag } of objects) {
      try {
        const action = VersionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
        await requireObjectAccess(call, action, bucket.name, Key!);
        const deletion = await deleteObject(call, bucket.name, Key!, VersionId, { IfMatch: ETag });
        deleted.push({ Key, VersionId, ...markerMembers(deletion) });
      } catch (error) {
        errors.push(deletionError(error, Key, VersionId));
      }
    }
    return { Deleted: input.Delete?.Quiet ? [] : deleted, Errors: errors };
  },
};

function markerMembers({ version, made }: Deletion): Partial<sdk.DeletedObject> {
  if (!version?.deleteMarker) return {};
  return { DeleteMarker: true, DeleteMarkerVersionId: version.versionId, ...(made && { VersionId: undefined }) };
}

/** Answers of S3's become the object's; anything else is a fault and fails the request. */
function deletionError(error: unknown, key: string | undefined, versionId: string | undefined): sdk._Error {
  if (
    error instanceof AccessDeniedError ||
    (error instanceof Error && /^(NoSuchKey|PreconditionFailed)$/.test(error.name))
  ) {
    return { Key: key, VersionId: versionId, Code: error.name, Message: error.message };
  }
  throw error;
}
