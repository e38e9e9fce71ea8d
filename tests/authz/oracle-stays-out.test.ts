/** The oracle's licence is the AGPL: nothing that runs may import it or anything that does. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ORACLE = /["']@cloud-copilot\/iam-simulate/;

test("only tests and measurements import the oracle", () => {
  const importing = globSync("{src,bench,tests,tools}/**/*.ts").filter((file) =>
    ORACLE.test(readFileSync(file, "utf8")),
  );
  assert.ok(importing.includes("tests/authz/deciders.ts"));
  for (const file of importing) assert.match(file, /^(tests\/authz|bench)\//);
  const running = globSync("src/**/*.ts").filter((file) => !file.endsWith(".test.ts"));
  for (const file of running)
    assert.doesNotMatch(readFileSync(file, "utf8"), /["'](?:#tests\/authz|[./]+\/tests\/authz)/);
});

test("and it is a development dependency", () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.ok(!("@cloud-copilot/iam-simulate" in dependencies));
  assert.ok("@cloud-copilot/iam-simulate" in devDependencies);
});
