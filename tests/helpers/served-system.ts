/** All services with an engine that runs nothing, served over HTTP on a free port: for tests of what goes over the wire. */
import { Agent, createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { AttachUserPolicyCommand, CreateAccessKeyCommand, CreateUserCommand } from "@aws-sdk/client-iam";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import type { Client } from "#gateway/client.ts";
import { containerCredentialsRoute } from "#gateway/container-environment.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { requestHandler } from "#gateway/handle.ts";
import { IamIdentities } from "#services/iam/index.ts";
import { OrganizationMemberships } from "#services/organizations/index.ts";
import { services } from "#services/services.ts";
import { REGION, type TestSystem, testSystem } from "./test-system.ts";

export interface Administrator {
  readonly client: Client;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ServedSystem extends AsyncDisposable {
  readonly system: TestSystem;
  readonly engine: FakeEngine;
  readonly port: number;
  readonly url: string;
  /** What the log got, errors first of all. */
  readonly logged: string[];
  /** A user with AdministratorAccess and a key. */
  administratorOf(accountId: string): Promise<Administrator>;
  /** Through a socket of its own: `fetch` sets the Host header itself and changes paths. */
  send(
    method: string,
    path: string,
    options?: { headers?: Record<string, string | string[]>; body?: string | Uint8Array },
  ): Promise<Answer>;
}

/** Nothing that was begun goes on by itself: what tests see stays as it is. */
export async function servedSystem(): Promise<ServedSystem> {
  const engine = new FakeEngine();
  const logged: string[] = [];
  const system = await testSystem({
    services,
    engine,
    identities: (parts) => new IamIdentities(parts),
    organizations: (parts) => new OrganizationMemberships(parts),
    work: false,
    config: { providerEndpoints: { github: "/nowhere" } },
  });
  system.log = (level, message, fields) => void logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  const planes = services.flatMap(({ dataPlanes }) => dataPlanes);
  for (const plane of planes) await plane.start?.(system);
  const server = createServer(requestHandler(system, system.registry, [containerCredentialsRoute()]));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    system,
    engine,
    port,
    url: `http://127.0.0.1:${port}`,
    logged,
    async administratorOf(accountId) {
      const root = system.client(rootPrincipal(accountId), { accountId, region: REGION });
      const UserName = "admin";
      await root.send(new CreateUserCommand({ UserName }));
      const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
      await root.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
      const { AccessKey } = await root.send(new CreateAccessKeyCommand({ UserName }));
      const { AccessKeyId = "", SecretAccessKey = "" } = AccessKey!;
      const principal = await system.principalOf({ AccessKeyId });
      return {
        client: system.client(principal, { accountId, region: REGION }),
        credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey },
      };
    },
    send(method, path, { headers = {}, body } = {}) {
      return new Promise((resolve, reject) => {
        const sent = request({ host: "127.0.0.1", port, method, path, headers, agent }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        });
        sent.on("error", reject);
        sent.end(body);
      });
    },
    async [Symbol.asyncDispose]() {
      for (const plane of planes) await plane.stop?.();
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await system[Symbol.asyncDispose]();
    },
  };
}
