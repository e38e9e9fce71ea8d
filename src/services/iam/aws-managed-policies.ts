/**
 * The policies that AWS manages, the same in every account and read-only: `managed-policies/*.json`, as published in
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { ManagedPolicy } from "./model.ts";
import { nameOfArn } from "./model.ts";

interface File {
  readonly arn: string;
  readonly defaultVersionId: string;
  readonly createDate: string;
  readonly updateDate: string;
  readonly document: object;
}

export interface AwsManagedPolicy extends ManagedPolicy {
  /** JSON of the version in force, the only one that is kept. */
  readonly document: string;
}

const ARN_PREFIX = "arn:aws:iam::aws:policy/";
const FOLDER = new URL("./managed-policies/", import.meta.url);

/** File names by the policies' names in lower case; the files are read when they are asked for. */
const FILES: ReadonlyMap<string, string> = new Map(
  readdirSync(FOLDER)
    .sort()
    .map((file) => [file.slice(0, -".json".length).toLowerCase(), file]),
);

/** undefined where AWS has no such policy or Slipway does not know it. */
export function awsManagedPolicy(arn: string): AwsManagedPolicy | undefined {
  if (!arn.startsWith(ARN_PREFIX)) return undefined;
  const file = FILES.get(nameOfArn(arn).toLowerCase());
  const policy = file === undefined ? undefined : read(file);
  return policy?.arn === arn ? policy : undefined;
}

/** In the order of their names. */
export function awsManagedPolicies(): AwsManagedPolicy[] {
  return Array.from(FILES.values(), read);
}

export function isAwsManaged(arn: string): boolean {
  return arn.startsWith("arn:aws:iam::aws:");
}

function read(file: string): AwsManagedPolicy {
  const policy = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as File;
  const name = nameOfArn(policy.arn);
  return {
    arn: policy.arn,
    name,
    path: policy.arn.slice(ARN_PREFIX.length - 1, -name.length),
    id: idOf(policy.arn),
    description: undefined,
    defaultVersionId: policy.defaultVersionId,
    createdAt: new Date(policy.createDate),
    updatedAt: new Date(policy.updateDate),
    tags: new Map(),
    document: JSON.stringify(policy.document),
  };
}

/** AWS does not publish the ids; ours are made of the ARN, so that they are the same everywhere. */
function idOf(arn: string): string {
  const digest = createHash("sha256").update(arn).digest();
  return `ANPA${Array.from(digest.subarray(0, 17), (byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31]).join("")}`;
}
