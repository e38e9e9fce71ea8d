/** SQL of images: manifests, their tags, and what they refer to. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import { type Tables, tables } from "./store.ts";

export interface ImageRecord {
  readonly digest: string;
  readonly manifest: string;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  /** The digest of the image that this one is about (signatures, bills of materials). */
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** Bytes of configuration and layers; of a list, the largest of its manifests. */
  readonly size: number;
  readonly pushedAt: Date;
  readonly pulledAt: Date | undefined;
}

/** An image as lists show it; the manifest stays in the database. */
export type ImageSummary = Omit<ImageRecord, "manifest"> & { readonly tags: readonly string[] };

const SUMMARY_COLUMNS = [
  "digest",
  "media_type",
  "artifact_type",
  "subject",
  "annotations",
  "size",
  "pushed_at",
  "pulled_at",
] as const;

function toSummary(row: Pick<Selectable<Tables["ecr_images"]>, (typeof SUMMARY_COLUMNS)[number]>) {
  return {
    digest: row.digest,
    mediaType: row.media_type,
    artifactType: row.artifact_type ?? undefined,
    subject: row.subject ?? undefined,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    size: Number(row.size),
    pushedAt: new Date(Number(row.pushed_at)),
    pulledAt: row.pulled_at === null ? undefined : new Date(Number(row.pulled_at)),
  };
}

export async function findImage(db: Database, repositoryId: string, digest: string): Promise<ImageRecord | undefined> {
  const row = await tables(db)
    .selectFrom("ecr_images")
    .selectAll()
    .where("repository_id", "=", repositoryId)
    .where("digest", "=", digest)
    .executeTakeFirst();
  return row && { ...toSummary(row), manifest: row.manifest };
}

export interface ImageReferences {
  readonly layers: readonly string[];
  readonly manifests: readonly string[];
}

export async function insertImage(
  trx: Database,
  repositoryId: string,
  image: Omit<ImageRecord, "pulledAt">,
  references: ImageReferences,
): Promise<void> {
  await tables(trx)
    .insertInto("ecr_images")
    .values({
      repository_id: repositoryId,
      digest: image.digest,
      manifest: image.manifest,
      media_type: image.mediaType,
      artifact_type: image.artifactType ?? null,
      subject: image.subject ?? null,
      annotations: JSON.stringify(image.annotations),
      size: image.size,
      pushed_at: image.pushedAt.getTime(),
      pulled_at: null,
    })
    .execute();
  const toRow = (kind: "layer" | "manifest") => (digest: string) => ({
    repository_id: repositoryId,
    image_digest: image.digest,
    kind,
    digest,
  });
  const rows = [...references.layers.map(toRow("layer")), ...references.manifests.map(toRow("manifest"))];
  if (rows.length > 0) await tables(trx).insertInto("ecr_image_references").values(rows).execute();
}

/** The images with their tags, by digest; only those named where `digests` are given. */
export async function imageSummaries(
  db: Database,
  repositoryId: string,
  digests?: readonly string[],
): Promise<ImageSummary[]> {
  let query = tables(db).selectFrom("ecr_images").select(SUMMARY_COLUMNS).where("repository_id", "=", repositoryId);
  if (digests) query = query.where("digest", "in", digests.length > 0 ? digests : [""]);
  const rows = await query.orderBy("digest").execute();
  const tagsOf = new Map<string, string[]>();
  for (const { tag, digest } of await imageTags(db, repositoryId)) {
    tagsOf.set(digest, [...(tagsOf.get(digest) ?? []), tag]);
  }
  return rows.map((row) => ({ ...toSummary(row), tags: tagsOf.get(row.digest) ?? [] }));
}

/** What is about `subject`, by digest. */
export async function referrersOf(db: Database, repositoryId: string, subject: string): Promise<ImageRecord[]> {
  const rows = await tables(db)
    .selectFrom("ecr_images")
    .selectAll()
    .where("repository_id", "=", repositoryId)
    .where("subject", "=", subject)
    .orderBy("digest")
    .execute();
  return rows.map((row) => ({ ...toSummary(row), manifest: row.manifest }));
}

export async function hasImages(db: Database, repositoryId: string): Promise<boolean> {
  const query = tables(db).selectFrom("ecr_images").select("digest").where("repository_id", "=", repositoryId);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

/** In the order of the tags' code units, on every database. */
export async function imageTags(db: Database, repositoryId: string): Promise<{ tag: string; digest: string }[]> {
  const query = tables(db)
    .selectFrom("ecr_image_tags")
    .select(["tag", "digest"])
    .where("repository_id", "=", repositoryId);
  return (await query.execute()).sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

export async function digestOfTag(db: Database, repositoryId: string, tag: string): Promise<string | undefined> {
  const row = await tables(db)
    .selectFrom("ecr_image_tags")
    .select("digest")
    .where("repository_id", "=", repositoryId)
    .where("tag", "=", tag)
    .executeTakeFirst();
  return row?.digest;
}

export async function setTag(trx: Database, repositoryId: string, tag: string, digest: string): Promise<void> {
  await tables(trx)
    .insertInto("ecr_image_tags")
    .values({ repository_id: repositoryId, tag, digest })
    .onConflict((conflict) => conflict.columns(["repository_id", "tag"]).doUpdateSet({ digest }))
    .execute();
}

export async function deleteTag(trx: Database, repositoryId: string, tag: string): Promise<void> {
  await tables(trx)
    .deleteFrom("ecr_image_tags")
    .where("repository_id", "=", repositoryId)
    .where("tag", "=", tag)
    .execute();
}

/** The manifest, its tags and its references; its layers are left to the sweep. */
export async function deleteImageRows(trx: Database, repositoryId: string, digest: string): Promise<void> {
  const image = { repository_id: repositoryId, digest };
  await tables(trx)
    .deleteFrom("ecr_images")
    .where((eb) => eb.and(image))
    .execute();
  await tables(trx)
    .deleteFrom("ecr_image_tags")
    .where((eb) => eb.and(image))
    .execute();
  await tables(trx)
    .deleteFrom("ecr_image_references")
    .where((eb) => eb.and({ repository_id: repositoryId, image_digest: digest }))
    .execute();
}

/** The manifest lists that name an image. */
export async function listsNaming(db: Database, repositoryId: string, digest: string): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom("ecr_image_references")
    .select("image_digest")
    .where("repository_id", "=", repositoryId)
    .where("kind", "=", "manifest")
    .where("digest", "=", digest)
    .orderBy("image_digest")
    .execute();
  return rows.map((row) => row.image_digest);
}

/** Every image that some manifest list names. */
export async function listedImages(db: Database, repositoryId: string): Promise<ReadonlySet<string>> {
  const rows = await tables(db)
    .selectFrom("ecr_image_references")
    .select("digest")
    .distinct()
    .where("repository_id", "=", repositoryId)
    .where("kind", "=", "manifest")
    .execute();
  return new Set(rows.map((row) => row.digest));
}

export async function recordPull(db: Database, repositoryId: string, digest: string, now: Date): Promise<void> {
  await tables(db)
    .updateTable("ecr_images")
    .set({ pulled_at: now.getTime() })
    .where("repository_id", "=", repositoryId)
    .where("digest", "=", digest)
    .execute();
}
