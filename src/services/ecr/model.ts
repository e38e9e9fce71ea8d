/** The nouns of a registry: whose repository it is, its names and ARNs, digests. */

/** A registry is an account in a region; a repository is a name in it. */
export interface RegistryScope {
  readonly accountId: string;
  readonly region: string;
}

export interface RepositoryName extends RegistryScope {
  readonly name: string;
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html */
export function repositoryArn({ accountId, region, name }: RepositoryName): string {
  return `arn:aws:ecr:${region}:${accountId}:repository/${name}`;
}

/** undefined where the text is not the ARN of a repository. */
export function parsedRepositoryArn(arn: string): RepositoryName | undefined {
  const match = /^arn:aws:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/.exec(arn);
  return match ? { region: match[1]!, accountId: match[2]!, name: match[3]! } : undefined;
}

/** "111122223333.dkr.ecr.us-east-1.amazonaws.com" */
export function registryHost({ accountId, region }: RegistryScope): string {
  return `${accountId}.dkr.ecr.${region}.amazonaws.com`;
}

/** The registry that a host name (lower case, without port) stands for; undefined for all other hosts. */
export function registryOfHost(host: string): RegistryScope | undefined {
  const match = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host);
  return match ? { accountId: match[1]!, region: match[2]! } : undefined;
}

export function repositoryUri(repository: RepositoryName): string {
  return `${registryHost(repository)}/${repository.name}`;
}

/** ECR knows no other algorithm. */
const SHA256_DIGEST = /^sha256:([0-9a-f]{64})$/;

export function isDigest(text: string): boolean {
  return SHA256_DIGEST.test(text);
}

/** The 64 hex digits; "" where the text is not a sha256 digest, which no blob is named. */
export function hexOf(digest: string): string {
  return SHA256_DIGEST.exec(digest)?.[1] ?? "";
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests */
export function isTag(text: string): boolean {
  return /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(text);
}

export interface TagMutability {
  readonly mutability: "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION";
  /** Tags, with `*` for any text, to which the opposite applies. Empty without `_WITH_EXCLUSION`. */
  readonly exclusions: readonly string[];
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html */
export function isImmutable(tag: string, { mutability, exclusions }: TagMutability): boolean {
  const excluded = exclusions.some((filter) => matchesWildcards(tag, filter));
  return mutability.startsWith("IMMUTABLE") ? !excluded : excluded;
}

/** Whether `*` in the pattern can be filled so that it becomes the text. Linear in both. */
export function matchesWildcards(text: string, pattern: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return text === pattern;
  if (!text.startsWith(head)) return false;
  const tail = parts.pop()!;
  let at = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= tail.length && text.endsWith(tail);
}
