/** The object that CopyObject and UploadPartCopy read from. */
import type { Call } from "#gateway/context.ts";
import { requireObjectAccess } from "./access.ts";
import { readOutcome } from "./conditions.ts";
import { invalidArgument, s3Error } from "./errors.ts";
import type { Bucket, ObjectVersion } from "./model.ts";
import { requestedVersion } from "./operations/get-object.ts";

export interface CopySourceInput {
  readonly CopySource?: string | undefined;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

/** The caller needs to be allowed to read it. A condition that does not hold is always PreconditionFailed here. */
export async function copySource(
  input: CopySourceInput,
  call: Call,
): Promise<{ bucket: Bucket; version: ObjectVersion }> {
  const { bucket: name, key, versionId } = parsedCopySource(input.CopySource!);
  const action = versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  await requireObjectAccess(call, action, name, key);
  const found = await requestedVersion(
    { Bucket: name, Key: key, VersionId: versionId, ExpectedBucketOwner: input.ExpectedSourceBucketOwner },
    call,
  );
  const outcome = readOutcome(
    {
      IfMatch: input.CopySourceIfMatch,
      IfNoneMatch: input.CopySourceIfNoneMatch,
      IfModifiedSince: input.CopySourceIfModifiedSince,
      IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
    },
    found.version,
  );
  if (outcome !== "send") throw s3Error("PreconditionFailed");
  return found;
}

interface SourceName {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** `/bucket/key?versionId=…`, percent-encoded. */
export function parsedCopySource(text: string): SourceName {
  const mark = text.indexOf("?versionId=");
  const path = (mark < 0 ? text : text.slice(0, mark)).replace(/^\//, "");
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw badSource(text);
  }
  const slash = decoded.indexOf("/");
  if (slash < 1 || slash === decoded.length - 1) throw badSource(text);
  return {
    bucket: decoded.slice(0, slash),
    key: decoded.slice(slash + 1),
    versionId: mark < 0 ? undefined : text.slice(mark + "?versionId=".length),
  };
}

const badSource = (text: string) =>
  invalidArgument(
    "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    "x-amz-copy-source",
    text,
  );
