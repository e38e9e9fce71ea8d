/** A registry on loopback for the tests of the registry protocol, and a client that speaks it. */
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request } from "node:http";
import { after, before, beforeEach } from "node:test";
import { CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "../index.ts";
import { digestOf, type TestImage, type TestRegistry, testRegistry } from "../testing.ts";

export const SCOPE = { accountId: ACCOUNT, region: REGION };
export const HOST = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** The root's by default; "" for none. */
  readonly authorization?: string;
}

/** Made inside a suite: one system for all of its tests, and a new repository for each. */
export class RegistryFixture {
  system!: TestSystem;
  registry!: TestRegistry;
  /** The root's Authorization header. */
  root = "";
  /** The test's own repository. */
  name = "";
  #number = 0;

  constructor() {
    before(async () => {
      this.system = await testSystem({ services: [ecr] });
      this.registry = await testRegistry(this.system);
      this.root = await this.registry.basic(rootPrincipal(ACCOUNT), SCOPE);
    });
    after(async () => {
      await this.registry[Symbol.asyncDispose]();
      await this.system[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      this.name = `app-${++this.#number}`;
      await this.system.root.send(new CreateRepositoryCommand({ repositoryName: this.name }));
    });
  }

  /** Through a socket, because `fetch` sets the Host header itself. `path` after `/v2/`, or a whole URL. */
  send(method: string, path: string, { headers, body, authorization = this.root }: Options = {}): Promise<Answer> {
    const url = path.startsWith("http") ? new URL(path) : new URL(`http://${HOST}/v2/${path}`);
    const [hostname, port] = this.registry.host.split(":");
    const sentHeaders = { host: url.host, ...(authorization && { authorization }), ...headers };
    return new Promise((resolve, reject) => {
      const options = { hostname, port, method, path: url.pathname + url.search, headers: sentHeaders };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  /** The upload's address. */
  async beganUpload(): Promise<string> {
    const answer = await this.send("POST", `${this.name}/blobs/uploads/`);
    assert.equal(answer.status, 202, answer.body.toString());
    return answer.headers.location!;
  }

  async pushBlob(blob: Buffer): Promise<string> {
    const digest = digestOf(blob);
    const answer = await this.send("POST", `${this.name}/blobs/uploads/?digest=${digest}`, { body: blob });
    assert.equal(answer.status, 201, answer.body.toString());
    return digest;
  }

  putManifest(image: TestImage, reference: string): Promise<Answer> {
    const headers = { "content-type": image.mediaType };
    return this.send("PUT", `${this.name}/manifests/${reference}`, { headers, body: image.manifest });
  }

  async pushImage(image: TestImage, tag: string): Promise<void> {
    for (const blob of image.blobs) await this.pushBlob(blob);
    const answer = await this.putManifest(image, tag);
    assert.equal(answer.status, 201, answer.body.toString());
  }

  /** A role's session that may do these actions and log in. */
  rolePrincipal(session: string, ...actions: string[]): Principal {
    const principal: Principal = {
      type: "AssumedRole",
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/builder/${session}`,
      roleArn: `arn:aws:iam::${ACCOUNT}:role/builder`,
      accountId: ACCOUNT,
      userId: `AROAEXAMPLE:${session}`,
      accessKeyId: undefined,
    };
    const statement = { Effect: "Allow", Action: ["ecr:GetAuthorizationToken", ...actions], Resource: "*" };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    this.system.policies.set(principal.arn, [compilePolicy(parsePolicy(policy, "identity"))]);
    return principal;
  }
}

export function assertError(answer: Answer, status: number, code: string, message?: string | RegExp): void {
  assert.equal(answer.status, status, answer.body.toString());
  const { errors } = JSON.parse(answer.body.toString()) as { errors: { code: string; message: string }[] };
  assert.equal(errors[0]?.code, code);
  if (typeof message === "string") assert.equal(errors[0].message, message);
  else if (message) assert.match(errors[0].message, message);
}
