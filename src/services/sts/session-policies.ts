/** Policies passed when a session is made. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session */
import { GetPolicyCommand, GetPolicyVersionCommand } from "@aws-sdk/client-iam";
import { MalformedPolicyError, parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import type { SessionPolicy } from "#gateway/session-token.ts";
import { malformedPolicyDocument, packedPolicyTooLarge, validationError } from "./errors.ts";

interface PolicyRequest {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined;
}

/** "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters." */
const MAX_CHARACTERS = 2048;
/** "You can provide up to 10 managed policy ARNs." */
const MAX_POLICY_ARNS = 10;

/**
 * Managed policies as they are now; undefined where none were passed. `accountId` is the account of the
 * session, whose managed policies may be named. Throws MalformedPolicyDocument or PackedPolicyTooLarge.
 */
export async function sessionPolicies(
  call: Call,
  accountId: string,
  { Policy, PolicyArns = [] }: PolicyRequest,
): Promise<SessionPolicy[] | undefined> {
  if (Policy === undefined && PolicyArns.length === 0) return undefined;
  if (PolicyArns.length > MAX_POLICY_ARNS) {
    throw validationError(`A session has at most ${MAX_POLICY_ARNS} managed session policies.`);
  }
  const arns = PolicyArns.map(({ arn }) => arn!);
  const characters = [Policy ?? "", ...arns].reduce((sum, text) => sum + text.length, 0);
  if (characters > MAX_CHARACTERS) throw packedPolicyTooLarge(Math.ceil((characters / MAX_CHARACTERS) * 100));
  if (Policy !== undefined) requireWellFormed(Policy);
  const managed = await Promise.all(arns.map((arn) => managedPolicy(call, accountId, arn)));
  return Policy === undefined ? managed : [Policy, ...managed];
}

function requireWellFormed(document: string): void {
  try {
    parsePolicy(document, "session");
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw malformedPolicyDocument(error.message);
    throw error;
  }
}

export async function managedPolicy(call: Call, accountId: string, arn: string): Promise<SessionPolicy> {
  const owner = /^arn:aws:iam::(\d{12}|aws):policy\/./.exec(arn)?.[1];
  if (owner !== "aws" && owner !== accountId) {
    throw validationError(`The requested policy ${arn} must be in the same account as the role.`);
  }
  const iam = call.system.client(rootPrincipal(accountId), { accountId, region: call.region, db: call.db });
  try {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }));
    const version = new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: Policy!.DefaultVersionId });
    return { document: decodeURIComponent((await iam.send(version)).PolicyVersion!.Document!), arn };
  } catch (error) {
    if ((error as Error).name === "NoSuchEntityException") {
      throw validationError(`Policy ${arn} does not exist or is not attachable.`);
    }
    throw error;
  }
}
