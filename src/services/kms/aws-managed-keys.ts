/**
 * Keys that AWS services have in every account and region under `alias/aws/…`, made on first use.
 * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Call } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { type Alias, defaultKeyPolicy, type Key, type Place } from "./model.ts";
import { findAlias, insertAlias, insertKey } from "./store.ts";

/** The purpose under which key material is sealed. */
export const MATERIAL_PURPOSE = "kms-key";

const SERVICES: Readonly<Record<string, { readonly id: string; readonly title: string; readonly host: string }>> = {
  "alias/aws/s3": { id: "auto-s3-2", title: "S3", host: "s3" },
  "alias/aws/ecr": { id: "auto-ecr-1", title: "ECR", host: "ecr" },
  "alias/aws/codecommit": { id: "auto-codecommit-1", title: "CodeCommit", host: "codecommit" },
};

export function isAwsManagedAlias(name: string): boolean {
  return Object.hasOwn(SERVICES, name);
}

/** Customer managed; `sealedMaterial` is fresh. */
export function newKey(call: Call, place: Place, details: Partial<Key>): Key {
  return {
    id: randomUUID(),
    accountId: place.accountId,
    region: place.region,
    manager: "CUSTOMER",
    state: "Enabled",
    description: "",
    policy: defaultKeyPolicy(place.accountId),
    sealedMaterial: call.system.cipher.seal(MATERIAL_PURPOSE, randomBytes(32)),
    createdAt: call.now,
    deletionAt: undefined,
    tags: new Map(),
    rotation: undefined,
    ...details,
  };
}

/** The alias of a service's key, which is made unless it is there. */
export function ensureAwsManagedKey(call: Call, place: Place, name: string): Promise<Alias> {
  return inTransaction(call.db, async (trx) => (await findAlias(trx, place, name)) ?? make(trx, call, place, name));
}

async function make(trx: Database, call: Call, place: Place, name: string): Promise<Alias> {
  const { title } = SERVICES[name]!;
  const key = newKey(call, place, {
    manager: "AWS",
    description: `Default key that protects my ${title} data when no other key is defined`,
    policy: managedKeyPolicy(place, name),
    // AWS rotates these every year.
    rotation: { periodInDays: 365, since: call.now },
  });
  const alias: Alias = { ...place, name, keyId: key.id, createdAt: call.now, updatedAt: call.now };
  // Where another process was first, its key counts.
  if (!(await insertAlias(trx, alias))) return (await findAlias(trx, place, name))!;
  await insertKey(trx, key);
  return alias;
}

/** The service may use the key for everybody in the account; the account itself may only look at it. */
function managedKeyPolicy({ accountId, region }: Place, name: string): string {
  const { id, title, host } = SERVICES[name]!;
  return JSON.stringify({
    Version: "2012-10-17",
    Id: id,
    Statement: [
      {
        Sid: `Allow access through ${title} for all principals in the account that are authorized to use ${title}`,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        Resource: "*",
        Condition: {
          StringEquals: { "kms:CallerAccount": accountId, "kms:ViaService": `${host}.${region}.amazonaws.com` },
        },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*"],
        Resource: "*",
      },
    ],
  });
}
