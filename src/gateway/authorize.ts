/** Asks the evaluator whether a call may go ahead, with everything AWS would know about it. */

import type { Denial } from "./authorization-message.ts";
import type { CompiledPolicy } from "./authz/compile.ts";
import {
  type AuthorizationRequest,
  type Decision,
  deniedMessage,
  evaluate,
  missingKeys,
  type PolicySet,
} from "./authz/evaluate.ts";
import { isFederated } from "./authz/principals.ts";
import type { Call } from "./context.ts";
import { WireError } from "./errors.ts";
import { guardrailsOf } from "./guardrails.ts";
import type { Authorization, ContextKeys } from "./operation.ts";

/** One thing to be allowed. */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** The keys beside the global ones and the resource's tags; a function is called only where a policy asks for one. */
  readonly context?: ContextKeys | (() => ContextKeys | Promise<ContextKeys>) | undefined;
  /** Where the ARN does not say; undefined: the caller's own. */
  readonly resourceAccountId?: string | undefined;
  readonly resourcePolicy?: CompiledPolicy | undefined;
  readonly resourcePolicyRequired?: boolean | undefined;
  /** No RCP restricts it. */
  readonly awsManaged?: boolean | undefined;
}

/** Throws AccessDenied, in the words of AWS, unless everything that the operation needs is allowed. */
export async function authorizeOperation<I>(authorization: Authorization<I>, input: I, call: Call): Promise<void> {
  const resources = await authorization.resources(input, call);
  for (const resource of resources) {
    await requireAccess(call, {
      action: typeof authorization.action === "string" ? authorization.action : authorization.action(input),
      resource,
      context: () => authorization.context?.(input, call, resource) ?? {},
      resourceAccountId: await authorization.resourceAccountId?.(resource, input, call),
      resourcePolicy: await authorization.resourcePolicy?.(resource, input, call),
      resourcePolicyRequired: authorization.resourcePolicyRequired,
      awsManaged: await authorization.awsManaged?.(resource, input, call),
    });
  }
  for (const request of authorization.additional?.(input, call, resources) ?? []) await requireAccess(call, request);
  for (const { roleArn, service } of authorization.passedRoles?.(input, call) ?? []) {
    const context = { "iam:passedtoservice": service };
    await requireAccess(call, { action: "iam:PassRole", resource: roleArn, context });
  }
}

/** Throws AccessDenied, in the words of AWS. */
export async function requireAccess(call: Call, request: AccessRequest): Promise<void> {
  const judged = await judge(call, request);
  if (judged.decision.allowed) return;
  // Who has not signed in yet is told no more: AWS names neither the role nor the policy.
  const message = isFederated(call.principal)
    ? `Not authorized to perform ${request.action}`
    : deniedMessage(judged.request, judged.decision);
  throw new AccessDeniedError(message, judged);
}

export async function decisionOn(call: Call, request: AccessRequest): Promise<Decision> {
  return (await judge(call, request)).decision;
}

async function judge(call: Call, request: AccessRequest): Promise<Denial> {
  const { action, resource, context } = request;
  const { principal } = call;
  const resourceAccountId = request.resourceAccountId ?? (accountOf(resource) || call.accountId);
  const sourceAccountId = call.sourceArn && accountOf(call.sourceArn);
  const { awsManaged } = request;
  const guardrails = await guardrailsOf(call, { action, resource, resourceAccountId, sourceAccountId, awsManaged });
  const { closedAccountId } = guardrails;
  if (closedAccountId !== undefined) throw new AccessDeniedError(closedMessage(call, request, closedAccountId));
  const policies: PolicySet = {
    ...(await call.system.identities.policiesOf(principal, call.db)),
    ...guardrails.policies,
    session: principal.sessionPolicies,
    resource: request.resourcePolicy,
    resourcePolicyRequired: request.resourcePolicyRequired,
  };
  const known = (): ContextKeys => ({
    ...globalContext(call),
    "aws:resourceaccount": resourceAccountId,
    ...guardrails.context,
    ...(typeof context === "object" ? context : {}),
  });
  const bare: AuthorizationRequest = { action, resource, resourceAccountId, principal, context: {} };
  let asked = bare;
  // To put all keys together costs more than to decide, and most requests are decided without any.
  if (missingKeys(bare, policies).length > 0) {
    asked = { ...bare, context: known() };
    const missing = missingKeys(asked, policies);
    if (missing.length > 0)
      asked = { ...bare, context: { ...asked.context, ...(await lazyContext(call, request, missing)) } };
  }
  const decision = evaluate(asked, policies);
  // Why it was denied is told with all that is known.
  if (!decision.allowed && asked === bare) asked = { ...bare, context: known() };
  const { fault } = decision;
  if (fault !== undefined) {
    const error = fault instanceof Error ? fault.stack : String(fault);
    call.system.log("error", "policy evaluation failed", { action, error });
  }
  return { request: asked, decision, policies };
}

/** Keys that cost something to know, as tags are read from the store; `missing` are those that policies ask for. */
async function lazyContext(
  call: Call,
  { action, resource, context }: AccessRequest,
  missing: readonly string[],
): Promise<ContextKeys> {
  // Not of a role that is passed: "This approach does not have reliable results."
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_iam-tags.html
  const tagged = action !== "iam:PassRole" && missing.some((key) => key.includes(":resourcetag/"));
  return {
    ...(tagged && (await resourceTagKeys(call, resource))),
    ...(typeof context === "function" && (await context())),
  };
}

/**
 * Resources whose `aws:ResourceTag/…` have another name with their service's prefix, `ecs:ResourceTag/…`; a test compares
 * them with AWS's service authorization reference.
 */
const WITH_OWN_RESOURCE_TAG =
  /^arn:aws:(?:(ecr|elasticloadbalancing):|(ecs):[^:]*:\d*:(?!daemon|service-deployment|service-revision)|(iam)::\d*:(?:role|user)\/)/;

/** `aws:ResourceTag/…`, by each of its names. */
export async function resourceTagKeys(call: Call, resource: string): Promise<ContextKeys> {
  const own = WITH_OWN_RESOURCE_TAG.exec(resource);
  const prefixes = ["aws", ...(own?.slice(1) ?? [])].filter((prefix) => prefix !== undefined);
  const tags = Object.entries((await call.system.resourceTags(resource, call)) ?? {});
  const keys = (prefix: string) => tags.map(([key, value]) => [`${prefix}:resourcetag/${key.toLowerCase()}`, value]);
  return Object.fromEntries(prefixes.flatMap(keys));
}

/**
 * "During this 90-day period, the resources won't be available unless you contact AWS Support to reopen the account"
 * (https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html). AWS does not publish its words.
 */
function closedMessage({ principal }: Call, { action, resource }: AccessRequest, accountId: string): string {
  return `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} because the account ${accountId} is closed`;
}

/** The gateway gives it each protocol's code. */
export class AccessDeniedError extends WireError {
  /** What was asked and why it was denied, for the audit trail; undefined where a service denies by rules of its own. */
  readonly denial: Denial | undefined;

  constructor(message: string, denial?: Denial) {
    super("AccessDenied", 403, message);
    this.denial = denial;
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function globalContext(call: Call): Record<string, string | readonly string[] | undefined> {
  const { principal } = call;
  const context: Record<string, string | readonly string[] | undefined> = {
    ...principal.sessionKeys,
    "aws:currenttime": call.now.toISOString(),
    "aws:epochtime": String(Math.floor(call.now.getTime() / 1000)),
    "aws:principalarn": principal.roleArn ?? principal.arn,
    "aws:principalaccount": principal.accountId,
    "aws:principaltype": principal.type === "Root" ? "Account" : principal.type,
    "aws:principalisawsservice": String(principal.type === "Service"),
    "aws:referer": call.http?.headers.referer,
    "aws:requestedregion": call.region,
    "aws:securetransport": String(call.secureTransport),
    "aws:sourceip": call.sourceIp,
    "aws:useragent": call.userAgent,
    "aws:userid": principal.userId,
    "aws:viaawsservice": String(call.calledVia !== undefined),
    "aws:calledvia": call.calledVia,
    "aws:calledviafirst": call.calledVia?.at(0),
    "aws:calledvialast": call.calledVia?.at(-1),
  };
  if (principal.type === "User") context["aws:username"] = principal.arn.slice(principal.arn.lastIndexOf("/") + 1);
  if (principal.service) {
    context["aws:principalservicename"] = principal.service;
    context["aws:principalservicenameslist"] = [principal.service];
  }
  // "included in the request context only when the principal uses temporary credentials", or proves it with the request
  if (principal.sessionExpiration || principal.mfaAuthenticatedAt) {
    context["aws:multifactorauthpresent"] = String(principal.mfaAuthenticatedAt !== undefined);
  }
  if (principal.mfaAuthenticatedAt) {
    const age = call.now.getTime() - principal.mfaAuthenticatedAt.getTime();
    context["aws:multifactorauthage"] = String(Math.floor(age / 1000));
  }
  if (principal.tokenIssueTime) context["aws:tokenissuetime"] = principal.tokenIssueTime.toISOString();
  if (principal.sourceIdentity) context["aws:sourceidentity"] = principal.sourceIdentity;
  if (principal.federation) {
    Object.assign(context, principal.federation.keys);
    if (!isFederated(principal)) context["aws:federatedprovider"] = principal.federation.provider;
  }
  if (call.sourceArn) {
    context["aws:sourcearn"] = call.sourceArn;
    context["aws:sourceaccount"] = accountOf(call.sourceArn) || call.accountId;
  }
  for (const [key, value] of Object.entries(principal.tags ?? {}))
    context[`aws:principaltag/${key.toLowerCase()}`] = value;
  return context;
}

/**
 * The account of an ARN; "" where the ARN has none (S3), where it is everybody's (`aws` in the policies that AWS manages),
 * or the text is not an ARN.
 */
export function accountOf(arn: string): string {
  const account = arn.startsWith("arn:") ? (arn.split(":", 5)[4] ?? "") : "";
  return account === "aws" ? "" : account;
}
