/** The permission that a password policy gives by itself. */
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import { accountSettings } from "../store/account-settings.ts";

/** What `AllowUsersToChangePassword` grants the calling user; undefined where nothing. */
export async function ownPasswordPolicy(call: Call): Promise<CompiledPolicy | undefined> {
  if (call.principal.type !== "User") return undefined;
  const { passwordPolicy } = await accountSettings(call.db, call.accountId);
  if (!passwordPolicy?.AllowUsersToChangePassword) return undefined;
  const statement = {
    Effect: "Allow",
    Principal: { AWS: call.principal.arn },
    Action: ["iam:ChangePassword", "iam:GetAccountPasswordPolicy"],
    Resource: "*",
  };
  return compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statement }), "resource"));
}
