/** Tasks that deleted a service-linked role, or did not. */
import type * as sdk from "@aws-sdk/client-iam";
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

export interface RoleDeletion {
  readonly taskId: string;
  readonly accountId: string;
  readonly createdAt: Date;
  /** undefined: the role is deleted. */
  readonly failure: sdk.DeletionTaskFailureReasonType | undefined;
}

export async function insertRoleDeletion(db: Database, deletion: RoleDeletion): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_role_deletions")
    .values({
      task_id: deletion.taskId,
      account_id: deletion.accountId,
      created_at: deletion.createdAt.getTime(),
      failure: deletion.failure === undefined ? null : JSON.stringify(deletion.failure),
    })
    .execute();
}

export async function findRoleDeletion(
  db: Database,
  accountId: string,
  taskId: string,
): Promise<RoleDeletion | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_role_deletions")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("task_id", "=", taskId)
    .executeTakeFirst();
  return (
    row && {
      taskId,
      accountId,
      createdAt: new Date(row.created_at),
      failure: row.failure === null ? undefined : (JSON.parse(row.failure) as sdk.DeletionTaskFailureReasonType),
    }
  );
}
