/** Sources that are cloned through a connection. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ImportSourceCredentialsCommand, type ProjectSource } from "@aws-sdk/client-codebuild";
import { CreateConnectionCommand } from "@aws-sdk/client-codestar-connections";
import { git } from "#git/git.ts";
import { anEngine, aSystem } from "#tests/helpers/build-program.ts";
import { BUILDSPEC, completed, contextOf, makeProject, makeRole, start } from "#tests/helpers/codebuild-system.ts";

test("a build has a connection's token where its role may have it, under either name of the service", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-connection-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const repository = join(folder, "owner", "app");
  await mkdir(repository, { recursive: true });
  await writeFile(join(repository, "buildspec.yml"), BUILDSPEC);
  await git(["init", "--quiet", "--initial-branch=main"], { cwd: repository });
  await git(["add", "."], { cwd: repository });
  const author = ["-c", "user.name=a", "-c", "user.email=a@example.test"];
  await git([...author, "commit", "--quiet", "-m", "first"], { cwd: repository });

  const connectionActions = ["GetConnection", "GetConnectionToken"];
  const asked = (prefix: string) => ["logs:*", ...connectionActions.map((action) => `${prefix}:${action}`)];
  await using system = await aSystem(
    anEngine((program) => program.run()),
    asked("codeconnections"),
    { providerEndpoints: { github: folder } },
  );
  const command = new CreateConnectionCommand({ ConnectionName: "github", ProviderType: "GitHub" });
  const { ConnectionArn } = await system.root.send(command);
  const location = "https://github.com/owner/app.git";
  const source: ProjectSource = {
    type: "GITHUB",
    location,
    auth: { type: "CODECONNECTIONS", resource: ConnectionArn },
  };
  await makeProject(system, { source });
  const built = await completed(system, await start(system));
  assert.equal(built.buildStatus, "SUCCEEDED", JSON.stringify(contextOf(built, "DOWNLOAD_SOURCE")));
  const older = await makeRole(system, asked("codestar-connections"), "older");
  assert.equal((await completed(system, await start(system, { serviceRoleOverride: older }))).buildStatus, "SUCCEEDED");

  const half = await makeRole(system, ["logs:*", "codeconnections:GetConnection"], "half");
  const denied = await completed(system, await start(system, { serviceRoleOverride: half }));
  assert.match(contextOf(denied, "DOWNLOAD_SOURCE")!.message!, /Access denied to connection arn:.*GetConnectionToken/);

  // The connection that was imported for the provider counts for sources that name none.
  await system.root.send(
    new ImportSourceCredentialsCommand({ token: ConnectionArn, serverType: "GITHUB", authType: "CODECONNECTIONS" }),
  );
  await makeProject(system, { name: "plain", source: { type: "GITHUB", location } });
  const started = await start(system, { projectName: "plain", serviceRoleOverride: half });
  const imported = await completed(system, started);
  assert.match(contextOf(imported, "DOWNLOAD_SOURCE")!.message!, /GetConnectionToken/);
});
