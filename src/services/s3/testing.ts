/** A server with S3 on a free port, for tests that speak HTTP. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { type Identities, rootPrincipal } from "#gateway/context.ts";
import { requestHandler } from "#gateway/handle.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { s3 } from "./index.ts";

export const ACCESS_KEY = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

export interface S3Server extends AsyncDisposable {
  readonly system: TestSystem;
  readonly url: string;
  readonly client: S3Client;
}

export async function s3Server(): Promise<S3Server> {
  const system = await testSystem({ services: [s3], identities: oneKey });
  const server = createServer(requestHandler(system, system.registry));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new S3Client({
    endpoint: url,
    region: REGION,
    credentials: ACCESS_KEY,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return {
    system,
    url,
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await system[Symbol.asyncDispose]();
    },
  };
}

function oneKey(): Identities {
  const principal = rootPrincipal(ACCOUNT, ACCESS_KEY.accessKeyId);
  return {
    authenticate: async (id) =>
      id === ACCESS_KEY.accessKeyId ? { secretAccessKey: ACCESS_KEY.secretAccessKey, principal } : "unknown",
    policiesOf: async () => ({ identity: [] }),
  };
}
