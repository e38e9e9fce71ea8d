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

function anchored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anchored);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "pattern" && typeof item === "string" && WHOLE_VALUE_CLASS.test(item) ? `^${item}$` : anchored(item),
    ]),
  );
}

for (const service of process.argv.slice(3)) {
  const source = join(folder, `${MODELS[service] ?? service}.json`);
  if (!existsSync(source)) throw new Error(`There is no model ${source}`);
  const { limits } = JSON.parse(readFileSync(source, "utf8")) as { limits: unknown };
  writeFileSync(join(services, service, "limits.generated.json"), `${JSON.stringify(anchored(limits))}\n`);
}
