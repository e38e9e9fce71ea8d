/** The account's password policy. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { noSuchEntity } from "../errors.ts";
import { type PasswordPolicy, toPasswordPolicy } from "../password-rules.ts";
import { accountSettings, updateAccountSettings } from "../store/account-settings.ts";
import { ownPasswordPolicy } from "./own-password.ts";

/** "The minimum number of characters allowed in an IAM user password. … The default value is 6." */
const DEFAULT_LENGTH = 6;

async function required(db: Database, { accountId }: Call): Promise<PasswordPolicy> {
  const { passwordPolicy } = await accountSettings(db, accountId);
  if (!passwordPolicy) throw noSuchEntity(`The Password Policy with domain name ${accountId} cannot be found.`);
  return passwordPolicy;
}

/** Answers what the account has put; the default policy is not to be read. */
export const GetAccountPasswordPolicy: OperationOf<sdk.GetAccountPasswordPolicyCommand> = {
  authorize: {
    action: "iam:GetAccountPasswordPolicy",
    resources: () => ["*"],
    resourcePolicy: async (_resource, _input, call) => ownPasswordPolicy(call),
  },
  run: async (_input, call) => ({ PasswordPolicy: toPasswordPolicy(await required(call.db, call)) }),
};

/** "This operation does not support partial updates." */
export const UpdateAccountPasswordPolicy: OperationOf<sdk.UpdateAccountPasswordPolicyCommand> = {
  authorize: { action: "iam:UpdateAccountPasswordPolicy", resources: () => ["*"] },
  async run(input, call) {
    const passwordPolicy: PasswordPolicy = {
      MinimumPasswordLength: input.MinimumPasswordLength ?? DEFAULT_LENGTH,
      RequireSymbols: input.RequireSymbols ?? false,
      RequireNumbers: input.RequireNumbers ?? false,
      RequireUppercaseCharacters: input.RequireUppercaseCharacters ?? false,
      RequireLowercaseCharacters: input.RequireLowercaseCharacters ?? false,
      AllowUsersToChangePassword: input.AllowUsersToChangePassword ?? false,
      MaxPasswordAge: input.MaxPasswordAge,
      PasswordReusePrevention: input.PasswordReusePrevention,
      HardExpiry: input.HardExpiry,
    };
    await inTransaction(call.db, (trx) => updateAccountSettings(trx, call.accountId, { passwordPolicy }));
    return {};
  },
};

export const DeleteAccountPasswordPolicy: OperationOf<sdk.DeleteAccountPasswordPolicyCommand> = {
  authorize: { action: "iam:DeleteAccountPasswordPolicy", resources: () => ["*"] },
  async run(_input, call) {
    await inTransaction(call.db, async (trx) => {
      await required(trx, call);
      await updateAccountSettings(trx, call.accountId, { passwordPolicy: undefined });
    });
    return {};
  },
};
