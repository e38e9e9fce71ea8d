/** Every operation of the services of identity is called by the real aws CLI in a scenario. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { services } from "#services/services.ts";

const FOLDER = new URL("../scenarios/aws-cli/", import.meta.url);

await Promise.all(services.map((service) => service.load()));

/** "iam create-user" */
const called = new Set(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .flatMap(
      (file) => (JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { steps: { aws: unknown[] }[] }).steps,
    )
    .map(({ aws: [service, command] }) => `${service} ${String(command).replaceAll("-", "")}`.toLowerCase()),
);

for (const name of ["iam", "sts", "organizations"]) {
  test(`scenarios of the aws CLI call every operation of ${name}`, () => {
    const built = [...services.find((service) => service.name === name)!.operations.values()].filter(
      ({ operation }) => operation,
    );
    assert.ok(built.length > 0);
    assert.deepEqual(
      built.map((operation) => operation.name).filter((operation) => !called.has(`${name} ${operation.toLowerCase()}`)),
      [],
    );
  });
}
