import type { Call } from "#gateway/context.ts";
import type { ResourceTags } from "#gateway/service.ts";
import { type EntityKind, nameOfArn, type Tags } from "./model.ts";
import { findEntity } from "./store/entities.ts";
import { findInstanceProfile } from "./store/instance-profiles.ts";
import { findPolicy } from "./store/managed-policies.ts";

/** `aws:ResourceTag/…` and `iam:ResourceTag/…` of users, roles, customer managed policies and instance profiles. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const tags = await tagsOf(arn, call);
  return tags && Object.fromEntries(tags);
}

async function tagsOf(arn: string, { db }: Call): Promise<Tags | undefined> {
  const [, accountId, kind] = /^arn:aws:iam::(\d{12}):([a-z-]+)\//.exec(arn) ?? [];
  if (accountId === undefined) return undefined;
  const name = nameOfArn(arn);
  if (kind === "policy") return (await findPolicy(db, accountId, arn))?.tags;
  if (kind === "instance-profile") return (await findInstanceProfile(db, accountId, name))?.tags;
  if (kind !== "user" && kind !== "role") return undefined;
  return (await findEntity(db, { accountId, kind: kind satisfies EntityKind, name }))?.tags;
}
