/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
import type * as sdk from "@aws-sdk/client-s3";
import type { OperationOf } from "#gateway/operation.ts";
import { existingBucket, requireObjectAccess, writeAccess } from "../access.ts";
import { objectAttributes, shownVersion } from "../attributes.ts";
import { receivedBody } from "../body.ts";
import { shownChecksums } from "../checksum-view.ts";
import { DEFAULT_ALGORITHM } from "../checksums.ts";
import { quoted } from "../model.ts";
import { dropBlob } from "../store/blob-uses.ts";
import { writeObject } from "../versions.ts";

export const PutObject: OperationOf<sdk.PutObjectCommand> = {
  authorize: writeAccess({ creates: true }),
  async run(input, call) {
    const target = await existingBucket(input, call);
    if (input.Tagging) await requireObjectAccess(call, "s3:PutObjectTagging", target.name, input.Key!, input);
    const attributes = await objectAttributes(input, target, call);
    const body = await receivedBody(input, call, DEFAULT_ALGORITHM);
    const { bucket, version } = await writeObject(
      call,
      target.name,
      {
        key: input.Key!,
        size: body.size,
        etag: body.md5,
        segments: [{ sha256: body.sha256, size: body.size }],
        attributes: { ...attributes, checksums: body.checksums, checksumType: "FULL_OBJECT" },
      },
      input,
    ).catch(async (error: unknown) => {
      await dropBlob(call.system, call.db, body.sha256, call.now);
      throw error;
    });
    return {
      ETag: quoted(version.etag),
      VersionId: shownVersion(bucket, version.versionId),
      ...shownChecksums(version),
      ...attributes.encryption,
    };
  },
};
