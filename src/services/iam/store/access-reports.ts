/** Reports of which services were last accessed, as they were when they were asked for. */
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

export interface AccessReport {
  readonly jobId: string;
  readonly accountId: string;
  /** The unique id of who asked for it, with the session's name: nobody else may read it. */
  readonly callerId: string;
  readonly granularity: "SERVICE_LEVEL" | "ACTION_LEVEL";
  readonly createdAt: Date;
  readonly completedAt: Date;
  /** JSON */
  readonly content: string;
}

export async function insertAccessReport(db: Database, report: AccessReport): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_access_reports")
    .values({
      job_id: report.jobId,
      account_id: report.accountId,
      caller_id: report.callerId,
      granularity: report.granularity,
      created_at: report.createdAt.getTime(),
      completed_at: report.completedAt.getTime(),
      content: report.content,
    })
    .execute();
}

export async function findAccessReport(db: Database, jobId: string): Promise<AccessReport | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_access_reports")
    .selectAll()
    .where("job_id", "=", jobId)
    .executeTakeFirst();
  return (
    row && {
      jobId: row.job_id,
      accountId: row.account_id,
      callerId: row.caller_id,
      granularity: row.granularity,
      createdAt: new Date(row.created_at),
      completedAt: new Date(row.completed_at),
      content: row.content,
    }
  );
}

export async function deleteAccessReportsBefore(db: Database, time: Date): Promise<void> {
  await db.withTables<Tables>().deleteFrom("iam_access_reports").where("created_at", "<", time.getTime()).execute();
}
