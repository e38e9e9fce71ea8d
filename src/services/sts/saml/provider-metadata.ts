/** The metadata of SAML providers as it was read once: a document of up to ten megabytes comes with each sign-in. */
import { hash } from "node:crypto";
import { parseSamlMetadata, type SamlMetadata } from "#gateway/federation/saml-metadata.ts";
import { perSystem } from "#gateway/per-system.ts";

const MAX_DOCUMENTS = 1_000;

export class ParsedMetadata {
  readonly #parse: (document: string) => SamlMetadata;
  /** By the document's hash; what was asked for longest ago comes first. */
  readonly #known = new Map<string, SamlMetadata>();

  constructor(parse = parseSamlMetadata) {
    this.#parse = parse;
  }

  /** Throws as the parser does; such a document is read again the next time. */
  of(document: string): SamlMetadata {
    const key = hash("sha256", document);
    // A clone does not keep the whole document alive, of which the parser's texts are slices.
    const metadata = this.#known.get(key) ?? structuredClone(this.#parse(document));
    this.#known.delete(key);
    if (this.#known.size >= MAX_DOCUMENTS) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, metadata);
    return metadata;
  }
}

export const [parsedMetadata, useParsedMetadata] = perSystem(() => new ParsedMetadata());
