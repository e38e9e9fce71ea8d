/** What goes into a build and what comes out of it. */
import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";
import { anEngine, aSystem } from "#tests/helpers/build-program.ts";
import {
  BUILDSPEC,
  completed,
  contextOf,
  logLines,
  makeProject,
  makeRole,
  phasesOf,
  start,
} from "#tests/helpers/codebuild-system.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";

test("buildspecs that cannot be read fail DOWNLOAD_SOURCE with the line and key", async () => {
  await using system = await aSystem(anEngine());
  await makeProject(system);
  const cases: [string, RegExp][] = [
    ["version: 0.2\nphases:\n  biuld:\n    commands: [a]\n", /Invalid buildspec phase name: BIULD.*at line 3/],
    ["version: 0.2\nphases: [\n", /line/],
    [
      "version: 0.2\nenv:\n  shell: cmd.exe\nphases:\n  build:\n    commands: [a]\n",
      /shell 'cmd.exe' is not supported/,
    ],
  ];
  for (const [buildspecOverride, message] of cases) {
    const build = await completed(system, await start(system, { buildspecOverride }));
    assert.deepEqual(phasesOf(build).slice(3), ["DOWNLOAD_SOURCE FAILED", "FINALIZING SUCCEEDED", "COMPLETED"]);
    assert.equal(contextOf(build, "DOWNLOAD_SOURCE")!.statusCode, "YAML_FILE_ERROR");
    assert.match(contextOf(build, "DOWNLOAD_SOURCE")!.message!, message);
    const lines = await logLines(system, build);
    assert.ok(
      lines.some((line) => line.startsWith("[Container] Phase context status code: YAML_FILE_ERROR Message: ")),
    );
  }
});

test("variables that are kept in services which are not there", async () => {
  await using system = await aSystem(anEngine());
  await makeProject(system);
  const parameter = { name: "SECRET", value: "/the/parameter", type: "PARAMETER_STORE" as const };
  const first = await completed(system, await start(system, { environmentVariablesOverride: [parameter] }));
  assert.deepEqual(contextOf(first, "DOWNLOAD_SOURCE"), {
    statusCode: "Decrypted Variables Error",
    message: "parameter does not exist: /the/parameter",
  });
  const spec = `env:\n  secrets-manager:\n    A: b\n${BUILDSPEC}`;
  const second = await completed(system, await start(system, { buildspecOverride: spec }));
  assert.equal(contextOf(second, "DOWNLOAD_SOURCE")!.statusCode, "Secrets Manager Error Message");
});

test("the source comes from S3 as the role, and the artifact goes there", async () => {
  const spec = "version: 0.2\nphases:\n  build:\n    commands: [a]\nartifacts:\n  files: ['out/**', '$NAME']\n";
  const engine = anEngine((program) => {
    const [source] = [...program.container.files.keys()].filter((name) => name.endsWith("/app.txt"));
    const folder = source!.slice(0, source!.lastIndexOf("/"));
    assert.match(folder, /^\/codebuild\/output\/src\d{9}\/src$/);
    program.container.writeFile(`${folder}/out/a.txt`, "artifact");
    program.container.writeFile(`${folder}/named.txt`, "named");
    const text = Buffer.from("$NAME").toString("hex");
    program.emit("expanded", { text, value: Buffer.from("named.txt\n").toString("hex") });
    program.run();
  });
  await using system = await aSystem(engine);
  await system.root.send(new CreateBucketCommand({ Bucket: "sources" }));
  await putZip(system, "source.zip", { "app.txt": "app", "ci/spec.yml": spec });
  await makeProject(system, { source: { type: "S3", location: "sources/source.zip", buildspec: "ci/spec.yml" } });
  const zipped = await completed(
    system,
    await start(system, {
      artifactsOverride: { type: "S3", location: "sources", path: "out", packaging: "ZIP", name: "x.zip" },
    }),
  );
  assert.equal(zipped.buildStatus, "SUCCEEDED", JSON.stringify(zipped.phases));
  assert.equal(zipped.artifacts!.location, "arn:aws:s3:::sources/out/x.zip");
  const zip = await object(system, "out/x.zip");
  assert.equal(zip.readUInt32BE(0), 0x504b0304);
  const { createHash } = await import("node:crypto");
  assert.equal(zipped.artifacts!.sha256sum, createHash("sha256").update(zip).digest("hex"));
  assert.equal(zipped.artifacts!.md5sum, createHash("md5").update(zip).digest("hex"));
  const lines = await logLines(system, zipped);
  assert.ok(lines.includes("[Container] Found 2 file(s)"), lines.join("\n"));

  const plain = await completed(
    system,
    await start(system, { artifactsOverride: { type: "S3", location: "sources", name: "/" } }),
  );
  assert.equal(plain.artifacts!.location, "arn:aws:s3:::sources");
  assert.equal((await object(system, "out/a.txt")).toString(), "artifact");
  assert.equal((await object(system, "named.txt")).toString(), "named");
});

test("an artifact that matches nothing, and one that nobody defined", async () => {
  const files = (pattern: string) =>
    `version: 0.2\nphases:\n  build:\n    commands: [a]\nartifacts:\n  files: ['${pattern}']\n`;
  const engine = anEngine((program) => {
    const [, folder = ""] = /CODEBUILD_SRC_DIR='(?:\\'')?([^']+?)(?:'\\'')?'/.exec(program.script) ?? [];
    program.container.writeFile(`${folder.replaceAll("\\", "")}/there.txt`, "x");
    program.run();
  });
  await using system = await aSystem(engine);
  await system.root.send(new CreateBucketCommand({ Bucket: "sources" }));
  await makeProject(system, { artifacts: { type: "S3", location: "sources", name: "x" } });
  const nothing = await completed(system, await start(system, { buildspecOverride: files("missing/*") }));
  assert.deepEqual(contextOf(nothing, "UPLOAD_ARTIFACTS"), {
    statusCode: "CLIENT_ERROR",
    message: "no matching artifact paths found",
  });
  assert.equal(nothing.buildStatus, "FAILED");
  assert.ok((await logLines(system, nothing)).includes("[Container] Expanding missing/*"));
  const undefinedOne = await completed(system, await start(system));
  assert.equal(contextOf(undefinedOne, "UPLOAD_ARTIFACTS")!.message, "no definition for base artifact in buildspec");
  const bucket = await completed(
    system,
    await start(system, {
      buildspecOverride: files("*"),
      artifactsOverride: { type: "S3", location: "no-such-bucket" },
    }),
  );
  assert.match(contextOf(bucket, "UPLOAD_ARTIFACTS")!.message!, /^NoSuchBucket: /);
});

test("sources that cannot be had", async () => {
  await using system = await aSystem(anEngine(), ["logs:*"]);
  await system.root.send(new CreateBucketCommand({ Bucket: "sources" }));
  await putZip(system, "empty.zip", { "README.md": "no buildspec" });
  await makeProject(system, { source: { type: "S3", location: "sources/empty.zip" } });
  const denied = await completed(system, await start(system));
  assert.deepEqual(phasesOf(denied).slice(3), ["DOWNLOAD_SOURCE FAILED", "FINALIZING SUCCEEDED", "COMPLETED"]);
  assert.match(
    contextOf(denied, "DOWNLOAD_SOURCE")!.message!,
    /^AccessDenied: .* for primary source and source version arn:aws:s3:::sources\/empty\.zip$/s,
  );
  const serviceRoleOverride = await makeRole(system, ["*"], "all-role");
  const missing = await completed(system, await start(system, { serviceRoleOverride }));
  assert.deepEqual(contextOf(missing, "DOWNLOAD_SOURCE"), {
    statusCode: "YAML_FILE_ERROR",
    message:
      "YAML file does not exist: there is no buildspec.yml; add it to the source, or name another file in the project's buildspec",
  });
  const named = await completed(system, await start(system, { serviceRoleOverride, buildspecOverride: "ci/spec.yml" }));
  assert.match(
    contextOf(named, "DOWNLOAD_SOURCE")!.message!,
    /^stat \/codebuild\/output\/src\d{9}\/src\/ci\/spec\.yml: no such file or directory; add it/,
  );
  const key = await completed(
    system,
    await start(system, { serviceRoleOverride, sourceLocationOverride: "sources/x.zip" }),
  );
  assert.match(contextOf(key, "DOWNLOAD_SOURCE")!.message!, /^NoSuchKey: /);
});

async function putZip(system: TestSystem, key: string, files: Readonly<Record<string, string>>): Promise<void> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  const Body = await buffer(zip.outputStream);
  await system.root.send(new PutObjectCommand({ Bucket: "sources", Key: key, Body }));
}

async function object(system: TestSystem, key: string): Promise<Buffer> {
  const { Body } = await system.root.send(new GetObjectCommand({ Bucket: "sources", Key: key }));
  return buffer(Body as Readable);
}
