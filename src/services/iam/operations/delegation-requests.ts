/** Delegation requests: a partner makes them, an account reads them. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateDelegationRequest.html */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import { AccessDeniedError } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { aboutRequest, existingRequest, grantToCaller, ownerKey } from "../delegation/access.ts";
import { arnsOfIdentities, idOfIdentity } from "../delegation/identities.ts";
import {
  type DelegationRequest,
  delegationRequestArn,
  identitiesIn,
  toDelegationRequest,
} from "../delegation/model.ts";
import { topicOf } from "../delegation/notifications.ts";
import { partnerOf } from "../delegation/partners.ts";
import { permissionCheck } from "../delegation/permission-check.ts";
import { requestedPolicy } from "../delegation/requested-policy.ts";
import { summaryOf } from "../delegation/summary.ts";
import { alreadyExists, invalidInput } from "../errors.ts";
import { insertDelegationRequest, listDelegationRequests } from "../store/delegation-requests.ts";
import { page } from "./support.ts";

/** "This API is not available for general use": only to partners that are registered. */
export const CreateDelegationRequest: OperationOf<sdk.CreateDelegationRequestCommand> = {
  authorize: {
    action: "iam:CreateDelegationRequest",
    resources: (_input, { accountId }) => [delegationRequestArn(accountId, "*")],
    context: (input) => ({
      "iam:delegationduration": String(input.SessionDuration),
      "iam:notificationchannel": input.NotificationChannel,
      "iam:templatearn": input.Permissions?.PolicyTemplateArn,
    }),
  },
  async run(input, call) {
    const partner = await partnerOf(call.system.config, call.accountId);
    if (!partner)
      throw new AccessDeniedError(`The account ${call.accountId} is not registered for temporary delegation.`);
    const channel = topicOf(input.NotificationChannel!);
    if (!partner.accounts.includes(channel.accountId)) {
      throw invalidInput(`The SNS topic ${channel.arn} is not in one of the partner's registered accounts.`);
    }
    const permissions = input.Permissions!;
    const request: DelegationRequest = {
      id: randomUUID(),
      requestorAccountId: call.accountId,
      workflowId: input.RequestorWorkflowId!,
      ownerAccountId: input.OwnerAccountId,
      ownerId: undefined,
      state: "UNASSIGNED",
      stateSince: call.now,
      createdAt: call.now,
      updatedAt: call.now,
      details: {
        requestorName: partner.name,
        description: input.Description!,
        ...(input.RequestMessage !== undefined && { requestMessage: input.RequestMessage }),
        templateArn: permissions.PolicyTemplateArn!,
        parameters: permissions.Parameters ?? [],
        policy: requestedPolicy(partner, permissions),
        ...(input.RedirectUrl !== undefined && { redirectUrl: input.RedirectUrl }),
        notificationChannel: channel.arn,
        sessionSeconds: input.SessionDuration!,
        onlySendByOwner: input.OnlySendByOwner ?? false,
      },
    };
    if (!(await insertDelegationRequest(call.db, request))) {
      throw alreadyExists(`A delegation request with the workflow id ${request.workflowId} already exists.`);
    }
    return { DelegationRequestId: request.id };
  },
};

export const GetDelegationRequest: OperationOf<sdk.GetDelegationRequestCommand> = {
  authorize: aboutRequest("GetDelegationRequest", ({ DelegationRequestId }) => DelegationRequestId!),
  async run({ DelegationRequestId, DelegationPermissionCheck }, call) {
    const request = await existingRequest(call, DelegationRequestId!);
    const [shown] = await toDelegationRequests([request], call);
    return {
      DelegationRequest: shown,
      ...(DelegationPermissionCheck && {
        PermissionCheckStatus: "COMPLETE",
        PermissionCheckResult: await permissionCheck(call, request.details.policy),
      }),
    };
  },
};

/** "If a delegation request has no owner, even if it is assigned to a specific account, it will not be part of the output." */
export const ListDelegationRequests: OperationOf<sdk.ListDelegationRequestsCommand> = {
  authorize: {
    action: "iam:ListDelegationRequests",
    resources: () => ["*"],
    async context(input, call) {
      const ownerId = await ownerIn(input, call);
      return ownerId === undefined ? {} : ownerKey(call, ownerId);
    },
    resourcePolicy: async (_resource, input, call) =>
      (await ownerIn(input, call)) === call.principal.userId
        ? grantToCaller(call, "ListDelegationRequests")
        : undefined,
  },
  async run(input, call) {
    const ownerId = await ownerIn(input, call);
    const { items, IsTruncated, Marker } = await page(
      input,
      (slice) => listDelegationRequests(call.db, call.accountId, ownerId, slice),
      ({ id }) => id,
    );
    return {
      DelegationRequests: await toDelegationRequests(items, call),
      isTruncated: IsTruncated,
      ...(Marker !== undefined && { Marker }),
    };
  },
};

async function ownerIn({ OwnerId }: { readonly OwnerId?: string | undefined }, { db, accountId }: Call) {
  return OwnerId === undefined ? undefined : idOfIdentity(db, accountId, OwnerId);
}

async function toDelegationRequests(
  requests: readonly DelegationRequest[],
  { db, accountId, now }: Call,
): Promise<sdk.DelegationRequest[]> {
  const arnOf = await arnsOfIdentities(db, accountId, requests.flatMap(identitiesIn));
  return requests.map((request) => toDelegationRequest(request, now, arnOf));
}

const REQUEST_ARN = /^arn:aws:iam::(\d{12}):delegation-request\/([\w-]+)$/;

/** In English only: what it says is made of the request, not by a language model. */
export const GetHumanReadableSummary: OperationOf<sdk.GetHumanReadableSummaryCommand> = {
  authorize: {
    ...aboutRequest("GetHumanReadableSummary", ({ EntityArn }) => REQUEST_ARN.exec(EntityArn!)?.[2] ?? ""),
    resources: ({ EntityArn }) => [EntityArn!],
  },
  async run({ EntityArn, Locale = "en" }, call) {
    const [, accountId, id] = REQUEST_ARN.exec(EntityArn!) ?? [];
    if (id === undefined || accountId !== call.accountId) {
      throw invalidInput(`${EntityArn} is not the ARN of a delegation request in this account.`);
    }
    const request = await existingRequest(call, id);
    if (!/^en([_-]|$)/i.test(Locale)) return { Locale, SummaryState: "NOT_SUPPORTED" };
    return { SummaryContent: summaryOf(request), Locale, SummaryState: "AVAILABLE" };
  },
};
