/** A delegation request as it is kept and as the API shows it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_DelegationRequest.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Delegate } from "#gateway/exchange-token.ts";
import { iamArn } from "../model.ts";
import { expirationOf, type StoredState, stateAt } from "./states.ts";

export interface DelegationRequest {
  readonly id: string;
  /** The partner's account, which alone can exchange the token. */
  readonly requestorAccountId: string;
  /** The partner's own name for the request, unique in its account. */
  readonly workflowId: string;
  /** undefined where any account may take the request. */
  readonly ownerAccountId: string | undefined;
  /** Unique id of who took the request, as `identities.ts` says; undefined until somebody did. */
  readonly ownerId: string | undefined;
  readonly state: StoredState;
  readonly stateSince: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly details: RequestDetails;
}

export interface RequestDetails {
  readonly requestorName: string;
  readonly description: string;
  readonly requestMessage?: string;
  readonly templateArn: string;
  readonly parameters: readonly sdk.PolicyParameter[];
  /** JSON: the template with the parameters' values, which is the session's policy. */
  readonly policy: string;
  readonly redirectUrl?: string;
  /** ARN of an SNS topic of the partner's. */
  readonly notificationChannel: string;
  readonly sessionSeconds: number;
  readonly onlySendByOwner: boolean;
  readonly notes?: string;
  readonly rejectionReason?: string;
  /** Who accepted: "the identity that gets mapped to the delegated credential". */
  readonly approver?: Delegate;
}

export function delegationRequestArn(accountId: string, id: string): string {
  return iamArn(accountId, "delegation-request", "/", id);
}

/** `arnOf` gives the ARNs of today of the identities in it. */
export function toDelegationRequest(
  request: DelegationRequest,
  now: Date,
  arnOf: (id: string) => string,
): sdk.DelegationRequest {
  const { details } = request;
  const boundaries = boundariesOf(details.policy);
  return {
    DelegationRequestId: request.id,
    ...(request.ownerAccountId !== undefined && { OwnerAccountId: request.ownerAccountId }),
    Description: details.description,
    ...(details.requestMessage !== undefined && { RequestMessage: details.requestMessage }),
    Permissions: { PolicyTemplateArn: details.templateArn, Parameters: [...details.parameters] },
    PermissionPolicy: details.policy,
    ...(boundaries.length > 0 && { RolePermissionRestrictionArns: boundaries }),
    ...(request.ownerId !== undefined && { OwnerId: arnOf(request.ownerId) }),
    ...(details.approver && { ApproverId: arnOf(details.approver.principal.userId) }),
    State: stateAt(request, now),
    ExpirationTime: expirationOf(request),
    RequestorId: request.requestorAccountId,
    RequestorName: details.requestorName,
    CreateDate: request.createdAt,
    SessionDuration: details.sessionSeconds,
    ...(details.redirectUrl !== undefined && { RedirectUrl: details.redirectUrl }),
    ...(details.notes !== undefined && { Notes: details.notes }),
    ...(details.rejectionReason !== undefined && { RejectionReason: details.rejectionReason }),
    OnlySendByOwner: details.onlySendByOwner,
    UpdatedTime: request.updatedAt,
  };
}

/** The unique ids of the identities that the API tells of the request. */
export function identitiesIn({ ownerId, details }: DelegationRequest): string[] {
  return [ownerId, details.approver?.principal.userId].filter((id) => id !== undefined);
}

interface RawStatement {
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** "The list of permissions boundary policies associated with the role creation": those that conditions name. */
export function boundariesOf(policy: string): string[] {
  const { Statement } = JSON.parse(policy) as { readonly Statement: readonly RawStatement[] };
  const named = Statement.flatMap(({ Condition = {} }) => Object.values(Condition)).flatMap((keys) =>
    Object.entries(keys).flatMap(([key, values]) => (key.toLowerCase() === "iam:permissionsboundary" ? values : [])),
  );
  return [...new Set(named)];
}
