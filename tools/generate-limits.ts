/**
 * Writes each service's `limits.generated.json` from a folder of extracted Smithy models:
 * `node tools/generate-limits.ts FOLDER`, where FOLDER holds `<service>.json` with a `limits` member.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = process.argv[2];
if (!folder) throw new Error("usage: node tools/generate-limits.ts FOLDER");
const services = fileURLToPath(new URL("../src/services/", import.meta.url));
/** Where the folder here is named otherwise than the model. */
const MODELS: Readonly<Record<string, string>> = { "codestar-connections": "codestar-connections" };

/**
 * A pattern that is one repeated character class means the whole value; searched for anywhere, as Smithy does with
 * unanchored patterns, it would refuse next to nothing, and the services do refuse (IAM: `[\w+=,.@-]+`).
 */
const WHOLE_VALUE_CLASS = /^\[(?:\\.|[^\]\\])+\](?:[+*]|\{\d+(?:,\d*)?\})$/;

/**
 * IAM's paths and prefixes of paths. Searched for anywhere, a path would be whatever has a slash; IAM refuses "test/",
 * for a path "must begin and end with /": https://github.com/aws-cloudformation/cfn-lint/issues/722
 */
const IAM_PATH = /^\(?\\u002F|^\(\(\//;

function whole(pattern: string): string {
  if (WHOLE_VALUE_CLASS.test(pattern)) return `^${pattern}$`;
  return IAM_PATH.test(pattern) ? `^(?:${pattern})$` : pattern;
}

function anchored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anchored);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "pattern" && typeof item === "string" ? whole(item) : anchored(item),
    ]),
  );
}

for (const service of process.argv.slice(3)) {
  const source = join(folder, `${MODELS[service] ?? service}.json`);
  if (!existsSync(source)) throw new Error(`There is no model ${source}`);
  const { limits } = JSON.parse(readFileSync(source, "utf8")) as { limits: unknown };
  writeFileSync(join(services, service, "limits.generated.json"), `${JSON.stringify(anchored(limits))}\n`);
}
