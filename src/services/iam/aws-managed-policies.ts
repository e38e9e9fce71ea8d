/**
 * The policies that AWS manages, the same in every account and read-only: `managed-policies/*.json`, written by
 * `tools/generate-managed-policies.ts`. Nothing of them is kept in memory: a file is read when its policy is asked for,
 * and the index when all are.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ManagedPolicy } from "./model.ts";
import { nameOfArn } from "./model.ts";

interface Head {
  readonly arn: string;
  readonly defaultVersionId: string;
  readonly createDate: string;
  readonly updateDate: string;
}

export interface AwsManagedPolicy extends ManagedPolicy {
  /** JSON of the version in force, the only one that is kept; laid out as AWS lays most of them out. */
  readonly document: string;
}

const ARN_PREFIX = "arn:aws:iam::aws:policy/";
const FOLDER = new URL("./managed-policies/", import.meta.url);
const INDEX = "index.generated.json";

/** undefined where AWS has no such policy. */
export function awsManagedPolicy(arn: string): AwsManagedPolicy | undefined {
  const name = nameOfArn(arn);
  if (!arn.startsWith(ARN_PREFIX) || !/^[\w+=,.@-]+$/.test(name)) return undefined;
  const policy = read<Head & { readonly document: object }>(`${name}.json`);
  if (policy?.arn !== arn) return undefined;
  return { ...toPolicy(policy), document: JSON.stringify(policy.document, null, 2) };
}

/** In the order of their names. */
export function awsManagedPolicies(): ManagedPolicy[] {
  const heads = read<Head[]>(INDEX);
  if (!heads) throw new Error(`${INDEX} is missing`);
  return heads.map(toPolicy);
}

export function isAwsManaged(arn: string): boolean {
  return arn.startsWith("arn:aws:iam::aws:");
}

/** undefined where there is no such file. */
function read<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function toPolicy({ arn, defaultVersionId, createDate, updateDate }: Head): ManagedPolicy {
  const name = nameOfArn(arn);
  return {
    arn,
    name,
    path: arn.slice(ARN_PREFIX.length - 1, -name.length),
    id: idOf(arn),
    description: undefined,
    defaultVersionId,
    createdAt: new Date(createDate),
    updatedAt: new Date(updateDate),
    tags: new Map(),
  };
}

/** AWS does not publish the ids; ours are made of the ARN, so that they are the same everywhere. */
function idOf(arn: string): string {
  const digest = createHash("sha256").update(arn).digest();
  return `ANPA${Array.from(digest.subarray(0, 17), (byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31]).join("")}`;
}
