/**
 * The registry that Docker and every OCI client talk to: the distribution specification v1.1 over ECR's own operations,
 * each request authorized with the IAM action that ECR asks for.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 *
 * Which registry is meant: the host `ACCOUNT.dkr.ecr.REGION.amazonaws.com`; or on any other host, such as 127.0.0.1,
 * that name as the first part of the repository's: `127.0.0.1:4566/ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { System } from "#gateway/context.ts";
import { loggedPath } from "#gateway/request-log.ts";
import type { DataPlane, Service } from "#gateway/service.ts";
import { type Bearer, bearerOfPassword } from "./credentials.ts";
import { type RegistryScope, registryHost, registryOfHost } from "./model.ts";
import { checkBlob, deleteBlob, downloadBlob, pullBlob } from "./oci/blobs.ts";
import { RegistryError, toRegistryError } from "./oci/errors.ts";
import { listReferrers, listTags } from "./oci/listings.ts";
import { deleteManifest, pullManifest, pushManifest } from "./oci/manifests.ts";
import { isSecure, OciRequest, type OciTarget } from "./oci/oci-request.ts";
import { abandonUpload, finishUpload, startUpload, uploadChunk, uploadStatus } from "./oci/uploads.ts";

type Handler = (request: OciRequest) => Promise<void>;

/** By the path after `/v2/`: the repository's name, then perhaps a reference. The first that matches counts. */
const ROUTES: readonly { readonly path: RegExp; readonly methods: Readonly<Record<string, Handler>> }[] = [
  { path: /^(.+)\/blobs\/uploads\/?$/, methods: { POST: startUpload } },
  {
    path: /^(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: { GET: uploadStatus, PATCH: uploadChunk, PUT: finishUpload, DELETE: abandonUpload },
  },
  { path: /^(.+)\/blobs\/([^/]+)$/, methods: { HEAD: checkBlob, GET: pullBlob, DELETE: deleteBlob } },
  {
    path: /^(.+)\/manifests\/([^/]+)$/,
    methods: { HEAD: pullManifest, GET: pullManifest, PUT: pushManifest, DELETE: deleteManifest },
  },
  { path: /^(.+)\/tags\/list$/, methods: { GET: listTags } },
  { path: /^(.+)\/referrers\/([^/]+)$/, methods: { GET: listReferrers } },
];

export class OciDataPlane implements DataPlane {
  readonly #service: () => Service;

  /** `service` is asked when a request is served: its definition holds this data plane. */
  constructor(service: () => Service) {
    this.#service = service;
  }

  matches({ host, path }: { host: string; path: string }): boolean {
    if (path !== "/v2" && !path.startsWith("/v2/")) return false;
    // Other names of AWS's are other services': a bucket or a load balancer may have such a path too.
    return registryOfHost(host) !== undefined || !/\.amazonaws\.com$|\.elb\.localhost$/.test(host);
  }

  async handle(message: IncomingMessage, response: ServerResponse, system: System): Promise<void> {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    try {
      await this.#serve(message, response, system);
    } catch (error) {
      const known = toRegistryError(error);
      if (!known)
        system.log("error", "a registry request failed", {
          path: loggedPath(message.url ?? "/"),
          error: String((error as Error).stack),
        });
      answerError(
        message,
        response,
        known ?? new RegistryError(500, "UNKNOWN", "The registry could not serve this request"),
      );
    }
  }

  async #serve(message: IncomingMessage, response: ServerResponse, system: System): Promise<void> {
    const url = new URL(`http://registry${message.url}`);
    const registry = registryOfHost(hostOf(message));
    if (url.pathname === "/v2" || url.pathname === "/v2/") {
      const bearer = await authenticated(message, system);
      if (bearer) response.writeHead(200, { "content-type": "application/json" }).end("{}");
      else challenge(message, response, registry ?? system.config);
      return;
    }
    const { target, methods } = routed(message, url, registry);
    const handler = methods[message.method ?? ""];
    if (!handler) throw new RegistryError(405, "UNSUPPORTED", "The operation is unsupported.");
    if (handler === pullBlob && target.query.has("token")) {
      await downloadBlob(system, { message, response, target });
      return;
    }
    const bearer = await authenticated(message, system);
    if (!bearer) {
      challenge(message, response, target.repository);
      return;
    }
    await handler(new OciRequest({ message, response, target }, bearer, system, this.#service()));
  }
}

function hostOf(message: IncomingMessage): string {
  return (message.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
}

function routed(
  message: IncomingMessage,
  url: URL,
  registry: RegistryScope | undefined,
): { target: OciTarget; methods: Readonly<Record<string, Handler>> } {
  const path = decodedPath(url.pathname).slice("/v2/".length);
  for (const { path: pattern, methods } of ROUTES) {
    const match = pattern.exec(path);
    if (!match) continue;
    const [, named = "", reference = ""] = match;
    const target: OciTarget = {
      repository: registry ? { ...registry, name: named } : repositoryByPrefix(named),
      url: `${isSecure(message) ? "https" : "http"}://${message.headers.host}/v2/${named}`,
      path: named,
      reference,
      query: url.searchParams,
    };
    return { target, methods };
  }
  throw new RegistryError(404, "UNSUPPORTED", `The registry has nothing at ${url.pathname}`);
}

function repositoryByPrefix(path: string) {
  const slash = path.indexOf("/");
  const registry = slash < 0 ? undefined : registryOfHost(path.slice(0, slash));
  if (registry) return { ...registry, name: path.slice(slash + 1) };
  const sentence = `The name '${path}' does not say which registry it is in: it must begin with ACCOUNT.dkr.ecr.REGION.amazonaws.com/`;
  throw new RegistryError(404, "NAME_UNKNOWN", sentence);
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new RegistryError(400, "NAME_INVALID", "The path has an invalid percent-encoding");
  }
}

/** undefined where there are no credentials, or none of ours. Throws RegistryError where they have expired. */
async function authenticated({ headers }: IncomingMessage, system: System): Promise<Bearer | undefined> {
  const basic = /^basic +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (basic === undefined) return undefined;
  const [user, password = ""] = Buffer.from(basic, "base64").toString().split(":", 2);
  if (user !== "AWS") return undefined;
  const bearer = await bearerOfPassword(system, password);
  if (bearer === "expired") {
    throw new RegistryError(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
  }
  return bearer === "invalid" ? undefined : bearer;
}

/** In ECR's words, which are no JSON. */
function challenge(message: IncomingMessage, response: ServerResponse, registry: RegistryScope): void {
  message.resume();
  response.writeHead(401, {
    "www-authenticate": `Basic realm="https://${registryHost(registry)}/",service="ecr.amazonaws.com"`,
    "content-type": "text/plain; charset=utf-8",
  });
  response.end(message.method === "HEAD" ? undefined : "Not Authorized\n");
}

function answerError(
  message: IncomingMessage,
  response: ServerResponse,
  { status, code, message: sentence }: RegistryError,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  message.resume(); // so that the client reads the answer instead of a reset connection
  const body = JSON.stringify({ errors: [{ code, message: sentence }] });
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(message.method === "HEAD" ? undefined : body);
}
