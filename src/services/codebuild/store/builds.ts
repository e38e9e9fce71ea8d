/** Builds: their API shape as JSON beside the columns that are asked for. */
import type { Build } from "@aws-sdk/client-codebuild";
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { BuildRecord, BuildRun, Scope } from "../model.ts";
import { type Tables, tablesOf } from "./tables.ts";

/** What the queue distinguishes. */
export const STAGES = { queued: 0, running: 1, over: 2 } as const;

export interface NewBuild extends BuildRecord {
  readonly branch: string | undefined;
  readonly request?: { readonly token: string; readonly hash: string } | undefined;
}

export async function insertBuild(trx: Database, record: NewBuild): Promise<void> {
  await tablesOf(trx)
    .insertInto("codebuild_builds")
    .values({
      uuid: record.uuid,
      account_id: record.accountId,
      region: record.region,
      project_name: record.build.projectName!,
      started_at: record.build.startTime!.getTime(),
      branch: record.branch ?? null,
      request_token: record.request?.token ?? null,
      request_hash: record.request?.hash ?? null,
      stop_requested: 0,
      revision: record.revision,
      ...stateColumns(record.build),
      build: JSON.stringify(record.build),
      run: JSON.stringify(record.run),
    })
    .execute();
}

/** The record as written, or undefined where somebody else has written since it was read. */
export async function updateBuild(
  db: Database,
  record: BuildRecord,
  change: { readonly build: Build; readonly run: BuildRun },
): Promise<BuildRecord | undefined> {
  const updated = await tablesOf(db)
    .updateTable("codebuild_builds")
    .set({
      ...stateColumns(change.build),
      revision: record.revision + 1,
      build: JSON.stringify(change.build),
      run: JSON.stringify(change.run),
    })
    .where("uuid", "=", record.uuid)
    .where("revision", "=", record.revision)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n ? { ...record, ...change, revision: record.revision + 1 } : undefined;
}

export async function requestStop(db: Database, uuid: string): Promise<void> {
  await tablesOf(db).updateTable("codebuild_builds").set({ stop_requested: 1 }).where("uuid", "=", uuid).execute();
}

/** By uuid alone: for the runner, which works for every account. */
export async function findBuildByUuid(db: Database, uuid: string): Promise<BuildRecord | undefined> {
  const row = await tablesOf(db).selectFrom("codebuild_builds").selectAll().where("uuid", "=", uuid).executeTakeFirst();
  return row && toBuildRecord(row);
}

/** Those that exist, in no particular order. */
export async function findBuilds(db: Database, scope: Scope, uuids: readonly string[]): Promise<BuildRecord[]> {
  if (uuids.length === 0) return [];
  const rows = await builds(db, scope)
    .selectAll()
    .where("uuid", "in", [...uuids])
    .execute();
  return rows.map(toBuildRecord);
}

/** The build that a request with this token started since then, and what it asked for. */
export async function findBuildByToken(
  db: Database,
  scope: Scope,
  token: string,
  since: number,
): Promise<{ readonly record: BuildRecord; readonly hash: string } | undefined> {
  const row = await builds(db, scope)
    .selectAll()
    .where("request_token", "=", token)
    .where("started_at", ">=", since)
    .executeTakeFirst();
  return row && { record: toBuildRecord(row), hash: row.request_hash ?? "" };
}

/** Every account's builds that are neither queued nor over. */
export async function listRunningBuilds(db: Database): Promise<BuildRecord[]> {
  const rows = await tablesOf(db)
    .selectFrom("codebuild_builds")
    .selectAll()
    .where("stage", "=", STAGES.running)
    .execute();
  return rows.map(toBuildRecord);
}

export interface BuildListQuery {
  readonly projectName?: string | undefined;
  readonly descending: boolean;
  readonly after?: { readonly startedAt: number; readonly uuid: string } | undefined;
  readonly limit: number;
}

export interface ListedBuild {
  readonly uuid: string;
  readonly projectName: string;
  readonly startedAt: number;
}

/** By the time of their start; equal times by uuid. */
export async function listBuilds(db: Database, scope: Scope, query: BuildListQuery): Promise<ListedBuild[]> {
  const direction = query.descending ? "desc" : "asc";
  const beyond = query.descending ? "<" : ">";
  const { after, projectName } = query;
  let select = builds(db, scope)
    .select(["uuid", "project_name as projectName", "started_at as startedAt"])
    .orderBy("started_at", direction)
    .orderBy("uuid", direction);
  if (projectName !== undefined) select = select.where("project_name", "=", projectName);
  if (after) {
    select = select.where((eb) =>
      eb.or([
        eb("started_at", beyond, after.startedAt),
        eb.and([eb("started_at", "=", after.startedAt), eb("uuid", beyond, after.uuid)]),
      ]),
    );
  }
  const rows = await select.limit(query.limit).execute();
  return rows.map((row) => ({ ...row, startedAt: Number(row.startedAt) }));
}

/** The status of a project's newest build: of one of the branches, or of any where none is given. */
export async function latestBuildStatus(
  db: Database,
  scope: Scope,
  projectName: string,
  branches: readonly (string | null)[],
): Promise<string | undefined> {
  let select = builds(db, scope).select("status").where("project_name", "=", projectName);
  if (branches.length > 0) {
    select = select.where((eb) =>
      eb.or(branches.map((branch) => (branch === null ? eb("branch", "is", null) : eb("branch", "=", branch)))),
    );
  }
  return (await select.orderBy("started_at", "desc").orderBy("uuid", "desc").limit(1).executeTakeFirst())?.status;
}

export async function deleteBuild(db: Database, uuid: string): Promise<void> {
  await tablesOf(db).deleteFrom("codebuild_builds").where("uuid", "=", uuid).execute();
}

function builds(db: Database, scope: Scope) {
  return tablesOf(db)
    .selectFrom("codebuild_builds")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region);
}

function stateColumns(build: Build) {
  const phase = build.currentPhase!;
  const queued = phase === "SUBMITTED" || phase === "QUEUED";
  const stage = build.buildComplete ? STAGES.over : queued ? STAGES.queued : STAGES.running;
  return { phase, status: build.buildStatus!, stage };
}

function toBuildRecord(row: Selectable<Tables["codebuild_builds"]>): BuildRecord {
  return {
    uuid: row.uuid,
    accountId: row.account_id,
    region: row.region,
    build: JSON.parse(row.build, revivedDate) as Build,
    run: JSON.parse(row.run) as BuildRun,
    revision: Number(row.revision),
    stopRequested: Number(row.stop_requested) === 1,
  };
}

/** No member of a build has keys that a user chose, so these two are always times. */
function revivedDate(key: string, value: unknown): unknown {
  return (key === "startTime" || key === "endTime") && typeof value === "string" ? new Date(value) : value;
}
