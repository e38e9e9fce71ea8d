/**
 * Organizations' modelled errors. The words are those that AWS answers as far as users of terraform, moto and the aws CLI
 * report them, else mostly a sentence of the API reference about the error or its reason, sometimes shortened.
 */
import * as sdk from "@aws-sdk/client-organizations";
import { AccessDeniedError } from "#gateway/authorize.ts";

const $metadata = {};

/** The service and the SDK spell the member `Message`; `message` is what JavaScript's errors have. */
function said(message: string) {
  return { message, Message: message, $metadata };
}

/** What every account hears that may not administer its organization. */
export function accessDenied(): Error {
  return new AccessDeniedError("You don't have permissions to access this resource.");
}

export function dependencyDenied(): Error {
  const sentence =
    "The operation that you attempted requires you to have the iam:CreateServiceLinkedRole for organizations.amazonaws.com permission so that Organizations can create the required service-linked role. You don't have that permission.";
  return new sdk.AccessDeniedForDependencyException({
    Reason: "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE",
    ...said(sentence),
  });
}

export function notInUse(): Error {
  return new sdk.AWSOrganizationsNotInUseException(said("Your account is not a member of an organization."));
}

export function alreadyInOrganization(): Error {
  return new sdk.AlreadyInOrganizationException(said("The provided account is already a member of an organization."));
}

export function organizationNotEmpty(): Error {
  return new sdk.OrganizationNotEmptyException(
    said("To delete an organization you must first remove all member accounts (except the master)."),
  );
}

const CONSTRAINTS = {
  ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED: "You have exceeded the number of accounts that can be in progress at a time.",
  ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS:
    "You cannot delete organization due to an ongoing responsibility transfer process.",
  ACCOUNT_NUMBER_LIMIT_EXCEEDED: "You have exceeded the allowed number of AWS accounts.",
  ALL_FEATURES_MIGRATION_ORGANIZATION_SIZE_LIMIT_EXCEEDED:
    "Your organization has more than 5000 accounts, and you can only use the standard migration process for organizations with less than 5000 accounts.",
  CANNOT_CLOSE_MANAGEMENT_ACCOUNT: "You cannot close the management account.",
  CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR:
    "You cannot register master account/yourself as delegated administrator for your organization.",
  CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR:
    "You cannot register a suspended account as a delegated administrator.",
  CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG:
    "You cannot remove an account that is registered as a delegated administrator. First deregister this account as a delegated administrator.",
  CLOSE_ACCOUNT_QUOTA_EXCEEDED: "You have exceeded close account quota for the past 30 days.",
  MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED:
    "To complete this operation, the management account must have an associated account in the AWS GovCloud (US-West) Region.",
  MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED:
    "You have attached the maximum number of policies to the specified target.",
  MAX_TAG_LIMIT_EXCEEDED: "You have exceeded the number of tags allowed on this resource.",
  MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED:
    "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.",
  ORGANIZATION_NOT_IN_ALL_FEATURES_MODE:
    "This operation requires the organization to be configured to support all features.",
  OU_DEPTH_LIMIT_EXCEEDED: "You have exceeded the number of levels deep that OUs can be nested.",
  OU_NUMBER_LIMIT_EXCEEDED: "You have exceeded the number of OUs that you can have in an organization.",
  POLICY_CONTENT_LIMIT_EXCEEDED: "You have exceeded the maximum size of a policy of this type.",
  POLICY_TYPE_ENABLED_FOR_THIS_SERVICE:
    "You attempted to disable service access before you disabled the policy type. To complete this operation, you must first disable the policy type.",
  POLICY_NUMBER_LIMIT_EXCEEDED: "You have exceeded the number of policies that you can have in an organization.",
  RESPONSIBILITY_TRANSFER_MAX_INBOUND_QUOTA_VIOLATION: "You have exceeded your inbound transfers limit.",
  RESPONSIBILITY_TRANSFER_MAX_LEVEL_VIOLATION: "You have exceeded the maximum length of your transfer chain.",
  RESPONSIBILITY_TRANSFER_MAX_OUTBOUND_QUOTA_VIOLATION: "You have exceeded your outbound transfers limit.",
  RESPONSIBILITY_TRANSFER_MAX_TRANSFERS_QUOTA_VIOLATION:
    "You have exceeded the maximum number of inbound transfers allowed in a transfer chain.",
  SERVICE_ACCESS_NOT_ENABLED:
    "You must enable service access before you delegate an administrator for this service. Call the AWS API EnableAWSServiceAccess first.",
  TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED: "You cannot update this transfer because it is no longer active.",
  WAIT_PERIOD_ACTIVE: "This operation requires a wait period.  Try again later.",
} as const satisfies Partial<Record<sdk.ConstraintViolationExceptionReason, string>>;

export function constraintViolation(Reason: keyof typeof CONSTRAINTS, message: string = CONSTRAINTS[Reason]): Error {
  return new sdk.ConstraintViolationException({ Reason, ...said(message) });
}

const INPUTS = {
  DUPLICATE_TAG_KEY: "Tag keys must be unique among the tags attached to the same entity.",
  END_DATE_NOT_END_OF_MONTH:
    "You provided an invalid end date. The end date must be the end of the last day of the month (23.59.59.999).",
  END_DATE_TOO_EARLY: "You provided an invalid end date. The end date is too early.",
  END_DATE_TOO_LATE: "You provided an invalid end date. The end date is too late.",
  IMMUTABLE_POLICY: "You specified a policy that is managed by AWS and can't be modified.",
  INPUT_REQUIRED: "You must include a value for all required parameters.",
  INVALID_EMAIL_ADDRESS_TARGET: "You specified an invalid email address for the invited account owner.",
  INVALID_ENUM: "You specified an invalid value.",
  INVALID_ENUM_POLICY_TYPE: "You specified an invalid policy type string.",
  INVALID_LIST_MEMBER: "You provided a list to a parameter that contains at least one invalid value.",
  INVALID_NEXT_TOKEN:
    "Get the value for the NextToken parameter from the response to a previous call of the operation.",
  INVALID_PARTY_TYPE_TARGET: "You specified the wrong type of entity (account, organization, or email) as a party.",
  INVALID_PRINCIPAL: "You specified an invalid principal element in the policy.",
  INVALID_PATTERN: "You provided a value that does not match the required pattern.",
  INVALID_PATTERN_TARGET_ID: "You specified a policy target ID that doesn't match the required pattern.",
  INVALID_ROLE_NAME:
    "You provided a role name that isn't valid. A role name can't begin with the reserved prefix AWSServiceRoleFor.",
  INVALID_SYSTEM_TAGS_PARAMETER: "You specified a tag key that is a system tag.",
  MAX_LIMIT_EXCEEDED_FILTER: "You can specify only one filter parameter for the operation.",
  MAX_LENGTH_EXCEEDED: "You provided a string parameter that is longer than allowed.",
  MAX_VALUE_EXCEEDED: "You provided a numeric parameter that has a larger value than allowed.",
  MIN_LENGTH_EXCEEDED: "You provided a string parameter that is shorter than allowed.",
  MIN_VALUE_EXCEEDED: "You provided a numeric parameter that has a smaller value than allowed.",
  NON_DETACHABLE_POLICY: "You can't detach this AWS Managed Policy.",
  START_DATE_NOT_BEGINNING_OF_DAY:
    "You provided an invalid start date. The start date must be the beginning of the day (00:00:00.000).",
  START_DATE_NOT_BEGINNING_OF_MONTH:
    "You provided an invalid start date. The start date must be the first day of the month.",
  START_DATE_TOO_EARLY: "You provided an invalid start date. The start date is too early.",
  TARGET_NOT_SUPPORTED: "You can't perform the specified operation on that target entity.",
  UNRECOGNIZED_SERVICE_PRINCIPAL: "You specified an unrecognized service principal.",
} as const satisfies Partial<Record<sdk.InvalidInputExceptionReason, string>>;

export type InvalidInputReason = keyof typeof INPUTS;

export function invalidInputMessage(reason: InvalidInputReason): string {
  return INPUTS[reason];
}

export function invalidInput(Reason: InvalidInputReason, message: string = INPUTS[Reason]): Error {
  return new sdk.InvalidInputException({ Reason, ...said(message) });
}

const HANDSHAKE_CONSTRAINTS = {
  ALREADY_IN_AN_ORGANIZATION:
    "The handshake request is invalid because the invited account is already a member of an organization.",
  INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES:
    "You can't issue new invitations to join an organization while it's in the process of enabling all features.",
  ORGANIZATION_ALREADY_HAS_ALL_FEATURES:
    "The handshake request is invalid because the organization has already enabled all features.",
  ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION:
    "The handshake request is invalid because the organization has already started the process to enable all features.",
  RESPONSIBILITY_TRANSFER_ALREADY_EXISTS: "You cannot perform this operation with the current transfer.",
  SOURCE_AND_TARGET_CANNOT_MATCH:
    "An account can't accept a transfer invitation if it is both the sender and recipient of the invitation.",
} as const satisfies Partial<Record<sdk.HandshakeConstraintViolationExceptionReason, string>>;

export function handshakeConstraintViolation(Reason: keyof typeof HANDSHAKE_CONSTRAINTS): Error {
  return new sdk.HandshakeConstraintViolationException({ Reason, ...said(HANDSHAKE_CONSTRAINTS[Reason]) });
}

export function duplicateHandshake(): Error {
  return new sdk.DuplicateHandshakeException(said("A handshake with the same action and target already exists."));
}

export function handshakeNotFound(): Error {
  return new sdk.HandshakeNotFoundException(said("You specified a handshake that doesn't exist."));
}

export function handshakeAlreadyInState(): Error {
  return new sdk.HandshakeAlreadyInStateException(said("The specified handshake is already in the requested state."));
}

export function invalidHandshakeTransition(): Error {
  return new sdk.InvalidHandshakeTransitionException(
    said("You can't perform the operation on the handshake in its current state."),
  );
}

export function masterCannotLeave(): Error {
  return new sdk.MasterCannotLeaveOrganizationException(
    said("You can't remove a management account from an organization."),
  );
}

export function accountNotFound(): Error {
  return new sdk.AccountNotFoundException(said("You specified an account that doesn't exist."));
}

export function accountAlreadyClosed(): Error {
  return new sdk.AccountAlreadyClosedException(said("The provided account is already closed."));
}

export function closureInProgress(): Error {
  return new sdk.ConflictException(said("The account is already being closed."));
}

export function accountAlreadyRegistered(): Error {
  return new sdk.AccountAlreadyRegisteredException(
    said("The provided account is already a delegated administrator for your organization."),
  );
}

export function accountNotRegistered(): Error {
  return new sdk.AccountNotRegisteredException(
    said("The provided account is not a registered delegated administrator for your organization."),
  );
}

export function requestNotFound(): Error {
  return new sdk.CreateAccountStatusNotFoundException(
    said("You specified a create account request that doesn't exist."),
  );
}

export function duplicateAccount(): Error {
  return new sdk.DuplicateAccountException(said("That account is already present in the specified destination."));
}

export function parentNotFound(): Error {
  return new sdk.ParentNotFoundException(said("You specified a parent that doesn't exist."));
}

export function sourceParentNotFound(): Error {
  return new sdk.SourceParentNotFoundException(said("You specified a source parent that doesn't exist."));
}

export function destinationParentNotFound(): Error {
  return new sdk.DestinationParentNotFoundException(said("You specified a destination parent that doesn't exist."));
}

export function childNotFound(): Error {
  return new sdk.ChildNotFoundException(said("You specified a child that doesn't exist."));
}

export function rootNotFound(): Error {
  return new sdk.RootNotFoundException(said("You specified a root that doesn't exist."));
}

export function targetNotFound(): Error {
  return new sdk.TargetNotFoundException(said("You specified a target that doesn't exist."));
}

export function unitNotFound(): Error {
  return new sdk.OrganizationalUnitNotFoundException(said("You specified an organizational unit that doesn't exist."));
}

export function duplicateUnit(): Error {
  return new sdk.DuplicateOrganizationalUnitException(said("An OU with the same name already exists."));
}

export function unitNotEmpty(): Error {
  return new sdk.OrganizationalUnitNotEmptyException(
    said(
      "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.",
    ),
  );
}

export function policyNotFound(): Error {
  return new sdk.PolicyNotFoundException(said("You specified a policy that doesn't exist."));
}

export function duplicatePolicy(): Error {
  return new sdk.DuplicatePolicyException(said("A policy with the specified name and type already exists."));
}

export function policyInUse(): Error {
  return new sdk.PolicyInUseException(
    said(
      "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.",
    ),
  );
}

/** AWS does not say what is wrong with the document; `place` is added for the sake of whoever wrote it. */
export function malformedPolicy(place?: string): Error {
  const sentence = "The provided policy document does not meet the requirements of the specified policy type.";
  return new sdk.MalformedPolicyDocumentException(said(place === undefined ? sentence : `${sentence} ${place}`));
}

/** AWS answers this with the sentence of DuplicatePolicyException. */
export function duplicateAttachment(): Error {
  return new sdk.DuplicatePolicyAttachmentException(said("A policy with the specified name and type already exists."));
}

export function policyNotAttached(): Error {
  return new sdk.PolicyNotAttachedException(said("The policy isn't attached to the specified target."));
}

export function policyTypeNotEnabled(): Error {
  return new sdk.PolicyTypeNotEnabledException(said("This operation can be performed only for enabled policy types."));
}

export function policyTypeAlreadyEnabled(): Error {
  return new sdk.PolicyTypeAlreadyEnabledException(said("The specified policy type is already enabled."));
}

export function policyTypeNotAvailable(): Error {
  return new sdk.PolicyTypeNotAvailableForOrganizationException(
    said("You can't use the specified policy type with the feature set currently enabled for this organization."),
  );
}

export function effectivePolicyNotFound(): Error {
  return new sdk.EffectivePolicyNotFoundException(said("The account doesn't have an effective policy of this type."));
}

export function resourcePolicyNotFound(): Error {
  return new sdk.ResourcePolicyNotFoundException(said("You specified a resource policy that doesn't exist."));
}

export function transferNotFound(): Error {
  return new sdk.ResponsibilityTransferNotFoundException(said("You specified a transfer that doesn't exist."));
}

export function alreadyInTransferStatus(): Error {
  return new sdk.ResponsibilityTransferAlreadyInStatusException(
    said("The responsibility transfer is already in the status that you specified."),
  );
}

export function invalidTransferTransition(): Error {
  return new sdk.InvalidResponsibilityTransferTransitionException(
    said("The responsibility transfer can't transition to the requested state because it's not in a valid state."),
  );
}
