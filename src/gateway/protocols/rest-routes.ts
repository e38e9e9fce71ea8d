/**
 * REST routing: which operation a method, path, query and headers name.
 * https://smithy.io/2.0/spec/http-bindings.html; S3's bucket-in-host rule is
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
import type { StaticStructureSchema } from "@smithy/types";
import type { OperationModel, Service } from "../service.ts";
import type { Routed, WireRequest } from "./protocol.ts";
import { inputBindings } from "./rest-bindings.ts";

interface Route {
  readonly model: OperationModel;
  readonly method: string;
  readonly path: RegExp;
  readonly labels: readonly string[];
  /** Literal query parameters of the URI: `?uploads`, `?list-type=2`. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  /** S3: the bucket is a label that the URI pattern does not have. */
  readonly bucket: boolean;
  /** The more a route asks for, the earlier it is tried. */
  readonly weight: number;
}

export function restRoutes(service: Service): (request: WireRequest) => Routed | undefined {
  const isS3 = service.name === "s3";
  const routes = [...service.operations.values()]
    .flatMap((model) => (model.http ? [toRoute(model)] : []))
    .sort((left, right) => right.weight - left.weight);

  return (request) => {
    const { bucket, path } = isS3 ? splitBucket(request) : { bucket: undefined, path: request.path };
    const query = new URLSearchParams(request.rawQuery);
    for (const route of routes) {
      if (route.method !== request.method) continue;
      if (isS3 && route.bucket !== (bucket !== undefined)) continue;
      const match = route.path.exec(path);
      if (!match) continue;
      if (!route.query.every(([name, value]) => query.has(name) && (!value || query.get(name) === value))) continue;
      if (!route.requiredQuery.every((name) => query.has(name))) continue;
      if (!route.requiredHeaders.every((name) => request.headers[name] !== undefined)) continue;
      const labels: Record<string, string> = bucket === undefined ? {} : { Bucket: bucket };
      route.labels.forEach((label, index) => {
        labels[label] = decode(match[index + 1]!);
      });
      return { model: route.model, labels };
    }
    return undefined;
  };
}

function toRoute(model: OperationModel): Route {
  const [method, uri] = model.http!;
  const [path = "/", literalQuery = ""] = uri.split("?");
  const labels: string[] = [];
  const pattern = path
    .replace(/[.*()|[\]\\^$]/g, "\\$&")
    .replace(/\{([^}+]+)(\+)?\}/g, (_, label: string, greedy: string | undefined) => {
      labels.push(label);
      return greedy ? "(.+)" : "([^/]+)";
    });
  const query = [...new URLSearchParams(literalQuery)].filter(([name]) => name !== "x-id");
  const structure = model.input.getSchema() as StaticStructureSchema;
  const required = new Set(model.input.isUnitSchema() ? [] : structure[4].slice(0, structure[6] ?? 0));
  const { bound } = inputBindings(model);
  const requiredBound = bound.filter((binding) => required.has(binding.name));
  const requiredQuery = requiredBound.flatMap(({ traits }) => traits.httpQuery ?? []);
  const requiredHeaders = requiredBound.flatMap(({ traits }) => traits.httpHeader?.toLowerCase() ?? []);
  const literals = path.match(/[^/{}]+/g)?.length ?? 0;
  return {
    model,
    method,
    path: new RegExp(`^${pattern}$`),
    labels,
    query,
    requiredQuery,
    requiredHeaders,
    bucket: bound.some(({ name, traits }) => name === "Bucket" && traits.httpLabel && !labels.includes(name)),
    weight:
      query.length * 8 +
      requiredQuery.length * 4 +
      requiredHeaders.length * 2 +
      literals -
      labels.length * 0.5 +
      (model.operation ? 0.1 : 0),
  };
}

/** The bucket is the host's first label (virtual-hosted style) or the path's first segment. */
function splitBucket(request: WireRequest): { bucket: string | undefined; path: string } {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const virtual = /^(.+)\.(?:s3[.-].*|localhost)$/.exec(host);
  if (virtual) return { bucket: virtual[1]!, path: request.path };
  const slash = request.path.indexOf("/", 1);
  const first = slash < 0 ? request.path.slice(1) : request.path.slice(1, slash);
  if (!first) return { bucket: undefined, path: request.path };
  return { bucket: decode(first), path: slash < 0 ? "/" : request.path.slice(slash) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
