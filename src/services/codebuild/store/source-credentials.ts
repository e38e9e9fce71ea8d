/** Tokens for source providers, sealed. One per account, region and provider, as on AWS. */
import type { Database } from "#store/database.ts";
import type { Scope } from "../model.ts";
import { tablesOf } from "./tables.ts";

export interface SourceCredentials {
  readonly serverType: string;
  readonly authType: string;
  readonly arn: string;
  readonly username: string | undefined;
  readonly sealedToken: string;
}

export async function putSourceCredentials(db: Database, scope: Scope, credentials: SourceCredentials): Promise<void> {
  const values = {
    auth_type: credentials.authType,
    arn: credentials.arn,
    username: credentials.username ?? null,
    sealed_token: credentials.sealedToken,
  };
  await tablesOf(db)
    .insertInto("codebuild_source_credentials")
    .values({ account_id: scope.accountId, region: scope.region, server_type: credentials.serverType, ...values })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "server_type"]).doUpdateSet(values))
    .execute();
}

/** In the order of their server types. */
export async function listSourceCredentials(db: Database, scope: Scope): Promise<SourceCredentials[]> {
  const rows = await tablesOf(db)
    .selectFrom("codebuild_source_credentials")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .orderBy("server_type")
    .execute();
  return rows.map((row) => ({
    serverType: row.server_type,
    authType: row.auth_type,
    arn: row.arn,
    username: row.username ?? undefined,
    sealedToken: row.sealed_token,
  }));
}

/** False where there are none of this ARN. */
export async function deleteSourceCredentials(db: Database, scope: Scope, arn: string): Promise<boolean> {
  const deleted = await tablesOf(db)
    .deleteFrom("codebuild_source_credentials")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("arn", "=", arn)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}
