/**
 * The path of a request: identify service and operation, read the body, authenticate, parse, then `execute` (validate,
 * authorize, run, audit), and write the answer in the protocol's own form.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import { payloadDecoder } from "./auth/aws-chunked.ts";
import { PayloadError, type PayloadErrorReason } from "./auth/payload-error.ts";
import { Verifier } from "./auth/sigv4.ts";
import { type Authenticated, authenticate, authorizationOf, type ParsedAuthorization } from "./authentication.ts";
import { AccessDeniedError } from "./authorize.ts";
import { anonymousPrincipal, type Call, type System } from "./context.ts";
import { errorView, isUnexpected, WireError } from "./errors.ts";
import { execute } from "./execute.ts";
import { isFromLoopback } from "./loopback.ts";
import { jsonRpcProtocol } from "./protocols/json-rpc.ts";
import type { Protocol, WireRequest, WireResponse } from "./protocols/protocol.ts";
import { queryProtocol } from "./protocols/query.ts";
import { restProtocol } from "./protocols/rest.ts";
import type { Registry } from "./registry.ts";
import { isDeparture, loggedPath } from "./request-log.ts";
import type { DataPlane, Service } from "./service.ts";

/** ECR's UploadLayerPart carries up to 20 MiB as base64; nothing that is not streamed is larger. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

type RequestHandler = (message: IncomingMessage, response: ServerResponse) => void;

/** `ownRoutes`: what is neither AWS's nor a service's (health, container credentials). */
export function requestHandler(
  system: System,
  registry: Registry,
  ownRoutes: readonly DataPlane[] = [],
): RequestHandler {
  const verifier = new Verifier();
  const protocols = new Map(registry.services.map((service) => [service, protocolOf(service)]));
  const dataPlanes = [...ownRoutes, ...registry.services.flatMap((service) => service.dataPlanes)];

  return (message, response) => {
    const request = wireRequest(message);
    const dataPlane = dataPlaneOf(dataPlanes, request);
    const handled = dataPlane
      ? serveDataPlane(dataPlane, message, response, system)
      : serve(system, registry, protocols, verifier, message, request, response);
    handled.catch((error: unknown) => {
      if (!isDeparture(error, message))
        system.log("error", "a response could not be written", { error: String(error) });
      response.destroy();
    });
  };
}

function protocolOf(service: Service): Protocol {
  if (service.protocol === "awsQuery") return queryProtocol(service);
  if (service.protocol === "restXml" || service.protocol === "restJson1") return restProtocol(service);
  return jsonRpcProtocol(service);
}

function wireRequest(message: IncomingMessage): WireRequest {
  const url = message.url ?? "/";
  const mark = url.indexOf("?");
  return {
    method: message.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery: mark < 0 ? "" : url.slice(mark + 1),
    // Repeated headers that AWS reads are joined by Node already; set-cookie, the one array, is never among them.
    headers: message.headers as Record<string, string | undefined>,
    body: undefined,
    stream: message,
  };
}

/** Signed requests are AWS's, whatever their path: a bucket may be named "v2". A load balancer's host is its own. */
function dataPlaneOf(dataPlanes: readonly DataPlane[], request: WireRequest): DataPlane | undefined {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  const signed =
    request.headers.authorization?.startsWith("AWS4-") === true || request.rawQuery.includes("X-Amz-Signature=");
  if (signed && !/\.elb\.(amazonaws\.com|localhost)$/.test(host)) return undefined;
  return dataPlanes.find((plane) => plane.matches({ method: request.method, host, path: request.path }));
}

async function serveDataPlane(plane: DataPlane, message: IncomingMessage, response: ServerResponse, system: System) {
  try {
    await plane.handle(message, response, system);
  } catch (error) {
    if (isDeparture(error, message)) return void response.destroy();
    const path = loggedPath(message.url ?? "/");
    system.log("error", "a data plane failed", { path, error: String((error as Error).stack ?? error) });
    if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
    response.end("Slipway could not serve this request; its log says why.\n");
  }
}

async function serve(
  system: System,
  registry: Registry,
  protocols: ReadonlyMap<Service, Protocol>,
  verifier: Verifier,
  message: IncomingMessage,
  request: WireRequest,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  let service: Service | undefined;
  let answer: WireResponse;
  try {
    // Which service is asked decides the words of every later error, so it is found before anything is checked.
    service = serviceByHint(registry, request);
    const authorization = authorizationOf(request, service);
    service ??= authorization && registry.bySigningName(authorization.service);
    service ??= anonymousService(registry, request);
    if (!service) throw unknownService(request, authorization);
    const loading = service.load();
    if (loading) await loading;
    answer = await answerOf(
      system,
      service,
      protocols.get(service)!,
      verifier,
      message,
      request,
      authorization,
      requestId,
    );
  } catch (error) {
    if (isDeparture(error, message)) return void response.destroy();
    if (isUnexpected(service, error) && !(error instanceof PayloadError)) {
      system.log("error", "an operation failed", { requestId, error: String((error as Error).stack ?? error) });
    }
    const protocol = protocols.get(service ?? registry.services[0]!)!;
    answer = protocol.error(errorView(service, inProtocolWords(service, error)), requestId, request);
    if (!message.complete) message.resume(); // so that the client reads the answer instead of a reset connection
  }
  await write(response, request, answer, requestId, service);
}

async function answerOf(
  system: System,
  service: Service,
  protocol: Protocol,
  verifier: Verifier,
  message: IncomingMessage,
  request: WireRequest,
  authorization: ParsedAuthorization | undefined,
  requestId: string,
): Promise<WireResponse> {
  const byHead = service.protocol !== "awsQuery";
  let routed = byHead ? protocol.route(request) : undefined;
  const streams = routed !== undefined && protocol.streamsInput(routed.model);
  if (!streams) request.body = await readBody(message);
  const authenticated =
    authorization === undefined && (routed ?? protocol.route(request))?.model.operation?.unsigned
      ? { principal: anonymousPrincipal(system.config.accountId), verified: undefined }
      : await authenticate(system, verifier, service, request, authorization, isFromLoopback(message));
  await decodePayload(request, message, authenticated, streams);
  if (!byHead) routed = protocol.route(request);
  if (!routed) throw unknownOperation(service, request);
  const input = protocol.parse(routed, request);
  const region = authorization?.region ?? regionOf(request, system);
  const call = toCall(system, message, request, authenticated, region, requestId);
  const output = await execute(service, routed.model, input, call);
  return protocol.serialize(routed.model, output, requestId);
}

function serviceByHint(registry: Registry, request: WireRequest): Service | undefined {
  const target = request.headers["x-amz-target"];
  return target === undefined ? undefined : registry.byTarget(target);
}

/** Requests without a signature: the host says whose they are; S3 takes what nobody else does. */
function anonymousService(registry: Registry, request: WireRequest): Service | undefined {
  if (request.headers.authorization !== undefined) return undefined;
  const host = request.headers.host ?? "";
  if (host.includes(".amazonaws.com")) return registry.byHost(host) ?? registry.bySigningName("s3");
  const query = request.path === "/" && (request.method === "POST" || /(^|&)Action=/.test(request.rawQuery));
  return registry.bySigningName(query ? "sts" : "s3");
}

/** Of a request without a signature: `sts.eu-west-1.amazonaws.com` says it, other hosts mean the first region. */
function regionOf(request: WireRequest, system: System): string {
  const named = /\.([a-z]+(?:-[a-z]+)+-\d)\.amazonaws\.com/.exec(request.headers.host ?? "");
  return named?.[1] ?? system.config.region;
}

function unknownService(request: WireRequest, authorization: ParsedAuthorization | undefined): WireError {
  const named = request.headers["x-amz-target"] ?? authorization?.service ?? request.headers.host ?? request.path;
  return new WireError("UnknownOperationException", 400, `Slipway has no service that answers to ${named}`);
}

function unknownOperation(service: Service, request: WireRequest): WireError {
  if (service.protocol === "awsQuery") {
    const action = new URLSearchParams(
      request.body?.length ? Buffer.from(request.body).toString() : request.rawQuery,
    ).get("Action");
    const sentence = `Could not find operation ${action ?? "(none given)"} for version ${service.version}`;
    return new WireError("InvalidAction", 400, sentence);
  }
  if (service.target === undefined) {
    return new WireError("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");
  }
  const target = request.headers["x-amz-target"] ?? "";
  return new WireError(
    "UnknownOperationException",
    400,
    `${service.id} has no operation ${target.slice(target.lastIndexOf(".") + 1)}`,
  );
}

/** By events: measured on a bare server, an async iterator costs every request 4 µs more. */
function readBody(message: IncomingMessage): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const declared = Number(message.headers["content-length"] ?? 0);
  if (declared > MAX_BODY_BYTES) {
    reject(tooLarge());
    return promise;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) {
      chunks.push(chunk);
    } else {
      message.off("data", keep);
      reject(tooLarge());
    }
  };
  message.on("data", keep);
  message.once("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
  // Also a client that goes away midway.
  message.once("error", reject);
  return promise;
}

function tooLarge(): WireError {
  return new WireError("RequestEntityTooLargeException", 413, `The request body exceeds ${MAX_BODY_BYTES} bytes`);
}

/** Unwraps aws-chunked bodies and checks streamed ones against their declared hash. */
async function decodePayload(
  request: WireRequest,
  message: IncomingMessage,
  { verified }: Authenticated,
  streams: boolean,
): Promise<void> {
  const chunked = request.headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true;
  if (!streams && !chunked) return;
  const decoder = payloadDecoder(verified, request.headers);
  if (!decoder) return;
  const source = streams ? message : Readable.from([request.body ?? Buffer.alloc(0)]);
  // An error of either side reaches whoever reads the decoded stream.
  source.on("error", (error) => decoder.destroy(error));
  const decoded = source.pipe(decoder);
  if (streams) request.stream = decoded;
  else request.body = Buffer.concat(await decoded.toArray());
}

function toCall(
  system: System,
  message: IncomingMessage,
  request: WireRequest,
  { principal }: Authenticated,
  region: string,
  requestId: string,
): Call {
  const address = message.socket.remoteAddress ?? "";
  return {
    system,
    db: system.db,
    principal,
    accountId: principal.accountId,
    region,
    requestId,
    now: system.clock.now(),
    sourceIp: address.startsWith("::ffff:") ? address.slice(7) : address,
    secureTransport: "encrypted" in message.socket && message.socket.encrypted === true,
    userAgent: request.headers["user-agent"] ?? "",
    http: {
      method: request.method,
      host: request.headers.host ?? "",
      path: request.path,
      query: request.rawQuery,
      tlsVersion: tlsVersion(message.socket),
      headers: request.headers,
    },
  };
}

function tlsVersion(socket: Socket): string | undefined {
  return "getProtocol" in socket ? (socket as TLSSocket).getProtocol()?.replace(/^TLSv/, "") : undefined;
}

/** JSON services call the error AccessDeniedException, the others AccessDenied. */
function inProtocolWords(service: Service | undefined, error: unknown): unknown {
  const json = service?.protocol.startsWith("awsJson") || service?.protocol === "restJson1";
  if (error instanceof AccessDeniedError && json) return new WireError("AccessDeniedException", 400, error.message);
  return error instanceof PayloadError ? payloadError(error) : error;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const PAYLOAD_ANSWERS: Readonly<Record<PayloadErrorReason, readonly [code: string, status: number]>> = {
  "length-required": ["MissingContentLength", 411],
  malformed: ["InvalidRequest", 400],
  "chunk-size": ["InvalidChunkSizeError", 403],
  "chunk-signature": ["SignatureDoesNotMatch", 403],
  "body-hash": ["XAmzContentSHA256Mismatch", 400],
  trailer: ["MalformedTrailerError", 400],
  checksum: ["BadDigest", 400],
  incomplete: ["IncompleteBody", 400],
};

function payloadError(error: PayloadError): WireError {
  const [code, status] = PAYLOAD_ANSWERS[error.reason];
  return new WireError(code, status, error.message);
}

async function write(
  response: ServerResponse,
  request: WireRequest,
  answer: WireResponse,
  requestId: string,
  service: Service | undefined,
): Promise<void> {
  const { headers, body } = answer;
  headers[service?.name === "s3" ? "x-amz-request-id" : "x-amzn-requestid"] = requestId;
  if (body instanceof Readable) {
    response.writeHead(answer.status, headers);
    if (request.method === "HEAD") {
      body.destroy();
      response.end();
    } else {
      // A client that goes away midway is no error of ours.
      await pipeline(body, response).catch(() => response.destroy());
    }
    return;
  }
  if (headers["content-length"] === undefined && answer.status !== 204 && answer.status !== 304) {
    headers["content-length"] = String(body === undefined ? 0 : Buffer.byteLength(body));
  }
  response.writeHead(answer.status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}
