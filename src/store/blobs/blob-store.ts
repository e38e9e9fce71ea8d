/**
 * Content-addressed bytes: S3 objects, artifacts, image layers. A blob is hashed while it streams in, made durable
 * (fsync), and only then gets its name, so a name always stands for whole content. Deduplicated by sha256.
 */
import type { Readable } from "node:stream";

export interface BlobInfo {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly size: number;
  /** Of the same bytes, for S3 ETags. 32 hex digits. */
  readonly md5: string;
}

export interface BlobStore {
  /** Nothing is kept where the source fails midway. */
  put(source: Readable | Uint8Array): Promise<BlobInfo>;
  has(sha256: string): Promise<boolean>;
  size(sha256: string): Promise<number | undefined>;
  /** `start` and `end` are inclusive byte offsets. Throws BlobNotFoundError. */
  get(sha256: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Missing blobs are ignored. Callers make sure that nothing refers to it any more. */
  delete(sha256: string): Promise<void>;
  /**
   * An upload that arrives in pieces over several requests and outlives the process: OCI uploads, S3 parts.
   * Returns the size so far.
   */
  append(upload: string, source: Readable | Uint8Array): Promise<number>;
  uploadSize(upload: string): Promise<number | undefined>;
  /**
   * Turns the upload into a blob and forgets it. With `expectedSha256`, content of another hash is discarded with the
   * upload and BlobMismatchError thrown. Throws BlobNotFoundError where there is no such upload.
   */
  commit(upload: string, expectedSha256?: string): Promise<BlobInfo>;
  discard(upload: string): Promise<void>;
  /**
   * A store of its own inside this one. Content is shared within it only, so its owner may delete what it alone knows to
   * be unused: bytes that an S3 object has in common with an image layer must survive the layer.
   */
  scoped(owner: string): BlobStore;
}

export class BlobNotFoundError extends Error {
  override readonly name = "BlobNotFoundError";
}

/** The content of an upload is not what its sender said. */
export class BlobMismatchError extends Error {
  override readonly name = "BlobMismatchError";
  readonly actual: BlobInfo;

  constructor(expectedSha256: string, actual: BlobInfo) {
    super(`The content has the sha256 ${actual.sha256} instead of ${expectedSha256}`);
    this.actual = actual;
  }
}
