/** SQL of repositories, and the tables of the service. Images and layers have files of their own beside this one. */
import { randomUUID } from "node:crypto";
import type { EncryptionConfiguration } from "@aws-sdk/client-ecr";
import type { Selectable, Updateable } from "kysely";
import type { Database } from "#store/database.ts";
import type { RegistryScope, RepositoryName, TagMutability } from "./model.ts";

export type Tables = {
  ecr_repositories: {
    /** Names come back after a deletion; ids do not. */
    id: string;
    account_id: string;
    region: string;
    name: string;
    created_at: number;
    tag_mutability: TagMutability["mutability"];
    tag_exclusions: string;
    scan_on_push: number;
    encryption: string;
    tags: string;
    policy: string | null;
    lifecycle_policy: string | null;
    lifecycle_evaluated_at: number | null;
    lifecycle_preview: string | null;
  };
  ecr_images: {
    repository_id: string;
    digest: string;
    /** As it was pushed, byte for byte. */
    manifest: string;
    media_type: string;
    artifact_type: string | null;
    subject: string | null;
    annotations: string;
    size: number;
    pushed_at: number;
    pulled_at: number | null;
  };
  ecr_image_tags: { repository_id: string; tag: string; digest: string };
  ecr_image_references: { repository_id: string; image_digest: string; kind: "layer" | "manifest"; digest: string };
  ecr_layers: { repository_id: string; digest: string; size: number; touched_at: number };
  ecr_blobs: { digest: string; touched_at: number };
  ecr_uploads: { id: string; repository_id: string; touched_at: number };
};

export interface Repository extends RepositoryName {
  readonly id: string;
  readonly createdAt: Date;
  readonly tagMutability: TagMutability;
  readonly scanOnPush: boolean;
  readonly encryption: EncryptionConfiguration;
  readonly tags: Readonly<Record<string, string>>;
  /** JSON text of the repository policy. */
  readonly policy: string | undefined;
  readonly lifecyclePolicy: string | undefined;
  readonly lifecycleEvaluatedAt: Date | undefined;
  /** JSON text; see lifecycle-preview. */
  readonly lifecyclePreview: string | undefined;
}

export function tables(db: Database) {
  return db.withTables<Tables>();
}

function toRepository(row: Selectable<Tables["ecr_repositories"]>): Repository {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    createdAt: new Date(Number(row.created_at)),
    tagMutability: { mutability: row.tag_mutability, exclusions: JSON.parse(row.tag_exclusions) as string[] },
    scanOnPush: row.scan_on_push === 1,
    encryption: JSON.parse(row.encryption) as EncryptionConfiguration,
    tags: JSON.parse(row.tags) as Record<string, string>,
    policy: row.policy ?? undefined,
    lifecyclePolicy: row.lifecycle_policy ?? undefined,
    lifecycleEvaluatedAt:
      row.lifecycle_evaluated_at === null ? undefined : new Date(Number(row.lifecycle_evaluated_at)),
    lifecyclePreview: row.lifecycle_preview ?? undefined,
  };
}

type NewRepository = Pick<
  Repository,
  "accountId" | "region" | "name" | "createdAt" | "tagMutability" | "scanOnPush" | "encryption" | "tags"
>;

/** undefined where the name is taken. */
export async function insertRepository(db: Database, repository: NewRepository): Promise<Repository | undefined> {
  const row = {
    id: randomUUID(),
    account_id: repository.accountId,
    region: repository.region,
    name: repository.name,
    created_at: repository.createdAt.getTime(),
    tag_mutability: repository.tagMutability.mutability,
    tag_exclusions: JSON.stringify(repository.tagMutability.exclusions),
    scan_on_push: repository.scanOnPush ? 1 : 0,
    encryption: JSON.stringify(repository.encryption),
    tags: JSON.stringify(repository.tags),
    policy: null,
    lifecycle_policy: null,
    lifecycle_evaluated_at: null,
    lifecycle_preview: null,
  };
  const inserted = await tables(db)
    .insertInto("ecr_repositories")
    .values(row)
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n ? toRepository(row) : undefined;
}

export async function findRepository(
  db: Database,
  { accountId, region, name }: RepositoryName,
): Promise<Repository | undefined> {
  const row = await tables(db)
    .selectFrom("ecr_repositories")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && toRepository(row);
}

export async function findRepositoryById(db: Database, id: string): Promise<Repository | undefined> {
  const row = await tables(db).selectFrom("ecr_repositories").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toRepository(row);
}

/** In the order of their names, at most `limit` after `after`. */
export async function repositoriesAfter(
  db: Database,
  { accountId, region }: RegistryScope,
  after: string,
  limit: number,
): Promise<Repository[]> {
  const rows = await tables(db)
    .selectFrom("ecr_repositories")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("name", ">", after)
    .orderBy("name")
    .limit(limit)
    .execute();
  return rows.map(toRepository);
}

export async function repositoryIdsWithLifecyclePolicy(db: Database): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom("ecr_repositories")
    .select("id")
    .where("lifecycle_policy", "is not", null)
    .execute();
  return rows.map(({ id }) => id);
}

type RepositoryChange = Pick<
  Updateable<Tables["ecr_repositories"]>,
  | "tag_mutability"
  | "tag_exclusions"
  | "scan_on_push"
  | "tags"
  | "policy"
  | "lifecycle_policy"
  | "lifecycle_evaluated_at"
  | "lifecycle_preview"
>;

export async function updateRepository(db: Database, id: string, change: RepositoryChange): Promise<void> {
  await tables(db).updateTable("ecr_repositories").set(change).where("id", "=", id).execute();
}

/** The repository policies that have the text in them. */
export async function rewriteRepositoryPolicies(
  trx: Database,
  text: string,
  rewrite: (document: string) => string,
): Promise<void> {
  const rows = await tables(trx)
    .selectFrom("ecr_repositories")
    .select(["id", "policy"])
    .where("policy", "like", `%${text}%`)
    .execute();
  for (const { id, policy } of rows) await updateRepository(trx, id, { policy: rewrite(policy!) });
}

/**
 * Until the transaction ends, nobody else changes what is in the repository: two pushes of one tag, or a push and the
 * deletion, come one after the other on every database. False where the repository has gone meanwhile.
 */
export async function lockRepository(trx: Database, id: string): Promise<boolean> {
  const locked = await tables(trx).updateTable("ecr_repositories").set({ id }).where("id", "=", id).executeTakeFirst();
  return locked.numUpdatedRows > 0n;
}

/** With its images, tags, layers and uploads. The bytes are left to the sweep. Returns the ids of its uploads. */
export async function deleteRepositoryRows(trx: Database, id: string): Promise<string[]> {
  const uploads = await tables(trx).selectFrom("ecr_uploads").select("id").where("repository_id", "=", id).execute();
  for (const table of ["ecr_images", "ecr_image_tags", "ecr_image_references", "ecr_layers", "ecr_uploads"] as const) {
    await tables(trx).deleteFrom(table).where("repository_id", "=", id).execute();
  }
  await tables(trx).deleteFrom("ecr_repositories").where("id", "=", id).execute();
  return uploads.map((upload) => upload.id);
}
