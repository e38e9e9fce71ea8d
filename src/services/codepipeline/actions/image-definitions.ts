/**
 * The file that tells the ECS action which image each container gets.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#pipelines-create-image-definitions
 */
import { fileInZip } from "../artifact-zip.ts";
import type { Artifact } from "../model.ts";
import { ActionFailure } from "./action-provider.ts";

/** "The maximum file size limit for the image definitions file is 100 KB." */
const MAX_BYTES = 100 * 1024;

export interface ImageDefinition {
  readonly name: string;
  readonly imageUri: string;
}

/** Throws ActionFailure, in AWS's words, where the artifact has no such file or the file is not as it must be. */
export async function imageDefinitions(zip: Buffer, fileName: string, artifact: Artifact): Promise<ImageDefinition[]> {
  const content = await fileInZip(zip, fileName, MAX_BYTES).catch((error: unknown) => {
    throw new ActionFailure("ConfigurationError", `The input artifact cannot be read: ${(error as Error).message}`);
  });
  if (content === undefined) {
    throw new ActionFailure(
      "ConfigurationError",
      `Did not find the image definition file ${fileName} in the input artifacts ZIP file. Verify the file is stored in your pipeline's Amazon S3 artifact bucket: ${artifact.bucket} key: ${artifact.key}`,
    );
  }
  const definitions = parsed(content.toString("utf8"));
  if (!definitions) {
    throw new ActionFailure(
      "ConfigurationError",
      `The image definition file ${fileName} contents invalid JSON format. Write an array of objects with the container's name and its imageUri.`,
    );
  }
  return definitions;
}

function parsed(text: string): ImageDefinition[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const sound =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (item: Partial<ImageDefinition> | null) =>
        typeof item?.name === "string" && typeof item.imageUri === "string" && item.imageUri !== "",
    );
  return sound ? (value as ImageDefinition[]) : undefined;
}
