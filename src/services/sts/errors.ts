/** STS's errors, in its words; most are not in its model. */
import * as sdk from "@aws-sdk/client-sts";
import { WireError } from "#gateway/errors.ts";

const $metadata = {};

export function accessDenied(message: string): Error {
  return new WireError("AccessDenied", 403, message);
}

export function validationError(message: string): Error {
  return new WireError("ValidationError", 400, message);
}

export function malformedPolicyDocument(message: string): Error {
  return new sdk.MalformedPolicyDocumentException({ message, $metadata });
}

export function packedPolicyTooLarge(percent: number): Error {
  const message = `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`;
  return new sdk.PackedPolicyTooLargeException({ message, $metadata });
}
