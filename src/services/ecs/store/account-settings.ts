import type { Database } from "#store/database.ts";
import type { Scope } from "../model.ts";
import { tablesOf } from "./tables.ts";

export interface AccountSetting {
  readonly principalArn: string;
  readonly name: string;
  readonly value: string;
}

export async function listAccountSettings(db: Database, scope: Scope): Promise<AccountSetting[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_account_settings")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .execute();
  return rows.map((row) => ({ principalArn: row.principal_arn, name: row.name, value: row.value }));
}

export async function putAccountSetting(db: Database, scope: Scope, setting: AccountSetting): Promise<void> {
  await tablesOf(db)
    .insertInto("ecs_account_settings")
    .values({
      account_id: scope.accountId,
      region: scope.region,
      principal_arn: setting.principalArn,
      name: setting.name,
      value: setting.value,
    })
    .onConflict((conflict) =>
      conflict.columns(["account_id", "region", "principal_arn", "name"]).doUpdateSet({ value: setting.value }),
    )
    .execute();
}

export async function deleteAccountSetting(
  db: Database,
  scope: Scope,
  { principalArn, name }: Pick<AccountSetting, "principalArn" | "name">,
): Promise<void> {
  await tablesOf(db)
    .deleteFrom("ecs_account_settings")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("principal_arn", "=", principalArn)
    .where("name", "=", name)
    .execute();
}
