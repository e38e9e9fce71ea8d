/** The registry with a real Docker: login, push, pull by tag and by digest, and a push that is denied. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { CreateRepositoryCommand, DescribeImagesCommand, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { pack } from "tar-stream";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "./index.ts";
import { type TestRegistry, testRegistry } from "./testing.ts";

const scope = { accountId: ACCOUNT, region: REGION };
const LOCAL = `slipway-test/ecr-${process.pid}`;

interface Outcome {
  readonly ok: boolean;
  /** stdout and stderr. */
  readonly text: string;
}

function run(args: readonly string[], config: string, input?: string | Buffer): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile("docker", ["--config", config, ...args], { maxBuffer: 8 << 20 }, (error, stdout, stderr) =>
      resolve({ ok: !error, text: `${stdout}${stderr}` }),
    );
    child.stdin?.on("error", () => {}); // a docker that refuses at once does not read
    child.stdin?.end(input);
  });
}

/** A root file system of one file: no base image is needed. */
async function fileSystem(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: "hello" }, "hello from slipway\n");
  archive.entry({ name: "random" }, Buffer.alloc(3 << 20, Math.random().toString()));
  archive.finalize();
  return buffer(archive);
}

const hasDocker = (await run(["version"], tmpdir())).ok;

suite("docker", { skip: hasDocker ? false : "no Docker Engine answers" }, () => {
  let system: TestSystem;
  let registry: TestRegistry;
  let config: string;
  let repository: string;

  const docker = (...args: string[]) => run(args, config);

  async function login(principal: Principal): Promise<Outcome> {
    const { authorizationData } = await system.client(principal, scope).send(new GetAuthorizationTokenCommand({}));
    const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64").toString();
    const password = token.slice(token.indexOf(":") + 1);
    return run(["login", "--username", "AWS", "--password-stdin", registry.host], config, password);
  }

  before(async () => {
    system = await testSystem({ services: [ecr] });
    registry = await testRegistry(system);
    config = await mkdtemp(join(tmpdir(), "slipway-docker-"));
    repository = `${registry.host}/${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/backend-flask`;
    await system.root.send(new CreateRepositoryCommand({ repositoryName: "backend-flask" }));
    const imported = await run(["import", "--change", "CMD /hello", "-", `${LOCAL}:local`], config, await fileSystem());
    assert.ok(imported.ok, imported.text);
  });

  after(async () => {
    await docker("rmi", `${LOCAL}:local`, `${repository}:v1`, `${repository}:denied`, `${LOCAL}-unknown`);
    await rm(config, { recursive: true, force: true });
    await registry[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });

  test("login, push, pull by tag and by digest", async () => {
    const loggedIn = await login(rootPrincipal(ACCOUNT));
    assert.match(loggedIn.text, /Login Succeeded/);
    await docker("tag", `${LOCAL}:local`, `${repository}:v1`);
    const pushed = await docker("push", `${repository}:v1`);
    assert.ok(pushed.ok, pushed.text);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed.text)?.[1];
    const described = await system.root.send(new DescribeImagesCommand({ repositoryName: "backend-flask" }));
    assert.deepEqual(
      described.imageDetails?.map(({ imageDigest, imageTags }) => ({ imageDigest, imageTags })),
      [{ imageDigest: digest, imageTags: ["v1"] }],
    );

    await docker("rmi", `${repository}:v1`, `${LOCAL}:local`);
    const pulled = await docker("pull", `${repository}:v1`);
    assert.ok(pulled.ok, pulled.text);
    assert.ok(pulled.text.includes(`Digest: ${digest}`), pulled.text);
    await docker("rmi", `${repository}:v1`);
    const byDigest = await docker("pull", `${repository}@${digest}`);
    assert.ok(byDigest.ok, byDigest.text);
    await docker("tag", `${repository}@${digest}`, `${LOCAL}:local`);

    const again = await docker("tag", `${LOCAL}:local`, `${repository}:v1`).then(() =>
      docker("push", `${repository}:v1`),
    );
    assert.match(again.text, /Layer already exists/);
  });

  test("a push that no policy allows says so in AWS's words", async () => {
    const principal: Principal = {
      type: "AssumedRole",
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/builder/session`,
      roleArn: `arn:aws:iam::${ACCOUNT}:role/builder`,
      accountId: ACCOUNT,
      userId: "AROAEXAMPLE:session",
      accessKeyId: undefined,
    };
    const statement = {
      Effect: "Allow",
      Action: ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"],
      Resource: "*",
    };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    system.policies.set(principal.arn, [compilePolicy(parsePolicy(policy, "identity"))]);
    await system.root.send(new CreateRepositoryCommand({ repositoryName: "other" }));
    assert.match((await login(principal)).text, /Login Succeeded/);
    const other = repository.replace("backend-flask", "other");
    await docker("tag", `${LOCAL}:local`, `${other}:denied`);
    const denied = await docker("push", `${other}:denied`);
    await docker("rmi", `${other}:denied`);
    assert.equal(denied.ok, false);
    const sentence = `denied: User: ${principal.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:${REGION}:${ACCOUNT}:repository/other because no identity-based policy allows the ecr:InitiateLayerUpload action`;
    assert.ok(denied.text.includes(sentence), denied.text);
  });

  test("a repository that does not exist", async () => {
    assert.match((await login(rootPrincipal(ACCOUNT))).text, /Login Succeeded/);
    const unknown = repository.replace("backend-flask", "nothing-here");
    await docker("tag", `${LOCAL}:local`, `${unknown}:v1`);
    const refused = await docker("push", `${unknown}:v1`);
    await docker("rmi", `${unknown}:v1`);
    const sentence = `The repository with name 'nothing-here' does not exist in the registry with id '${ACCOUNT}'`;
    assert.ok(refused.text.includes(sentence), refused.text);
  });

  test("a password that is not ours", async () => {
    const refused = await run(["login", "-u", "AWS", "--password-stdin", registry.host], config, "made-up");
    assert.equal(refused.ok, false);
    assert.match(refused.text, /401 Unauthorized/);
  });
});
