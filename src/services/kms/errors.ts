/** KMS's modelled errors, in its words. */
import * as sdk from "@aws-sdk/client-kms";
import { AccessDeniedError } from "#gateway/authorize.ts";
import { WireError } from "#gateway/errors.ts";
import type { KeyState } from "./states.ts";

const $metadata = {};

export function keyNotFound(arn: string): Error {
  return new sdk.NotFoundException({ message: `Key '${arn}' does not exist`, $metadata });
}

export function aliasNotFound(arn: string): Error {
  return new sdk.NotFoundException({ message: `Alias ${arn} is not found.`, $metadata });
}

export function invalidKeyId(keyId: string): Error {
  return new sdk.NotFoundException({ message: `Invalid keyId '${keyId}'`, $metadata });
}

export function invalidArn(message: string): Error {
  return new sdk.InvalidArnException({ message, $metadata });
}

/** A key that cannot be used in its state. */
export function unusable(arn: string, state: KeyState): Error {
  if (state === "Disabled") return new sdk.DisabledException({ message: `${arn} is disabled.`, $metadata });
  return invalidState(`${arn} is pending deletion.`);
}

export function invalidState(message: string): Error {
  return new sdk.KMSInvalidStateException({ message, $metadata });
}

export function invalidCiphertext(): Error {
  // AWS gives no message either, so that nobody learns why.
  return new sdk.InvalidCiphertextException({ message: "", $metadata });
}

export function incorrectKey(): Error {
  const message = "The key ID in the request does not identify a CMK that can perform this operation.";
  return new sdk.IncorrectKeyException({ message, $metadata });
}

/** For ciphertexts whose key is unknown here: no more is told than to those who may not use it. */
export function unknownCiphertextKey(principalArn: string, action: string): Error {
  return new AccessDeniedError(
    `User: ${principalArn} is not authorized to perform: ${action} on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
  );
}

/** As for ciphertexts, where another account's key was named. The words are AWS's for ciphertexts, without those. */
export function unknownKey(principalArn: string, action: string): Error {
  return new AccessDeniedError(
    `User: ${principalArn} is not authorized to perform: ${action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
  );
}

export function aliasTaken(arn: string): Error {
  return new sdk.AlreadyExistsException({ message: `An alias with the name ${arn} already exists`, $metadata });
}

export function notAuthorized(message: string): Error {
  return new WireError("NotAuthorizedException", 400, message);
}

export function malformedPolicy(message: string): Error {
  return new sdk.MalformedPolicyDocumentException({ message, $metadata });
}

export function unsupported(message: string): Error {
  return new sdk.UnsupportedOperationException({ message, $metadata });
}

export function tagError(message: string): Error {
  return new sdk.TagException({ message, $metadata });
}

export function invalidMarker(): Error {
  return new sdk.InvalidMarkerException({ message: "The marker is not one that KMS gave.", $metadata });
}

export function dryRun(): Error {
  const message = "The request would have succeeded, but the DryRun option is set.";
  return new sdk.DryRunOperationException({ message, $metadata });
}

export function validationException(message: string): Error {
  return new WireError("ValidationException", 400, message);
}
