/**
 * Manifests as registries take them: Docker's schema 2 and OCI's, and the lists of either.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
 * https://distribution.github.io/distribution/spec/manifest-v2-2/
 */
import { createHash } from "node:crypto";
import { invalidParameter } from "./errors.ts";
import { isDigest } from "./model.ts";

export const MEDIA_TYPES = {
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
} as const;

const LISTS: readonly string[] = [MEDIA_TYPES.dockerList, MEDIA_TYPES.ociIndex];
const KNOWN: readonly string[] = Object.values(MEDIA_TYPES);

/** ECR's quota and the OCI specification's advice alike. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  /** Configuration and layers that the repository itself must have; empty for lists. */
  readonly layers: readonly string[];
  /** The manifests of a list; empty for others. */
  readonly manifests: readonly string[];
  readonly artifactType: string | undefined;
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

/** The digest of a manifest's bytes. */
export function manifestDigest(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/**
 * `mediaType` is the request's: it must agree with the manifest's own, and stands in where that has none.
 * Throws InvalidParameterException.
 */
export function parsedManifest(text: string, mediaType: string | undefined): Manifest {
  const json = parsedJson(text);
  const own = json.mediaType;
  if (own !== undefined && typeof own !== "string") throw refused("'mediaType' must be a string");
  if (mediaType !== undefined && own !== undefined && mediaType !== own) {
    throw refused(`the request's media type ${mediaType} differs from the manifest's ${own}`);
  }
  if (json.schemaVersion !== 2) throw refused("'schemaVersion' must be 2; push the image with a current client");
  const type = own ?? mediaType ?? guessed(json);
  if (!KNOWN.includes(type)) throw refused(`the media type ${type} is not one of ${KNOWN.join(", ")}`);
  const isList = LISTS.includes(type);
  const config = isList ? undefined : descriptor(json.config, "config");
  return {
    digest: manifestDigest(text),
    mediaType: type,
    layers: config ? unique([config.digest, ...ownLayers(json.layers)]) : [],
    manifests: isList ? unique(descriptors(json.manifests, "manifests").map(({ digest }) => digest)) : [],
    artifactType: typeof json.artifactType === "string" ? json.artifactType : config?.mediaType,
    subject: json.subject === undefined ? undefined : descriptor(json.subject, "subject").digest,
    annotations: annotations(json.annotations),
  };
}

/** OCI manifests need not name their own type. */
function guessed(json: Json): string {
  return json.manifests === undefined ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.ociIndex;
}

/** Without layers that live elsewhere and are not distributed (base layers of Windows). */
function ownLayers(value: unknown): string[] {
  return descriptors(value, "layers")
    .filter(({ mediaType, urls }) => !urls && !/foreign|nondistributable/.test(mediaType ?? ""))
    .map(({ digest }) => digest);
}

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string | undefined;
  readonly urls: boolean;
}

function descriptors(value: unknown, member: string): Descriptor[] {
  if (!Array.isArray(value)) throw refused(`'${member}' must be a list`);
  return value.map((item: unknown, index) => descriptor(item, `${member}[${index}]`));
}

function descriptor(value: unknown, member: string): Descriptor {
  const { digest, mediaType, urls } = (typeof value === "object" && value !== null ? value : {}) as Json;
  if (typeof digest !== "string" || !isDigest(digest)) throw refused(`'${member}' must have a sha256 'digest'`);
  return {
    digest,
    mediaType: typeof mediaType === "string" ? mediaType : undefined,
    urls: Array.isArray(urls) && urls.length > 0,
  };
}

function annotations(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object") throw refused("'annotations' must be a map of strings");
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string"));
}

function parsedJson(text: string): Json {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refused("Invalid JSON syntax");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refused("Invalid JSON syntax");
  return json as Json;
}

function refused(constraint: string): Error {
  return invalidParameter("ImageManifest", constraint);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
