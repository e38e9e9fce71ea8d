/**
 * S3's errors in its own words. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * The model knows few of them; the others are WireErrors.
 */
import {
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  NoSuchBucket,
  NoSuchKey,
  NoSuchUpload,
  NotFound,
} from "@aws-sdk/client-s3";
import { WireError } from "#gateway/errors.ts";

const $metadata = {};

export const noSuchBucket = () => new NoSuchBucket({ message: "The specified bucket does not exist", $metadata });

export const noSuchKey = () => new NoSuchKey({ message: "The specified key does not exist.", $metadata });

/** HEAD has no body, so its errors have no code either. */
export const notFound = () => new NotFound({ message: "Not Found", $metadata });

export const noSuchUpload = () =>
  new NoSuchUpload({
    message:
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    $metadata,
  });

export const bucketAlreadyExists = () =>
  new BucketAlreadyExists({
    message:
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    $metadata,
  });

export const bucketAlreadyOwnedByYou = () =>
  new BucketAlreadyOwnedByYou({
    message: "Your previous request to create the named bucket succeeded and you already own it.",
    $metadata,
  });

interface Answer {
  readonly status: number;
  readonly message: string;
}

const ANSWERS = {
  AccessControlListNotSupported: { status: 400, message: "The bucket does not allow ACLs" },
  AccessDenied: { status: 403, message: "Access Denied" },
  BadDigest: {
    status: 400,
    message: "The Content-MD5 or checksum value that you specified did not match what the server received.",
  },
  BucketNotEmpty: { status: 409, message: "The bucket you tried to delete is not empty" },
  EntityTooLarge: { status: 400, message: "Your proposed upload exceeds the maximum allowed size" },
  EntityTooSmall: { status: 400, message: "Your proposed upload is smaller than the minimum allowed size" },
  IllegalLocationConstraintException: {
    status: 400,
    message:
      "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.",
  },
  IllegalVersioningConfigurationException: {
    status: 400,
    message: "The versioning configuration specified in the request is invalid.",
  },
  IncompleteBody: {
    status: 400,
    message: "You did not provide the number of bytes specified by the Content-Length HTTP header",
  },
  InvalidArgument: { status: 400, message: "Invalid Argument" },
  InvalidBucketName: { status: 400, message: "The specified bucket is not valid." },
  InvalidDigest: { status: 400, message: "The Content-MD5 you specified was invalid." },
  InvalidLocationConstraint: { status: 400, message: "The specified location-constraint is not valid" },
  InvalidPart: {
    status: 400,
    message:
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  },
  InvalidPartOrder: {
    status: 400,
    message: "The list of parts was not in ascending order. Parts must be ordered by part number.",
  },
  InvalidPartNumber: { status: 416, message: "The requested partnumber is not satisfiable" },
  InvalidRange: { status: 416, message: "The requested range is not satisfiable" },
  InvalidRequest: { status: 400, message: "Invalid Request" },
  InvalidTag: { status: 400, message: "The TagKey you have provided is invalid" },
  KeyTooLongError: { status: 400, message: "Your key is too long" },
  MalformedPolicy: { status: 400, message: "Policies must be valid JSON and the first byte must be '{'" },
  MalformedXML: {
    status: 400,
    message: "The XML you provided was not well-formed or did not validate against our published schema",
  },
  MetadataTooLarge: { status: 400, message: "Your metadata headers exceed the maximum allowed metadata size" },
  MethodNotAllowed: { status: 405, message: "The specified method is not allowed against this resource." },
  MissingContentLength: { status: 411, message: "You must provide the Content-Length HTTP header." },
  NoSuchBucketPolicy: { status: 404, message: "The bucket policy does not exist" },
  NoSuchLifecycleConfiguration: { status: 404, message: "The lifecycle configuration does not exist" },
  NoSuchPublicAccessBlockConfiguration: { status: 404, message: "The public access block configuration was not found" },
  NoSuchTagSet: { status: 404, message: "The TagSet does not exist" },
  NoSuchVersion: { status: 404, message: "The specified version does not exist." },
  NotImplemented: { status: 501, message: "A header you provided implies functionality that is not implemented" },
  NotModified: { status: 304, message: "Not Modified" },
  OwnershipControlsNotFoundError: { status: 404, message: "The bucket ownership controls were not found" },
  PreconditionFailed: { status: 412, message: "At least one of the pre-conditions you specified did not hold" },
  SlowDown: { status: 503, message: "Please reduce your request rate." },
} as const satisfies Record<string, Answer>;

export type S3ErrorCode = keyof typeof ANSWERS;

export interface S3ErrorDetails {
  /** Where AWS's sentence for the code depends on the case. */
  readonly message?: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function s3Error(code: S3ErrorCode, { message, members, headers }: S3ErrorDetails = {}): WireError {
  const answer = ANSWERS[code];
  return new WireError(code, answer.status, message ?? answer.message, members ?? {}, headers ?? {});
}

export const invalidArgument = (message: string, name: string, value: unknown) =>
  s3Error("InvalidArgument", { message, members: { ArgumentName: name, ArgumentValue: value } });
