/** What an account has one of: its password policy, STS's preference, and its last credential report. */
import type { Database } from "#store/database.ts";
import type { PasswordPolicy } from "../password-rules.ts";
import type { Tables } from "./tables.ts";

export interface CredentialReport {
  /** CSV. */
  readonly content: string;
  readonly generatedAt: Date;
}

export interface AccountSettings {
  /** undefined: the default holds. */
  readonly passwordPolicy: PasswordPolicy | undefined;
  /** Version of the tokens of STS's global endpoint. */
  readonly tokenVersion: number;
  readonly report: CredentialReport | undefined;
}

const DEFAULTS: AccountSettings = { passwordPolicy: undefined, tokenVersion: 1, report: undefined };

export async function accountSettings(db: Database, accountId: string): Promise<AccountSettings> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_account_settings")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  if (!row) return DEFAULTS;
  return {
    passwordPolicy: row.password_policy === null ? undefined : (JSON.parse(row.password_policy) as PasswordPolicy),
    tokenVersion: row.token_version,
    report:
      row.credential_report === null
        ? undefined
        : { content: row.credential_report, generatedAt: new Date(row.report_generated_at!) },
  };
}

/** The caller's transaction keeps two changes from undoing one another. */
export async function updateAccountSettings(
  trx: Database,
  accountId: string,
  changes: Partial<AccountSettings>,
): Promise<void> {
  const settings = { ...(await accountSettings(trx, accountId)), ...changes };
  const values = {
    password_policy: settings.passwordPolicy === undefined ? null : JSON.stringify(settings.passwordPolicy),
    token_version: settings.tokenVersion,
    credential_report: settings.report?.content ?? null,
    report_generated_at: settings.report?.generatedAt.getTime() ?? null,
  };
  await trx
    .withTables<Tables>()
    .insertInto("iam_account_settings")
    .values({ account_id: accountId, ...values })
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet(values))
    .execute();
}
