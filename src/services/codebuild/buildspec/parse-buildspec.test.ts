import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { BuildspecError } from "./buildspec.ts";
import { parseBuildspec } from "./parse-buildspec.ts";

const rejected = JSON.parse(readFileSync(new URL("./scenarios/rejected.json", import.meta.url), "utf8")) as {
  about: string;
  text: string;
  message?: string;
  messagePart?: string;
}[];

describe("a buildspec that is not acceptable", () => {
  for (const { about, text, message, messagePart } of rejected) {
    it(about, () => {
      assert.throws(
        () => parseBuildspec(text),
        (error) => {
          assert.ok(error instanceof BuildspecError, String(error));
          assert.equal(error.code, "YAML_FILE_ERROR");
          if (message !== undefined) {
            assert.equal(error.message, message);
          }
          assert.ok(error.message.includes(messagePart ?? ""), error.message);
          return true;
        },
      );
    });
  }

  it("nothing but brackets", () => {
    assert.throws(() => parseBuildspec("[".repeat(100_000)), BuildspecError);
  });

  it("too large", () => {
    assert.throws(
      () => parseBuildspec(`version: 0.2\n#${"x".repeat(1024 * 1024)}`),
      /has \d+ characters; the maximum is/,
    );
  });
});

const everything = `
version: 0.2
run-as: builder
env:
  shell: bash
  variables: { VERSION: 1.10, ENABLED: yes, EMPTY:, LITERAL: "$PATH:/x" }
  parameter-store: { PASSWORD: /path/password }
  secrets-manager: { TOKEN: "secret:key" }
  exported-variables: [VERSION]
  git-credential-helper: yes
proxy: { upload-artifacts: yes, logs: no }
batch: { fast-fail: false, build-list: [{ identifier: a }] }
phases:
  install:
    run-as: root
    on-failure: RETRY-2-connection.*reset
    runtime-versions: { docker: 20, python: 3.10, ruby: "$MY_RUBY" }
    commands: &shared
      - echo one
      - |
        multi
        line
    finally: [echo always]
  build:
    <<: { on-failure: CONTINUE }
    commands: *shared
  post_build: { on-failure: RETRY }
reports:
  group: { files: ["**/*"], base-directory: out, file-format: cucumberjson }
artifacts:
  files: [a, 5]
  name: app-$(date +%Y)
  discard-paths: "yes"
  base-directory: out*
  exclude-paths: out/x
  enable-symlinks: true
  s3-prefix: prefix
  secondary-artifacts: { second: { files: [b] } }
cache: { paths: ["/root/.m2/**/*"], key: k, fallback-keys: [f] }
`;

describe("a buildspec with every section", () => {
  const buildspec = parseBuildspec(everything);

  it("keeps the spelling of environment variables", () => {
    assert.deepEqual(buildspec.env.variables, { VERSION: "1.10", ENABLED: "yes", EMPTY: "", LITERAL: "$PATH:/x" });
    assert.equal(buildspec.env.shell, "bash");
    assert.equal(buildspec.env.gitCredentialHelper, true);
    assert.deepEqual(buildspec.proxy, { uploadArtifacts: true, logs: false });
  });

  it("reads phases with aliases, merge keys and retries", () => {
    const commands = ["echo one", "multi\nline\n"];
    assert.deepEqual(buildspec.phases, {
      install: {
        runAs: "root",
        onFailure: { action: "RETRY", count: 2, pattern: "connection.*reset" },
        runtimeVersions: { docker: "20", python: "3.10", ruby: "$MY_RUBY" },
        commands,
        finally: ["echo always"],
      },
      build: { runAs: undefined, onFailure: { action: "CONTINUE" }, runtimeVersions: {}, commands, finally: [] },
      post_build: {
        runAs: undefined,
        onFailure: { action: "RETRY", count: 3, pattern: ".*" },
        runtimeVersions: {},
        commands: [],
        finally: [],
      },
    });
  });

  it("reads what becomes of files", () => {
    assert.deepEqual(buildspec.artifacts, {
      files: ["a", "5"],
      name: "app-$(date +%Y)",
      discardPaths: true,
      baseDirectory: "out*",
      excludePaths: ["out/x"],
      enableSymlinks: true,
      s3Prefix: "prefix",
      secondaryArtifacts: {
        second: {
          files: ["b"],
          name: undefined,
          discardPaths: false,
          baseDirectory: undefined,
          excludePaths: [],
          enableSymlinks: false,
          s3Prefix: undefined,
        },
      },
    });
    assert.equal(buildspec.reports.group?.fileFormat, "CUCUMBERJSON");
    assert.deepEqual(buildspec.cache, { paths: ["/root/.m2/**/*"], key: "k", fallbackKeys: ["f"] });
    assert.deepEqual(buildspec.batch, { "fast-fail": "false", "build-list": [{ identifier: "a" }] });
  });
});
