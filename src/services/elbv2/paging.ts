/** Pages of a list that is in memory: `Marker` says after which ARN to go on. */
import { invalidMarker } from "./errors.ts";

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html */
const MAX_PAGE = 400;

interface PageRequest {
  readonly Marker?: string | undefined;
  readonly PageSize?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly NextMarker: string | undefined;
}

/** Throws ValidationError where the marker is not one of ours, or what it points at is gone. */
export function pageOf<T>(items: readonly T[], idOf: (item: T) => string, request: PageRequest): Page<T> {
  let start = 0;
  if (request.Marker) {
    const id = Buffer.from(request.Marker, "base64url").toString();
    start = items.findIndex((item) => idOf(item) === id) + 1;
    if (start === 0) throw invalidMarker(request.Marker);
  }
  const page = items.slice(start, start + (request.PageSize ?? MAX_PAGE));
  const more = start + page.length < items.length;
  return { items: page, NextMarker: more ? Buffer.from(idOf(page.at(-1)!)).toString("base64url") : undefined };
}
