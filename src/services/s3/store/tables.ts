import type { Database } from "#store/database.ts";

export type Tables = {
  s3_buckets: {
    name: string;
    account_id: string;
    region: string;
    created_at: number;
    versioning: string | null;
    /** Counts the changes of the bucket's objects; taking the next one serialises them. */
    revision: number;
  };
  s3_bucket_settings: { bucket: string; kind: string; value: string };
  s3_objects: {
    bucket: string;
    key: string;
    revision: number;
    version_id: string;
    latest: number;
    delete_marker: number;
    size: number;
    etag: string;
    last_modified: number;
    segments: string;
    attributes: string;
  };
  s3_uploads: {
    id: string;
    bucket: string;
    key: string;
    initiated_at: number;
    initiator: string;
    attributes: string;
  };
  s3_parts: {
    upload_id: string;
    part_number: number;
    sha256: string;
    size: number;
    md5: string;
    checksums: string;
    last_modified: number;
  };
  /** How many objects and parts use a blob. */
  s3_blobs: { sha256: string; uses: number };
};

export const tablesOf = (db: Database) => db.withTables<Tables>();

/** The upper end of the texts that start with a prefix: U+10FFFF sorts after every character. */
export const AFTER_PREFIX = "\u{10FFFF}";
