/** Asks the evaluator whether a call may go ahead, with everything AWS would know about it. */

import type { CompiledPolicy } from "./authz/compile.ts";
import { type Decision, deniedMessage, evaluate } from "./authz/evaluate.ts";
import type { Call, PrincipalPolicies } from "./context.ts";
import { WireError } from "./errors.ts";
import { type Guardrails, guardrailsOf } from "./guardrails.ts";
import type { Authorization, ContextKeys } from "./operation.ts";

/** One thing to be allowed. */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: ContextKeys;
  /** Where the ARN does not say; undefined: the caller's own. */
  readonly resourceAccountId?: string | undefined;
  readonly resourcePolicy?: CompiledPolicy | undefined;
  readonly resourcePolicyRequired?: boolean;
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
      context: (await authorization.context?.(input, call, resource)) ?? {},
      resourceAccountId: await authorization.resourceAccountId?.(resource, input, call),
      resourcePolicy: await authorization.resourcePolicy?.(resource, input, call),
      resourcePolicyRequired: authorization.resourcePolicyRequired ?? false,
      awsManaged: await authorization.awsManaged?.(resource, input, call),
    });
  }
  for (const { roleArn, service } of authorization.passedRoles?.(input, call) ?? []) {
    const passed = { "iam:passedtoservice": service };
    await requireAccess(call, { action: "iam:PassRole", resource: roleArn, context: passed });
  }
}

export async function requireAccess(call: Call, request: AccessRequest): Promise<void> {
  const { action, resource } = request;
  const resourceAccountId = request.resourceAccountId ?? (accountOf(resource) || call.accountId);
  const sourceAccountId = call.sourceArn && accountOf(call.sourceArn);
  const { awsManaged } = request;
  const guardrails = await guardrailsOf(call, { action, resource, resourceAccountId, sourceAccountId, awsManaged });
  const { closedAccountId } = guardrails;
  if (closedAccountId !== undefined) throw new AccessDeniedError(closedMessage(call, request, closedAccountId));
  const policies = { ...(await call.system.identities.policiesOf(call.principal, call.db)), ...guardrails.policies };
  const evaluated = {
    action,
    resource,
    resourceAccountId,
    principal: call.principal,
    context: { ...globalContext(call), ...guardrails.context, ...request.context },
  };
  const decision = evaluateSafely(call, evaluated, policies, request);
  if (decision.allowed) return;
  throw new AccessDeniedError(deniedMessage(evaluated, decision));
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
  constructor(message: string) {
    super("AccessDenied", 403, message);
  }
}

/** An evaluator that fails denies. */
function evaluateSafely(
  call: Call,
  request: Parameters<typeof evaluate>[0],
  policies: PrincipalPolicies & Guardrails["policies"],
  { resourcePolicy, resourcePolicyRequired }: AccessRequest,
): Decision {
  try {
    return evaluate(request, {
      identity: policies.identity,
      ...(policies.boundary && { boundary: policies.boundary }),
      ...(policies.scps && { scps: policies.scps }),
      ...(policies.rcps && { rcps: policies.rcps }),
      ...(call.principal.sessionPolicies && { session: call.principal.sessionPolicies }),
      ...(resourcePolicy && { resource: resourcePolicy }),
      ...(resourcePolicyRequired && { resourcePolicyRequired }),
    });
  } catch (error) {
    call.system.log("error", "policy evaluation failed", { error: String(error), action: request.action });
    return { allowed: false, explicit: false };
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function globalContext(call: Call): Record<string, string | readonly string[] | undefined> {
  const { principal } = call;
  const context: Record<string, string | readonly string[] | undefined> = {
    "aws:currenttime": call.now.toISOString(),
    "aws:epochtime": String(Math.floor(call.now.getTime() / 1000)),
    "aws:principalarn": principal.roleArn ?? principal.arn,
    "aws:principalaccount": principal.accountId,
    "aws:principaltype": principal.type,
    "aws:principalisawsservice": String(principal.type === "Service"),
    "aws:requestedregion": call.region,
    "aws:securetransport": String(call.secureTransport),
    "aws:sourceip": call.sourceIp,
    "aws:useragent": call.userAgent,
    "aws:userid": principal.userId,
    "aws:viaawsservice": "false",
  };
  if (principal.type === "User") context["aws:username"] = principal.arn.slice(principal.arn.lastIndexOf("/") + 1);
  if (principal.service) context["aws:principalservicename"] = principal.service;
  if (principal.sourceIdentity) context["aws:sourceidentity"] = principal.sourceIdentity;
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
