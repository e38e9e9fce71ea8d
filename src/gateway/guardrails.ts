/**
 * What an organization adds to a decision: the service control policies of the caller's account, the resource control
 * policies of the resource's, and the condition keys that name organizations.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 */
import type { PolicySet } from "./authz/evaluate.ts";
import type { Call, Membership, Principal } from "./context.ts";

export interface Guardrails {
  readonly policies: Pick<PolicySet, "scps" | "rcps">;
  /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** The caller's or the resource's account, where it is closed. */
  readonly closedAccountId?: string;
}

/** SCPs "affect only IAM users and roles that are managed by accounts that are part of the organization", and the root. */
const ACCOUNT_PRINCIPALS: ReadonlySet<Principal["type"]> = new Set(["User", "AssumedRole", "FederatedUser", "Root"]);

/** Whole: the path of any other role may have colons, and so this in the middle. */
const SERVICE_LINKED = /^arn:aws:iam::\d{12}:role\/aws-service-role\//;

const NONE: Guardrails = { policies: {}, context: {} };

export interface GuardedRequest {
  readonly action: string;
  readonly resource: string;
  readonly resourceAccountId: string;
  /** The account of `aws:SourceArn`. */
  readonly sourceAccountId?: string | undefined;
  /** The resource is AWS's own. */
  readonly awsManaged?: boolean | undefined;
}

export async function guardrailsOf(call: Call, request: GuardedRequest): Promise<Guardrails> {
  const { principal, db } = call;
  const { organizations } = call.system;
  const { resourceAccountId, sourceAccountId } = request;
  const ownAccountId = principal.accountId;
  const foreign = resourceAccountId !== ownAccountId;
  const bySlipway = isSlipwayItself(principal);
  if (!bySlipway) {
    if (await organizations.isClosed(ownAccountId, db)) return { ...NONE, closedAccountId: ownAccountId };
    if (foreign && (await organizations.isClosed(resourceAccountId, db)))
      return { ...NONE, closedAccountId: resourceAccountId };
  }
  const own = await organizations.membershipOf(ownAccountId, db);
  const resources = foreign ? await organizations.membershipOf(resourceAccountId, db) : own;
  const source = sourceAccountId ? await organizations.membershipOf(sourceAccountId, db) : undefined;
  if (!own && !resources && !source) return NONE;

  const ofAccount = ACCOUNT_PRINCIPALS.has(principal.type);
  const exempt = isServiceLinkedRole(principal.roleArn);
  return {
    policies: {
      scps: ofAccount && !exempt && !bySlipway ? own?.scps : undefined,
      rcps: !exempt && rcpsApplyTo(request) ? resources?.rcps : undefined,
    },
    context: {
      ...(ofAccount && keys("principal", own)),
      ...keys("resource", resources),
      ...(principal.type === "Service" && keys("source", source)),
    },
  };
}

function keys(whose: "principal" | "resource" | "source", membership: Membership | undefined) {
  return (
    membership && {
      [`aws:${whose}orgid`]: membership.organizationId,
      [`aws:${whose}orgpaths`]: [membership.path],
    }
  );
}

/** "SCPs do not affect any service-linked role", and neither do RCPs. `roleArn`: of a role, or undefined. */
export function isServiceLinkedRole(roleArn: string | undefined): boolean {
  return roleArn !== undefined && SERVICE_LINKED.test(roleArn);
}

/** A root without credentials is nobody's request: Slipway looks something up in the account, such as a role to assume. */
function isSlipwayItself({ type, accessKeyId }: Principal): boolean {
  return type === "Root" && accessKeyId === undefined;
}

/** Of the services that Slipway has or will have, those that the guide lists under "AWS services that support RCPs". */
export const RCP_SERVICES: ReadonlySet<string> = new Set([
  "codebuild",
  "codecommit",
  "codepipeline",
  "ecr",
  "events",
  "kms",
  "logs",
  "s3",
  "secretsmanager",
  "servicediscovery",
  "sqs",
  "sts",
]);

/**
 * `kms:RetireGrant` is never restricted, and RCPs "do not apply to AWS managed keys"
 * (https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html).
 */
function rcpsApplyTo({ action, awsManaged }: GuardedRequest): boolean {
  return !awsManaged && action !== "kms:RetireGrant" && RCP_SERVICES.has(action.slice(0, action.indexOf(":")));
}
