/** Webhooks and badges over HTTP, with a repository in a folder. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  BatchGetProjectsCommand,
  CreateWebhookCommand,
  DeleteWebhookCommand,
  ListBuildsCommand,
  UpdateProjectCommand,
  UpdateWebhookCommand,
  type Webhook,
} from "@aws-sdk/client-codebuild";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { requestHandler } from "#gateway/handle.ts";
import { git } from "#git/git.ts";
import { imageReference } from "#setup/image-recipe.ts";
import {
  BUILDSPEC,
  codebuildSystem,
  completed,
  contextOf,
  current,
  makeProject,
  makeRole,
  start,
} from "#tests/helpers/codebuild-system.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { PROGRAM_FILE } from "./runner/build-container.ts";
import { gitHubSignature } from "./webhooks/signature.ts";
import { mergedPayload, pullRequestPayload, pushPayload, REPOSITORY } from "./webhooks/testing.ts";
import { SOURCE_CHANGED_TOPIC } from "./webhooks/webhook-plane.ts";

const SOURCE = { type: "GITHUB", location: `https://github.com/${REPOSITORY}.git` } as const;
const PROGRAMS_END = 70;

/** Programs do not run here: their containers end at once, without a word. */
function anEngine(): FakeEngine {
  const engine = new FakeEngine();
  const { id } = engine.addImage(imageReference("standard"));
  engine.behave(id, (container) => container.exit(PROGRAMS_END));
  return engine;
}

async function served(context: TestContext, options: { work?: boolean; endpoint?: string; engine?: FakeEngine } = {}) {
  const system = await codebuildSystem({
    work: options.work ?? false,
    engine: options.engine ?? anEngine(),
    config: { providerEndpoints: { github: options.endpoint } },
  });
  const server = createServer(requestHandler(system, system.registry, []));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await system[Symbol.asyncDispose]();
  });
  await makeRole(system);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** Slipway's own URLs name the configured port. */
  const own = (text: string) => text.replace("http://127.0.0.1:4566", url);
  return { system, own };
}

async function deliver(
  url: string,
  event: string,
  payload: object,
  { secret, delivery = randomUUID(), signature }: { secret: string; delivery?: string; signature?: string },
) {
  const body = Buffer.from(JSON.stringify(payload));
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/abc123",
      "x-github-event": event,
      "x-github-delivery": delivery,
      "x-hub-signature-256": signature ?? gitHubSignature(secret, body),
    },
  });
  return { status: response.status, body: (await response.json()) as { message: string; buildId?: string } };
}

async function aWebhook(system: TestSystem, pattern = "PULL_REQUEST_MERGED"): Promise<Webhook> {
  const create = new CreateWebhookCommand({ projectName: "demo", filterGroups: [[{ type: "EVENT", pattern }]] });
  return (await system.root.send(create)).webhook!;
}

const builds = async (system: TestSystem) => (await system.root.send(new ListBuildsCommand({}))).ids!;

test("a merged pull request starts one build of its commit, once", async (context) => {
  const { system, own } = await served(context);
  await makeProject(system, { source: SOURCE });
  const { payloadUrl, secret } = await aWebhook(system);
  const url = own(payloadUrl!);
  const changed: string[] = [];
  system.bus.subscribe(SOURCE_CHANGED_TOPIC, (repository) => changed.push(repository));
  const options = { secret: secret!, delivery: "one" };
  const { status, body } = await deliver(url, "pull_request", mergedPayload(), options);
  assert.equal(status, 200);
  const build = await current(system, { id: body.buildId! });
  assert.equal(build.initiator, "GitHub-Hookshot/abc123");
  assert.equal(build.sourceVersion, mergedPayload().pull_request.merge_commit_sha);
  assert.deepEqual(changed, [REPOSITORY]);

  const again = await deliver(url, "pull_request", mergedPayload(), options);
  assert.deepEqual([again.status, again.body.message], [200, "This delivery was received before"]);
  const push = await deliver(url, "push", pushPayload(), { secret: secret! });
  assert.equal(push.body.message, "No filter group matches");
  assert.deepEqual(changed, [REPOSITORY, REPOSITORY, REPOSITORY]);
  await deliver(url, "pull_request", pullRequestPayload("opened"), { secret: secret! });
  assert.equal(
    (await deliver(url, "ping", { repository: { full_name: REPOSITORY } }, { secret: secret! })).status,
    200,
  );
  assert.equal(changed.length, 3, "only pushes and merges change a source");
  assert.deepEqual(await builds(system), [build.id]);
});

test("what is not GitHub's, or not of this repository, starts nothing", async (context) => {
  const { system, own } = await served(context);
  await makeProject(system, { source: SOURCE });
  const { payloadUrl, secret } = await aWebhook(system, "PUSH");
  const url = own(payloadUrl!);
  const good = { secret: secret! };
  const refused: [string, number, Parameters<typeof deliver>][] = [
    ["a wrong secret", 403, [url, "push", pushPayload(), { secret: "guessed" }]],
    ["a short signature", 403, [url, "push", pushPayload(), { ...good, signature: "sha256=00" }]],
    ["an unknown webhook", 403, [`${url}x`, "push", pushPayload(), good]],
    ["another repository", 400, [url, "push", pushPayload({ repository: { full_name: "other/repo" } }), good]],
    ["no repository", 400, [url, "push", {}, good]],
    ["a broken payload", 400, [url, "push", pushPayload({ ref: 1 }), good]],
    ["no object", 400, [url, "push", [], good]],
  ];
  for (const [about, status, call] of refused) {
    assert.equal((await deliver(...call)).status, status, about);
  }
  assert.equal((await fetch(url)).status, 405);
  assert.deepEqual(await builds(system), []);
});

test("a webhook is made, rotated and deleted; only then its secret is shown", async (context) => {
  const { system, own } = await served(context);
  await makeProject(system, { source: SOURCE });
  const made = await aWebhook(system, "PUSH");
  await assert.rejects(aWebhook(system), { name: "ResourceAlreadyExistsException" });
  const shown = async () =>
    (await system.root.send(new BatchGetProjectsCommand({ names: ["demo"] }))).projects![0]!.webhook;
  const { secret, ...rest } = made;
  assert.deepEqual(await shown(), rest);
  const rotate = new UpdateWebhookCommand({ projectName: "demo", rotateSecret: true });
  const rotated = (await system.root.send(rotate)).webhook!;
  assert.notEqual(rotated.secret, secret);
  const url = own(made.payloadUrl!);
  assert.equal((await deliver(url, "push", pushPayload(), { secret: secret! })).status, 403);
  assert.equal((await deliver(url, "push", pushPayload(), { secret: rotated.secret! })).status, 200);
  await system.root.send(new DeleteWebhookCommand({ projectName: "demo" }));
  assert.equal((await deliver(url, "push", pushPayload(), { secret: rotated.secret! })).status, 403);
  for (const command of [new DeleteWebhookCommand({ projectName: "demo" }), rotate]) {
    await assert.rejects(system.root.send(command as DeleteWebhookCommand), { name: "ResourceNotFoundException" });
  }
});

test("webhooks that cannot work are refused", async (context) => {
  const { system } = await served(context);
  await makeProject(system);
  await assert.rejects(aWebhook(system), { name: "InvalidInputException", message: /the project's is NO_SOURCE/ });
  const source = { type: "GITHUB", location: "https://git.example.com/owner/repo" } as const;
  await system.root.send(new UpdateProjectCommand({ name: "demo", source }));
  await assert.rejects(aWebhook(system), { name: "InvalidInputException", message: /not a repository of/ });
  await system.root.send(new UpdateProjectCommand({ name: "demo", source: SOURCE }));
  await assert.rejects(aWebhook(system, "PUSHED"), { name: "InvalidInputException" });
  const batch = new CreateWebhookCommand({ projectName: "demo", buildType: "BUILD_BATCH" });
  await assert.rejects(system.root.send(batch), { name: "InvalidInputException" });
});

test("the source of a webhook's build is cloned at its commit", async (context) => {
  const { endpoint, commit } = await aRepository(context);
  const engine = new FakeEngine();
  const { id } = engine.addImage(imageReference("standard"));
  const seen: { files: string[]; program: string }[] = [];
  engine.behave(id, (container) => {
    const program = container.files.get(PROGRAM_FILE)!.toString();
    seen.push({ files: [...container.files.keys()], program });
    container.exit(PROGRAMS_END);
  });
  const { system, own } = await served(context, { work: true, endpoint, engine });
  await makeProject(system, { source: SOURCE });
  const { payloadUrl, secret } = await aWebhook(system);
  const { body } = await deliver(own(payloadUrl!), "pull_request", mergedPayload(commit), { secret: secret! });
  const build = await completed(system, { id: body.buildId! });
  assert.equal(build.resolvedSourceVersion, commit);
  const [{ files, program }] = seen as [(typeof seen)[number]];
  const folder = /\/codebuild\/output\/src\d{9}\/src\/github\.com\/owner\/aws-bootcamp-cruddur-2023\//;
  assert.ok(
    files.some((name) => folder.test(name) && name.endsWith("/buildspec.yml")),
    files.join("\n"),
  );
  assert.ok(files.some((name) => name.endsWith("/.git/HEAD")));
  for (const value of ["PULL_REQUEST_MERGED", "refs/heads/prod", "refs/heads/main", "pr/7", commit]) {
    assert.ok(program.includes(value), value);
  }
  const missing = await completed(system, await start(system, { sourceVersion: "no-such-branch" }));
  assert.deepEqual(contextOf(missing, "DOWNLOAD_SOURCE"), {
    statusCode: "CLIENT_ERROR",
    message: "reference not found for primary source and source version no-such-branch",
  });
});

test("a badge shows the newest build of its branch", async (context) => {
  const { endpoint } = await aRepository(context);
  const { system, own } = await served(context, { work: true, endpoint });
  await makeProject(system, { source: SOURCE, badgeEnabled: true });
  const { projects } = await system.root.send(new BatchGetProjectsCommand({ names: ["demo"] }));
  const url = own(projects![0]!.badge!.badgeRequestUrl!);
  const badge = async (branch: string) => {
    const response = await fetch(url.replace(/branch=.*/, `branch=${branch}`));
    assert.match(response.headers.get("content-type")!, /^image\/svg\+xml/);
    assert.match(response.headers.get("cache-control")!, /no-cache/);
    return /<title>build: ([^<]+)<\/title>/.exec(await response.text())?.[1];
  };
  assert.equal(await badge("prod"), "unknown");
  await completed(system, await start(system, { sourceVersion: "prod" }));
  assert.equal(await badge("prod"), "failing");
  assert.equal(await badge("main"), "unknown");
  await completed(system, await start(system));
  assert.equal(await badge("main"), "failing", "without a version, the default branch is built");
  assert.equal((await fetch(url.replace(/uuid=[^&]+/, "uuid=forged"))).status, 404);
  await system.root.send(new UpdateProjectCommand({ name: "demo", badgeEnabled: false }));
  assert.equal((await fetch(url)).status, 404);
});

/** A folder of repositories, with one that has a buildspec on its branches `main` and `prod`. */
async function aRepository(context: TestContext): Promise<{ endpoint: string; commit: string }> {
  const endpoint = await mkdtemp(join(tmpdir(), "slipway-provider-"));
  context.after(() => rm(endpoint, { recursive: true }));
  const folder = join(endpoint, REPOSITORY);
  await git(["init", "--quiet", "--initial-branch=main", folder]);
  await writeFile(join(folder, "buildspec.yml"), BUILDSPEC);
  const author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  await git(["add", "."], { cwd: folder });
  await git([...author, "commit", "--quiet", "-m", "First"], { cwd: folder });
  await git(["branch", "prod"], { cwd: folder });
  const commit = (await git(["rev-parse", "HEAD"], { cwd: folder })).toString().trim();
  return { endpoint, commit };
}
