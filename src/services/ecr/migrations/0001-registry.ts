/** Repositories, their images, and the layers that images are made of. */
import type { Migration } from "#store/migrate.ts";

export const registryTables: Migration = {
  name: "0001-registry",
  async up(db) {
    await db.schema
      .createTable("ecr_repositories")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("tag_mutability", "text", (column) => column.notNull())
      .addColumn("tag_exclusions", "text", (column) => column.notNull())
      .addColumn("scan_on_push", "integer", (column) => column.notNull())
      .addColumn("encryption", "text", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addColumn("policy", "text")
      .addColumn("lifecycle_policy", "text")
      .addColumn("lifecycle_evaluated_at", "bigint")
      .addColumn("lifecycle_preview", "text")
      .addUniqueConstraint("ecr_repositories_name", ["account_id", "region", "name"])
      .execute();

    await db.schema
      .createTable("ecr_images")
      .addColumn("repository_id", "text", (column) => column.notNull())
      .addColumn("digest", "text", (column) => column.notNull())
      .addColumn("manifest", "text", (column) => column.notNull())
      .addColumn("media_type", "text", (column) => column.notNull())
      .addColumn("artifact_type", "text")
      .addColumn("subject", "text")
      .addColumn("annotations", "text", (column) => column.notNull())
      .addColumn("size", "bigint", (column) => column.notNull())
      .addColumn("pushed_at", "bigint", (column) => column.notNull())
      .addColumn("pulled_at", "bigint")
      .addPrimaryKeyConstraint("ecr_images_pk", ["repository_id", "digest"])
      .execute();
    await db.schema.createIndex("ecr_images_subject").on("ecr_images").columns(["repository_id", "subject"]).execute();

    await db.schema
      .createTable("ecr_image_tags")
      .addColumn("repository_id", "text", (column) => column.notNull())
      .addColumn("tag", "text", (column) => column.notNull())
      .addColumn("digest", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecr_image_tags_pk", ["repository_id", "tag"])
      .execute();
    await db.schema
      .createIndex("ecr_image_tags_digest")
      .on("ecr_image_tags")
      .columns(["repository_id", "digest"])
      .execute();

    // What a manifest names: its layers (the configuration is one of them), or a list's manifests.
    await db.schema
      .createTable("ecr_image_references")
      .addColumn("repository_id", "text", (column) => column.notNull())
      .addColumn("image_digest", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("digest", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecr_image_references_pk", ["repository_id", "image_digest", "kind", "digest"])
      .execute();
    await db.schema
      .createIndex("ecr_image_references_digest")
      .on("ecr_image_references")
      .columns(["repository_id", "kind", "digest"])
      .execute();

    await db.schema
      .createTable("ecr_layers")
      .addColumn("repository_id", "text", (column) => column.notNull())
      .addColumn("digest", "text", (column) => column.notNull())
      .addColumn("size", "bigint", (column) => column.notNull())
      .addColumn("touched_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecr_layers_pk", ["repository_id", "digest"])
      .execute();
    await db.schema.createIndex("ecr_layers_digest").on("ecr_layers").columns(["digest"]).execute();

    // The bytes behind layers, once for all repositories of all accounts.
    await db.schema
      .createTable("ecr_blobs")
      .addColumn("digest", "text", (column) => column.primaryKey())
      .addColumn("touched_at", "bigint", (column) => column.notNull())
      .execute();

    await db.schema
      .createTable("ecr_uploads")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("repository_id", "text", (column) => column.notNull())
      .addColumn("touched_at", "bigint", (column) => column.notNull())
      .execute();
  },
};
