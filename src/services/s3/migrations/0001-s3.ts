import type { Migration } from "#store/migrate.ts";

export const s3Tables: Migration = {
  name: "0001-s3",
  async up(db) {
    await db.schema
      .createTable("s3_buckets")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("versioning", "text")
      .addColumn("revision", "bigint", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("s3_buckets_owner").on("s3_buckets").columns(["account_id", "name"]).execute();
    await db.schema
      .createTable("s3_bucket_settings")
      .addColumn("bucket", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("s3_bucket_settings_pk", ["bucket", "kind"])
      .execute();
    await db.schema
      .createTable("s3_objects")
      .addColumn("bucket", "text", (column) => column.notNull())
      .addColumn("key", "text", (column) => column.notNull())
      .addColumn("revision", "bigint", (column) => column.notNull())
      .addColumn("version_id", "text", (column) => column.notNull())
      .addColumn("latest", "integer", (column) => column.notNull())
      .addColumn("delete_marker", "integer", (column) => column.notNull())
      .addColumn("size", "bigint", (column) => column.notNull())
      .addColumn("etag", "text", (column) => column.notNull())
      .addColumn("last_modified", "bigint", (column) => column.notNull())
      .addColumn("segments", "text", (column) => column.notNull())
      .addColumn("attributes", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("s3_objects_pk", ["bucket", "key", "revision"])
      .addUniqueConstraint("s3_objects_version", ["bucket", "key", "version_id"])
      .execute();
    // Lists of current objects read along it without touching older versions.
    await db.schema.createIndex("s3_objects_latest").on("s3_objects").columns(["bucket", "latest", "key"]).execute();
    await db.schema
      .createTable("s3_uploads")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("bucket", "text", (column) => column.notNull())
      .addColumn("key", "text", (column) => column.notNull())
      .addColumn("initiated_at", "bigint", (column) => column.notNull())
      .addColumn("initiator", "text", (column) => column.notNull())
      .addColumn("attributes", "text", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("s3_uploads_key").on("s3_uploads").columns(["bucket", "key", "id"]).execute();
    await db.schema
      .createTable("s3_parts")
      .addColumn("upload_id", "text", (column) => column.notNull())
      .addColumn("part_number", "integer", (column) => column.notNull())
      .addColumn("sha256", "text", (column) => column.notNull())
      .addColumn("size", "bigint", (column) => column.notNull())
      .addColumn("md5", "text", (column) => column.notNull())
      .addColumn("checksums", "text", (column) => column.notNull())
      .addColumn("last_modified", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("s3_parts_pk", ["upload_id", "part_number"])
      .execute();
    await db.schema
      .createTable("s3_blobs")
      .addColumn("sha256", "text", (column) => column.primaryKey())
      .addColumn("uses", "bigint", (column) => column.notNull())
      .execute();
  },
};
