/**
 * Makes a service role as AWS's consoles do, by IAM's public API alone: for the CLI, the demo, and a console in the browser,
 * which hand in their own client. What each role may do is in `definitions.ts`.
 */
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";
import { CreateServiceRoleError, type Policy, type ServiceRole } from "./definitions.ts";

/** Of the account's own policies, which the role brings. The consoles describe them so. */
const POLICY_DESCRIPTION = "Policy used in trust relationship with";
const TAKEN = "EntityAlreadyExistsException";

/**
 * The role's ARN. What is there already and says the same is kept, so that a call that was cut short may be repeated; throws
 * CreateServiceRoleError where a role or policy of the name says something else.
 */
export async function createServiceRole(iam: Pick<IAMClient, "send">, role: ServiceRole): Promise<string> {
  const arn = await ensureRole(iam, role);
  const policyArns = [...role.managedPolicyArns];
  for (const policy of role.policies) policyArns.push(await ensurePolicy(iam, role, policy, arn.split(":")[4]!));
  for (const PolicyArn of policyArns) await iam.send(new AttachRolePolicyCommand({ RoleName: role.name, PolicyArn }));
  return arn;
}

async function ensureRole(iam: Pick<IAMClient, "send">, role: ServiceRole): Promise<string> {
  const { name: RoleName, path: Path, service } = role;
  const document = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  };
  const AssumeRolePolicyDocument = JSON.stringify(document);
  try {
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument }));
    return Role!.Arn!;
  } catch (error) {
    if ((error as Error).name !== TAKEN) throw error;
    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
    if (Role?.Path === Path && isSame(Role.AssumeRolePolicyDocument, document)) return Role.Arn!;
    throw new CreateServiceRoleError(`There is a role ${RoleName} that trusts somebody else or has another path`);
  }
}

async function ensurePolicy(
  iam: Pick<IAMClient, "send">,
  { path: Path, service }: ServiceRole,
  { name: PolicyName, statements }: Policy,
  accountId: string,
): Promise<string> {
  const document = { Version: "2012-10-17", Statement: statements };
  const PolicyDocument = JSON.stringify(document);
  const Description = `${POLICY_DESCRIPTION} ${service}`;
  try {
    const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName, Path, PolicyDocument, Description }));
    return Policy!.Arn!;
  } catch (error) {
    if ((error as Error).name !== TAKEN) throw error;
    const PolicyArn = `arn:aws:iam::${accountId}:policy${Path}${PolicyName}`;
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy!.DefaultVersionId!;
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
    if (isSame(PolicyVersion?.Document, document)) return PolicyArn;
    throw new CreateServiceRoleError(`There is a policy ${PolicyName} that allows something else`);
  }
}

/** IAM answers documents percent-encoded. */
function isSame(encoded: string | undefined, document: object): boolean {
  try {
    return JSON.stringify(JSON.parse(decodeURIComponent(encoded ?? ""))) === JSON.stringify(document);
  } catch {
    return false;
  }
}
