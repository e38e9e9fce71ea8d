/** What STS needs to know of a role, asked of IAM. */
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Call, rootPrincipal } from "#gateway/context.ts";

export interface AssumableRole {
  readonly arn: string;
  readonly accountId: string;
  readonly name: string;
  /** AROA… */
  readonly id: string;
  readonly trustPolicy: CompiledPolicy;
  /** Seconds. */
  readonly maxSessionDuration: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** undefined where there is no such role, whosever account it would be in. */
export async function assumableRole(call: Call, roleArn: string): Promise<AssumableRole | undefined> {
  const [, accountId, name] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? [];
  if (accountId === undefined || name === undefined) return undefined;
  // The role is looked up by its own account, so that a caller needs no iam:GetRole to assume it.
  const iam = call.system.client(rootPrincipal(accountId), { accountId, region: call.region, db: call.db });
  try {
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: name }));
    if (Role?.Arn !== roleArn) return undefined;
    return {
      arn: roleArn,
      accountId,
      name: Role.RoleName!,
      id: Role.RoleId!,
      trustPolicy: compilePolicy(parsePolicy(decodeURIComponent(Role.AssumeRolePolicyDocument!), "trust")),
      maxSessionDuration: Role.MaxSessionDuration!,
      tags: Object.fromEntries((Role.Tags ?? []).map(({ Key, Value }) => [Key!, Value!])),
    };
  } catch (error) {
    if ((error as Error).name === "NoSuchEntityException") return undefined;
    throw error;
  }
}
