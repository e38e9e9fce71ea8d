/** Being a project's service role: checked when a project is made, done when a build begins. */
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { type CallScope, type Principal, type System, servicePrincipal } from "#gateway/context.ts";
import { invalidInput, isAccessDenied } from "./errors.ts";
import { type BuildRecord, projectArn } from "./model.ts";

export const CODEBUILD_PRINCIPAL = "codebuild.amazonaws.com";

/**
 * What the policies of a build's role can ask of everything that the build does.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/permissions-conditionkeys-variables.html
 */
export function buildSessionScope({ accountId, region, build }: BuildRecord): CallScope {
  const sourceArn = projectArn({ accountId, region }, build.projectName!);
  const sessionKeys = { "codebuild:buildarn": build.arn!, "codebuild:projectarn": sourceArn };
  return { accountId, region, sourceArn, sessionKeys };
}

/** The session of the role. Throws STS's AccessDenied. `scope.sourceArn` is the project, as in trust policies' conditions. */
export async function roleSession(
  system: System,
  scope: CallScope,
  roleArn: string,
  sessionName: string,
): Promise<Principal> {
  const sts = system.client(servicePrincipal(CODEBUILD_PRINCIPAL, scope.accountId), scope);
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }));
  return system.principalOf(Credentials!);
}

/**
 * Throws InvalidInputException where CodeBuild may not assume the role.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html#troubleshooting-assume-role
 */
export async function requireAssumable(system: System, scope: CallScope, roleArn: string): Promise<void> {
  const sts = system.client(servicePrincipal(CODEBUILD_PRINCIPAL, scope.accountId), scope);
  try {
    await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "AWSCodeBuild-validation" }));
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    throw invalidInput(`CodeBuild is not authorized to perform: sts:AssumeRole on ${roleArn}`);
  }
}
