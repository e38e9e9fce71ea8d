/** Artifacts: zip files in the pipeline's bucket, under keys of AWS's shape. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Client } from "#gateway/client.ts";
import { ActionFailure, type ActionJob } from "./actions/action-provider.ts";
import { failureOf, serviceSuffix } from "./actions/service-errors.ts";
import type { Artifact } from "./model.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const RANDOM_CHARACTERS = 7;

/**
 * `cruddur-backend-farg/SourceArti/1R4bSSJ`: the pipeline's name cut to 20 characters, the artifact's to 10, and 7 that
 * look random but follow from the action execution, so that a second attempt writes to the same place.
 */
export function artifactKey(pipelineName: string, artifactName: string, actionExecutionId: string): string {
  const hash = createHash("sha256").update(`${actionExecutionId}/${artifactName}`).digest();
  const random = Array.from(hash.subarray(0, RANDOM_CHARACTERS), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return `${pipelineName.slice(0, 20)}/${artifactName.slice(0, 10)}/${random}`;
}

export async function writeArtifact(job: ActionJob, artifact: Artifact, content: Buffer): Promise<void> {
  const client = await job.role();
  const key = job.artifactStore.encryptionKey?.id;
  const command = new PutObjectCommand({
    Bucket: artifact.bucket,
    Key: artifact.key,
    Body: content,
    ContentLength: content.length,
    ContentType: "application/zip",
    ...(key !== undefined && { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key }),
  });
  await client.send(command).catch((error: unknown) => {
    throw failureOf(
      error,
      (message) =>
        `The service role or action role doesn’t have the permissions required to access the Amazon S3 bucket named ${artifact.bucket}. Update the IAM role permissions, and then try again. Error: ${message}`,
      (other) =>
        new ActionFailure(
          "JobFailed",
          `The artifact ${artifact.name} could not be stored in the bucket ${artifact.bucket}: ${other.message} ${serviceSuffix("Amazon S3", other)}`,
        ),
    );
  });
}

export async function readArtifact(client: Client, { bucket, key }: Artifact, maxBytes: number): Promise<Buffer> {
  const unreadable = `Unable to access the artifact with Amazon S3 object key '${key}' located in the Amazon S3 artifact bucket '${bucket}'.`;
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error: unknown) => {
    throw failureOf(
      error,
      // In AWS's words, which leave out what was denied.
      (message) => `${unreadable} The provided role does not have sufficient permissions. ${message}`,
      (other) => new ActionFailure("JobFailed", `${unreadable} ${other.message}`),
    );
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of Body as Readable) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) throw new ActionFailure("JobFailed", `The artifact ${key} is larger than ${maxBytes} bytes`);
    chunks.push(Buffer.from(chunk as Uint8Array));
  }
  return Buffer.concat(chunks);
}
