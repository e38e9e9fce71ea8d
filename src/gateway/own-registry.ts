/** Images of Slipway's own registry, and what the engine calls them once it has pulled them. */

export interface OwnImage {
  readonly accountId: string;
  readonly region: string;
  /** "111122223333.dkr.ecr.us-east-1.amazonaws.com" */
  readonly host: string;
}

/** undefined for images of other registries. */
export function ownImage(image: string): OwnImage | undefined {
  const match = /^((\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com)\/./.exec(image);
  return match ? { host: match[1]!, accountId: match[2]!, region: match[3]! } : undefined;
}

/** The engine's host knows no registry by AWS's name; Slipway's own port serves it under any. */
export function pullReference(port: number, image: string): string {
  return `127.0.0.1:${port}/${image}`;
}

/** The names that a pull gives an image on the engine: what was pulled, and its digest where known. None of other registries. */
export function pulledNames(port: number, image: string, digest: string | undefined): readonly string[] {
  if (!ownImage(image)) return [];
  const reference = pullReference(port, image);
  if (digest === undefined || image.includes("@")) return [reference];
  const slash = reference.lastIndexOf("/");
  const [name = ""] = reference.slice(slash).split(":");
  return [reference, `${reference.slice(0, slash)}${name}@${digest}`];
}
