/** `/v2/NAME/tags/list` and `/v2/NAME/referrers/DIGEST` */
import { onRepository } from "../authorization.ts";
import { imageTags, referrersOf } from "../image-store.ts";
import { MEDIA_TYPES } from "../manifest.ts";
import { isDigest } from "../model.ts";
import { RegistryError } from "./errors.ts";
import type { OciRequest } from "./oci-request.ts";

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags */
export async function listTags(request: OciRequest): Promise<void> {
  const { query, url, path } = request.target;
  const last = query.get("last") ?? "";
  const count = query.has("n") ? Number(query.get("n")) : Number.POSITIVE_INFINITY;
  if (Number.isNaN(count) || count < 0) throw new RegistryError(400, "UNSUPPORTED", "'n' must be a number of tags");
  const all = await request.perform("ListImages", ({ id }) => imageTags(request.call.db, id));
  const rest = all.map(({ tag }) => tag).filter((tag) => tag > last);
  const tags = rest.slice(0, count);
  const more = tags.length > 0 && tags.length < rest.length;
  const next = `${url}/tags/list?${new URLSearchParams({ n: String(count), last: tags.at(-1) ?? "" })}`;
  request.answerJson({ name: path, tags }, more ? { link: `<${next}>; rel="next"` } : {});
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers */
export async function listReferrers(request: OciRequest): Promise<void> {
  const { reference, query } = request.target;
  if (!isDigest(reference)) throw new RegistryError(400, "DIGEST_INVALID", `'${reference}' is not a sha256 digest`);
  const artifactType = query.get("artifactType");
  const all = await request.perform(
    "ListImageReferrers",
    ({ id }) => referrersOf(request.call.db, id, reference),
    onRepository("BatchGetImage"),
  );
  const manifests = all
    .filter((image) => artifactType === null || image.artifactType === artifactType)
    .map((image) => ({
      mediaType: image.mediaType,
      digest: image.digest,
      size: Buffer.byteLength(image.manifest),
      artifactType: image.artifactType,
      annotations: image.annotations,
    }));
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
  request.answerJson(index, {
    "content-type": MEDIA_TYPES.ociIndex,
    ...(artifactType !== null && { "oci-filters-applied": "artifactType" }),
  });
}
