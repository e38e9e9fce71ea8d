/** Whose turn it is: builds of an account and region run in the order of their start, as many at a time as the limit says. */
import type { Database } from "#store/database.ts";
import type { Scope } from "../model.ts";
import { STAGES } from "./builds.ts";
import { tablesOf } from "./tables.ts";

/** Makes all who change this queue wait for each other until their transactions end. */
export async function lockQueue(trx: Database, { accountId, region }: Scope): Promise<void> {
  await tablesOf(trx)
    .insertInto("codebuild_queues")
    .values({ account_id: accountId, region, changes: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(["account_id", "region"])
        .doUpdateSet((eb) => ({ changes: eb("codebuild_queues.changes", "+", 1) })),
    )
    .execute();
}

export async function countBuilds(trx: Database, scope: Scope, stage: number, projectName?: string): Promise<number> {
  let select = tablesOf(trx)
    .selectFrom("codebuild_builds")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("stage", "=", stage)
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region);
  if (projectName !== undefined) select = select.where("project_name", "=", projectName);
  return Number((await select.executeTakeFirstOrThrow()).count);
}

/** The uuid of the build that has waited longest. */
export async function nextQueuedBuild(trx: Database, scope: Scope): Promise<string | undefined> {
  const row = await tablesOf(trx)
    .selectFrom("codebuild_builds")
    .select("uuid")
    .where("stage", "=", STAGES.queued)
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .orderBy("started_at")
    .orderBy("uuid")
    .limit(1)
    .executeTakeFirst();
  return row?.uuid;
}
