/** What the gateway answers to requests that no well-behaved client sends, over real HTTP. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sign } from "#gateway/auth/sigv4.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly code: string | undefined;
}

interface Options {
  readonly service?: string;
  readonly target?: string;
  readonly contentType?: string;
  readonly secretAccessKey?: string;
  readonly accessKeyId?: string;
  readonly sessionToken?: string;
  readonly now?: Date;
  /** Sent instead of the signed body. */
  readonly sentBody?: string;
}

describe("a bad request", () => {
  let slipway: SlipwayProcess;

  before(async () => {
    slipway = await SlipwayProcess.start();
  });
  after(() => slipway[Symbol.asyncDispose]());

  async function call(body: string, options: Options = {}): Promise<Answer> {
    const { url, accessKeyId, secretAccessKey, region } = slipway.running;
    const { service = "codebuild", target = "CodeBuild_20161006.CreateProject" } = options;
    const json = options.contentType ?? "application/x-amz-json-1.1";
    const headers: Record<string, string> = {
      host: new URL(url).host,
      "content-type": json,
      ...(target && { "x-amz-target": target }),
    };
    const signed = sign(
      { method: "POST", path: "/", rawQuery: "", headers, body: Buffer.from(body) },
      {
        accessKeyId: options.accessKeyId ?? accessKeyId,
        secretAccessKey: options.secretAccessKey ?? secretAccessKey,
        ...(options.sessionToken && { sessionToken: options.sessionToken }),
      },
      { region, service },
      options.now ?? new Date(),
    );
    const response = await fetch(url, { method: "POST", headers: signed, body: options.sentBody ?? body });
    const text = await response.text();
    const code = response.headers.get("x-amzn-errortype") ?? /<Code>(.*?)<\/Code>/.exec(text)?.[1];
    return { status: response.status, text, code: code ?? undefined };
  }

  const project = {
    name: "p",
    source: { type: "NO_SOURCE", buildspec: "version: 0.2" },
    artifacts: { type: "NO_ARTIFACTS" },
    environment: { type: "LINUX_CONTAINER", image: "debian", computeType: "BUILD_GENERAL1_SMALL" },
    serviceRole: "arn:aws:iam::387543059434:role/none",
  };

  const cases: readonly [
    name: string,
    body: string,
    options: Options,
    expected: { status: number; code: string; says: RegExp },
  ][] = [
    ["malformed JSON", "{", {}, { status: 400, code: "SerializationException", says: /not JSON/ }],
    ["JSON that is no object", "[]", {}, { status: 400, code: "SerializationException", says: /JSON object/ }],
    [
      "a wrong type",
      JSON.stringify({ ...project, name: 5 }),
      {},
      { status: 400, code: "SerializationException", says: /name/ },
    ],
    [
      "a missing member",
      JSON.stringify({ ...project, environment: undefined }),
      {},
      { status: 400, code: "InvalidInputException", says: /environment.*must not be null/i },
    ],
    [
      "a value outside its enum",
      JSON.stringify({ ...project, environment: { ...project.environment, computeType: "HUGE" } }),
      {},
      { status: 400, code: "InvalidInputException", says: /computeType.*enum value set/ },
    ],
    [
      "nesting without end",
      `{"name":${"[".repeat(5000)}${"]".repeat(5000)}}`,
      {},
      { status: 400, code: "SerializationException", says: /name/ },
    ],
    [
      "an unknown operation",
      "{}",
      { target: "CodeBuild_20161006.BuildEverything" },
      { status: 400, code: "UnknownOperationException", says: /BuildEverything/ },
    ],
    [
      "an operation that is not built",
      JSON.stringify({
        name: "f",
        baseCapacity: 1,
        environmentType: "LINUX_CONTAINER",
        computeType: "BUILD_GENERAL1_SMALL",
      }),
      { target: "CodeBuild_20161006.CreateFleet" },
      { status: 400, code: "UnknownOperationException", says: /CreateFleet is not built/ },
    ],
    [
      "an unknown service",
      "{}",
      { service: "braket", target: "Braket.GetJob" },
      { status: 400, code: "UnknownOperationException", says: /Braket/ },
    ],
    [
      "a signature by another secret",
      "{}",
      { secretAccessKey: "x".repeat(40) },
      { status: 400, code: "InvalidSignatureException", says: /signature we calculated does not match/ },
    ],
    [
      "a body other than the signed one",
      "{}",
      { sentBody: '{"name":"other"}' },
      { status: 400, code: "InvalidSignatureException", says: /signature/i },
    ],
    [
      "a request of an hour ago",
      "{}",
      { now: new Date(Date.now() - 3_600_000) },
      { status: 400, code: "InvalidSignatureException", says: /Signature expired|time/i },
    ],
    [
      "an unknown access key",
      "{}",
      { accessKeyId: "AKIAIOSFODNN7EXAMPLE" },
      { status: 400, code: "UnrecognizedClientException", says: /security token included in the request is invalid/ },
    ],
    [
      "a session token that nobody issued",
      "{}",
      { accessKeyId: "ASIAIOSFODNN7EXAMPLE", sessionToken: "forged" },
      { status: 400, code: "UnrecognizedClientException", says: /security token included in the request is invalid/ },
    ],
    [
      "a bad signature to a Query service",
      "Action=ListRoles&Version=2010-05-08",
      { service: "iam", target: "", contentType: "application/x-www-form-urlencoded", secretAccessKey: "x".repeat(40) },
      { status: 403, code: "SignatureDoesNotMatch", says: /signature we calculated does not match/ },
    ],
    [
      "an unknown action of a Query service",
      "Action=ListDragons&Version=2010-05-08",
      { service: "iam", target: "", contentType: "application/x-www-form-urlencoded" },
      { status: 400, code: "InvalidAction", says: /ListDragons/ },
    ],
  ];

  for (const [name, body, options, expected] of cases) {
    it(`is ${name}: ${expected.code}`, async () => {
      const answer = await call(body, options);
      assert.equal(answer.code, expected.code, answer.text);
      assert.equal(answer.status, expected.status);
      assert.match(answer.text, expected.says);
    });
  }

  it("leaves nothing half-made", async () => {
    const answer = await call("{}", { target: "CodeBuild_20161006.ListProjects" });
    assert.deepEqual(JSON.parse(answer.text), { projects: [] });
  });

  it("without a signature is told so in each protocol's words", async () => {
    const { url } = slipway.running;
    const json = await fetch(url, {
      method: "POST",
      headers: { "x-amz-target": "CodeBuild_20161006.ListProjects" },
      body: "{}",
    });
    assert.equal(json.headers.get("x-amzn-errortype"), "MissingAuthenticationTokenException");
    const s3 = await fetch(`${url}/some-bucket`);
    assert.deepEqual([s3.status, /<Code>(.*?)</.exec(await s3.text())?.[1]], [403, "AccessDenied"]);
  });

  it("that is larger than any operation takes is refused before it is read", async () => {
    const { url } = slipway.running;
    const response = await fetch(url, {
      method: "POST",
      headers: { "x-amz-target": "CodeBuild_20161006.ListProjects" },
      body: Buffer.alloc(33 * 1024 * 1024),
    });
    assert.equal(response.status, 413);
  });
});
