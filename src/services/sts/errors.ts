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

/** For tags: as AWS answers, though its model does not have it. */
export function invalidParameterValue(message: string): Error {
  return new WireError("InvalidParameterValue", 400, message);
}

export function malformedPolicyDocument(message: string): Error {
  return new sdk.MalformedPolicyDocumentException({ message, $metadata });
}

export function packedPolicyTooLarge(percent: number): Error {
  const message = `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`;
  return new sdk.PackedPolicyTooLargeException({ message, $metadata });
}

/** https://repost.aws/knowledge-center/iam-role-aws-sts-error */
export function packedTagsTooLarge(percent: number): Error {
  const message = `Packed size of session tags consumes ${percent}% of allotted space.`;
  return new sdk.PackedPolicyTooLargeException({ message, $metadata });
}

export function invalidIdentityToken(message: string): Error {
  return new sdk.InvalidIdentityTokenException({ message, $metadata });
}

export function expiredToken(message: string): Error {
  return new sdk.ExpiredTokenException({ message, $metadata });
}

export function idpRejectedClaim(message: string): Error {
  return new sdk.IDPRejectedClaimException({ message, $metadata });
}

export function idpCommunicationError(message: string): Error {
  return new sdk.IDPCommunicationErrorException({ message, $metadata });
}

export function invalidAuthorizationMessage(): Error {
  return new sdk.InvalidAuthorizationMessageException({ message: "Message is not valid", $metadata });
}

export function outboundFederationDisabled(): Error {
  const message = "Outbound web identity federation is not enabled for this account.";
  return new sdk.OutboundWebIdentityFederationDisabledException({ message, $metadata });
}

export function expiredTradeInToken(): Error {
  const message = "The trade-in token has expired. Request a new one.";
  return new sdk.ExpiredTradeInTokenException({ message, $metadata });
}

export function sessionDurationEscalation(): Error {
  const message = "The requested token duration would extend the session beyond its original expiration time.";
  return new sdk.SessionDurationEscalationException({ message, $metadata });
}
