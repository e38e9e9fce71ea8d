/**
 * What every build and task gets so that AWS's names work inside it unchanged: the egress proxy, the local certificate
 * authority, and credentials of its role from an endpoint, as CodeBuild and ECS give them.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { type System, servicePrincipal } from "./context.ts";
import type { DataPlane } from "./service.ts";

/** Inside the container. */
export const CA_BUNDLE_PATH = "/etc/slipway/ca-bundle.pem";
export const CREDENTIALS_PATH = "/_slipway/credentials/";
const SEAL_PURPOSE = "container-credentials";
/** Handed out anew when less than this is left of a session. */
const REFRESH_BEFORE_MS = 10 * 60_000;
const MAX_CACHED_SESSIONS = 1_000;

/** The right to be a role for as long as a group lives. */
export interface CredentialsGrant {
  readonly roleArn: string;
  /** Who assumes it: "codebuild.amazonaws.com", "ecs-tasks.amazonaws.com". */
  readonly service: string;
  readonly sessionName: string;
  readonly accountId: string;
  readonly region: string;
  readonly sourceArn?: string;
  readonly sessionKeys?: Readonly<Record<string, string>>;
  /** The engine's group; when none of its containers is left alive, the endpoint answers no more. */
  readonly groupId: string;
}

/** Environment variables; the file at CA_BUNDLE_PATH comes from `caBundleTar`, unpacked at "/". */
export async function containerEnvironment(
  system: System,
  grant: CredentialsGrant | undefined,
): Promise<Record<string, string>> {
  const { host, port } = await system.containerGateway();
  const gateway = `http://${host}:${port}`;
  const direct = `localhost,127.0.0.1,${host}`;
  return {
    HTTP_PROXY: gateway,
    HTTPS_PROXY: gateway,
    NO_PROXY: direct,
    http_proxy: gateway,
    https_proxy: gateway,
    no_proxy: direct,
    AWS_CA_BUNDLE: CA_BUNDLE_PATH,
    CURL_CA_BUNDLE: CA_BUNDLE_PATH,
    GIT_SSL_CAINFO: CA_BUNDLE_PATH,
    NODE_EXTRA_CA_CERTS: CA_BUNDLE_PATH,
    REQUESTS_CA_BUNDLE: CA_BUNDLE_PATH,
    SSL_CERT_FILE: CA_BUNDLE_PATH,
    AWS_ENDPOINT_URL: gateway,
    ...(grant && {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${gateway}${CREDENTIALS_PATH}${system.cipher.seal(SEAL_PURPOSE, JSON.stringify(grant))}`,
    }),
  };
}

/** A tar stream that holds the certificate bundle at its path. */
export async function caBundleTar(system: System) {
  const { pack } = await import("tar-stream");
  const tar = pack();
  tar.entry({ name: CA_BUNDLE_PATH.slice(1), mode: 0o644 }, system.caBundle());
  tar.finalize();
  return tar;
}

interface Session {
  readonly body: string;
  readonly expiresAt: number;
}

/** Answers the endpoint that AWS_CONTAINER_CREDENTIALS_FULL_URI names. */
export function containerCredentialsRoute(): DataPlane {
  const sessions = new Map<string, Session>();

  async function sessionOf(system: System, sealed: string): Promise<Session | undefined> {
    const opened = system.cipher.open(SEAL_PURPOSE, sealed);
    if (!opened) return undefined;
    const grant = JSON.parse(opened.toString("utf8")) as CredentialsGrant;
    const group = await system.engine.state(grant.groupId);
    if (!group?.containers.some(({ status }) => status !== "exited")) return undefined;
    const known = sessions.get(sealed);
    if (known && known.expiresAt - REFRESH_BEFORE_MS > system.clock.now().getTime()) return known;
    const session = await assumedSession(system, grant);
    if (sessions.size >= MAX_CACHED_SESSIONS) sessions.clear();
    sessions.set(sealed, session);
    return session;
  }

  return {
    matches: ({ path }) => path.startsWith(CREDENTIALS_PATH),
    async handle(request, response, system) {
      const sealed = (request.url ?? "").slice(CREDENTIALS_PATH.length);
      const session = request.method === "GET" ? await sessionOf(system, sealed) : undefined;
      response.writeHead(session ? 200 : 403, { "content-type": "application/json", "cache-control": "no-store" });
      const refusal = {
        code: "AccessDenied",
        message: "The credentials of this container are not or no longer available",
      };
      response.end(session?.body ?? JSON.stringify(refusal));
    },
  };
}

async function assumedSession(system: System, grant: CredentialsGrant): Promise<Session> {
  const client = system.client(servicePrincipal(grant.service, grant.accountId), grant);
  const assume = new AssumeRoleCommand({ RoleArn: grant.roleArn, RoleSessionName: grant.sessionName });
  const { Credentials } = await client.send(assume);
  const body = JSON.stringify({
    RoleArn: grant.roleArn,
    AccessKeyId: Credentials?.AccessKeyId,
    SecretAccessKey: Credentials?.SecretAccessKey,
    Token: Credentials?.SessionToken,
    Expiration: Credentials?.Expiration?.toISOString().replace(/\.\d+Z$/, "Z"),
  });
  return { body, expiresAt: Credentials?.Expiration?.getTime() ?? 0 };
}
