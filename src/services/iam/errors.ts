/** IAM's modelled errors, in its words. */
import * as sdk from "@aws-sdk/client-iam";
import { WireError } from "#gateway/errors.ts";
import type { EntityKind } from "./model.ts";

const $metadata = {};

export function noSuchEntity(message: string): Error {
  return new sdk.NoSuchEntityException({ message, $metadata });
}

/** kind: "user", "group", "role" and what hangs on them: "role policy" */
export function notFound(kind: string, name: string): Error {
  return noSuchEntity(`The ${kind} with name ${name} cannot be found.`);
}

export function policyNotAttachable(arn: string): Error {
  return noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
}

/** For policies of service-linked roles, on whatever is not one: https://github.com/aws/aws-cdk/issues/6131 */
export function serviceRolePolicy(): Error {
  const message = "Cannot attach a Service Role Policy to a Customer Role.";
  return new sdk.PolicyNotAttachableException({ message, $metadata });
}

export function policyNotFound(arn: string): Error {
  return noSuchEntity(`Policy ${arn} was not found.`);
}

export function alreadyExists(message: string): Error {
  return new sdk.EntityAlreadyExistsException({ message, $metadata });
}

const TITLES = { user: "User", group: "Group", role: "Role" } as const satisfies Record<EntityKind, string>;

export function nameTaken(kind: EntityKind, name: string): Error {
  return alreadyExists(`${TITLES[kind]} with name ${name} already exists.`);
}

export function nameConflict(message: string): Error {
  return new sdk.NameConflictException({ message, $metadata });
}

export function roleModified(name: string): Error {
  const message = `Role ${name} has been modified since it was created and is no longer managed.`;
  return new sdk.RoleModifiedException({ message, $metadata });
}

export function deleteConflict(message: string): Error {
  return new sdk.DeleteConflictException({ message, $metadata });
}

export function limitExceeded(message: string): Error {
  return new sdk.LimitExceededException({ message, $metadata });
}

export function overQuota(quota: string, value: number): Error {
  return limitExceeded(`Cannot exceed quota for ${quota}: ${value}`);
}

export function malformedPolicyDocument(message: string): Error {
  return new sdk.MalformedPolicyDocumentException({ message, $metadata });
}

export function invalidInput(message: string): Error {
  return new sdk.InvalidInputException({ message, $metadata });
}

export function policyEvaluation(message: string): Error {
  return new sdk.PolicyEvaluationException({ message, $metadata });
}

export function protectedRole(roleName: string): Error {
  const message = `Cannot perform the operation on the protected role '${roleName}' - this role is only modifiable by AWS`;
  return new sdk.UnmodifiableEntityException({ message, $metadata });
}

export function passwordPolicyViolation(message: string): Error {
  return new sdk.PasswordPolicyViolationException({ message, $metadata });
}

export function invalidUserType(message: string): Error {
  return new sdk.InvalidUserTypeException({ message, $metadata });
}

export function temporarilyUnmodifiable(message: string): Error {
  return new sdk.EntityTemporarilyUnmodifiableException({ message, $metadata });
}

export function invalidAuthenticationCode(): Error {
  const message = "Authentication code for device is not valid.";
  return new sdk.InvalidAuthenticationCodeException({ message, $metadata });
}

export function invalidPublicKey(message: string): Error {
  return new sdk.InvalidPublicKeyException({ message, $metadata });
}

export function unrecognizedEncoding(message: string): Error {
  return new sdk.UnrecognizedPublicKeyEncodingException({ message, $metadata });
}

export function duplicateSshPublicKey(message: string): Error {
  return new sdk.DuplicateSSHPublicKeyException({ message, $metadata });
}

export function keyPairMismatch(message: string): Error {
  return new sdk.KeyPairMismatchException({ message, $metadata });
}

export function invalidCertificate(message: string): Error {
  return new sdk.InvalidCertificateException({ message, $metadata });
}

export function duplicateCertificate(message: string): Error {
  return new sdk.DuplicateCertificateException({ message, $metadata });
}

export function reportNotPresent(message: string): Error {
  return new sdk.CredentialReportNotPresentException({ message, $metadata });
}

export function reportExpired(message: string): Error {
  return new sdk.CredentialReportExpiredException({ message, $metadata });
}

export function serviceNotSupported(message: string): Error {
  return new sdk.ServiceNotSupportedException({ message, $metadata });
}

export function malformedCertificate(message: string): Error {
  return new sdk.MalformedCertificateException({ message, $metadata });
}

/** An id, of a credential, that is not there or somebody else's. `kind`: "SSH Public Key", "Certificate". */
export function idNotFound(kind: string, id: string): Error {
  return noSuchEntity(`The ${kind} with id ${id} cannot be found.`);
}

export function accessDenied(message: string): Error {
  return new WireError("AccessDenied", 403, message);
}

export function validationError(message: string): Error {
  return new WireError("ValidationError", 400, message);
}

export function organizationNotFound(): Error {
  return new sdk.OrganizationNotFoundException({
    message: "No organization is associated with your account.",
    $metadata,
  });
}

export function organizationNotInAllFeaturesMode(): Error {
  const message = "Your organization does not have All features enabled.";
  return new sdk.OrganizationNotInAllFeaturesModeException({ message, $metadata });
}

export function serviceAccessNotEnabled(): Error {
  const message = "Trusted access is not enabled for IAM in Organizations.";
  return new sdk.ServiceAccessNotEnabledException({ message, $metadata });
}

export function callerIsNotManagementAccount(): Error {
  const message = "The account making the request is not the management account for the organization.";
  return new sdk.CallerIsNotManagementAccountException({ message, $metadata });
}

export function notManagementOrDelegatedAdministrator(): Error {
  const message =
    "The account making the request is not the management account or delegated administrator account for centralized root access.";
  return new sdk.AccountNotManagementOrDelegatedAdministratorException({ message, $metadata });
}
