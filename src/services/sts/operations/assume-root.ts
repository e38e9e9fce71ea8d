/**
 * A session of a member account's root user for one task, where the organization has centralised root access.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-access-management.html
 */
import { ListOrganizationsFeaturesCommand } from "@aws-sdk/client-iam";
import { DescribeAccountCommand } from "@aws-sdk/client-organizations";
import type * as sdk from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { accessDenied, validationError } from "../errors.ts";
import { issued, tokenSize } from "../issue.ts";
import { managedPolicy } from "../session-policies.ts";

const MAX_SECONDS = 900;
/** "You can use one of the following policies." They deny everything but the task. */
const TASK_POLICIES: ReadonlySet<string> = new Set(
  [
    "IAMAuditRootUserCredentials",
    "IAMCreateRootUserPassword",
    "IAMDeleteRootUserCredentials",
    "S3UnlockBucketPolicy",
    "SQSUnlockQueuePolicy",
  ].map((name) => `arn:aws:iam::aws:policy/root-task/${name}`),
);

export const AssumeRoot: OperationOf<sdk.AssumeRootCommand> = {
  authorize: {
    action: "sts:AssumeRoot",
    resources: (input) => [rootArn(targetOf(input.TargetPrincipal!))],
    context: (input) => ({ "sts:taskpolicyarn": input.TaskPolicyArn?.arn }),
    // The organization, not the member, lets its management account in.
    resourceAccountId: (_arn, _input, call) => call.accountId,
  },
  async run(input, call) {
    // With `--accept-any-credentials` root stands for whoever calls.
    if (call.principal.type === "Root" && !call.system.config.acceptAnyCredentials)
      throw accessDenied("Root credentials may not call AssumeRoot");
    const accountId = targetOf(input.TargetPrincipal!);
    const policyArn = input.TaskPolicyArn?.arn ?? "";
    if (!TASK_POLICIES.has(policyArn)) throw validationError(`${policyArn} is not a policy for a root task`);
    if (!(await hasRootSessions(call)) || !(await isMember(call, accountId))) {
      throw accessDenied(`Not authorized to perform sts:AssumeRoot on ${rootArn(accountId)}`);
    }
    const policies = [await managedPolicy(call, accountId, policyArn), WHATEVER_IS_LEFT];
    const { sourceIdentity } = call.principal;
    const seconds = input.DurationSeconds ?? MAX_SECONDS;
    const { type, arn, userId } = rootPrincipal(accountId);
    const principal = { type, arn, accountId, userId, ...(sourceIdentity !== undefined && { sourceIdentity }) };
    const credentials = issued(call, seconds, { principal, policies }, input.MinimumSessionTokenSize);
    return {
      Credentials: credentials,
      ...tokenSize(credentials),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    };
  },
};

/** A task's policy only denies, and a session can do no more than its policies allow. */
const WHATEVER_IS_LEFT = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
});

/** "The member account principal ARN or account ID." Throws ValidationError. */
function targetOf(principal: string): string {
  const account = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1];
  if (account === undefined) throw validationError(`${principal} is invalid`);
  return account;
}

function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`;
}

async function hasRootSessions(call: Call): Promise<boolean> {
  const features = await answered(call, (client) => client.send(new ListOrganizationsFeaturesCommand({})));
  return features?.EnabledFeatures?.includes("RootSessions") ?? false;
}

async function isMember(call: Call, accountId: string): Promise<boolean> {
  const described = await answered(call, (client) => client.send(new DescribeAccountCommand({ AccountId: accountId })));
  return accountId !== call.accountId && described?.Account?.Status === "ACTIVE";
}

/** undefined wherever IAM and Organizations cannot say: without an organization, there is no such access. */
async function answered<A>(call: Call, ask: (client: Client) => Promise<A>): Promise<A | undefined> {
  const { accountId, region, db } = call;
  try {
    return await ask(call.system.client(rootPrincipal(accountId), { accountId, region, db }));
  } catch (error) {
    call.system.log("info", "AssumeRoot found no centralised root access", { accountId, error: String(error) });
    return undefined;
  }
}
