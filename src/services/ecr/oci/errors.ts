/**
 * What goes wrong, in the registry protocol's words: `{"errors":[{"code":…,"message":…}]}`.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
 * The codes that ECR pairs with its exceptions are from transcripts: see ../errors.ts.
 */

export type ErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "RANGE_INVALID"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "UNAUTHORIZED"
  | "UNKNOWN"
  | "UNSUPPORTED";

export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly status: number;
  readonly code: ErrorCode;

  constructor(status: number, code: ErrorCode, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** By the name of the exception that an operation throws. */
const EXCEPTIONS: Readonly<Record<string, readonly [status: number, code: ErrorCode]>> = {
  AccessDenied: [403, "DENIED"],
  EmptyUploadException: [400, "BLOB_UPLOAD_INVALID"],
  ImageDigestDoesNotMatchException: [400, "DIGEST_INVALID"],
  ImageNotFoundException: [404, "MANIFEST_UNKNOWN"],
  ImageTagAlreadyExistsException: [400, "TAG_INVALID"],
  InvalidLayerException: [400, "DIGEST_INVALID"],
  InvalidLayerPartException: [416, "BLOB_UPLOAD_INVALID"],
  LayersNotFoundException: [404, "BLOB_UPLOAD_UNKNOWN"],
  ReferencedImagesNotFoundException: [404, "MANIFEST_BLOB_UNKNOWN"],
  RepositoryNotFoundException: [404, "NAME_UNKNOWN"],
  UploadNotFoundException: [404, "BLOB_UPLOAD_UNKNOWN"],
};

/** undefined for what is a fault of this program. */
export function toRegistryError(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === "InvalidParameterException") {
    const code = invalidCode(error.message);
    return new RegistryError(code === "BLOB_UPLOAD_UNKNOWN" ? 404 : 400, code, error.message);
  }
  const known = EXCEPTIONS[error.name];
  return known && new RegistryError(known[0], known[1], error.message);
}

/** The parameter that is invalid decides the code. */
function invalidCode(message: string): ErrorCode {
  if (message.includes("'repositoryName'")) return "NAME_INVALID";
  if (message.includes("'imageTag'")) return "TAG_INVALID";
  if (/'(?:layerDigests?|imageDigest)/.test(message)) return "DIGEST_INVALID";
  if (message.includes("'uploadId'")) return "BLOB_UPLOAD_UNKNOWN";
  return "MANIFEST_INVALID";
}
