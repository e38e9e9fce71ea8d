/** Instance profiles: a role under a name that EC2 takes. */
import { sql } from "kysely";
import type { Database } from "#store/database.ts";
import type { InstanceProfile, Tags } from "../model.ts";
import { keyOf, type Slice, tagsFromJson, tagsToJson } from "./entities.ts";
import type { Tables } from "./tables.ts";

export async function insertInstanceProfile(db: Database, profile: InstanceProfile): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_instance_profiles")
    .values({
      account_id: profile.accountId,
      name_key: keyOf(profile.name),
      name: profile.name,
      path: profile.path,
      profile_id: profile.id,
      created_at: profile.createdAt.getTime(),
      role_key: null,
      tags: tagsToJson(profile.tags),
    })
    .execute();
}

export async function findInstanceProfile(
  db: Database,
  accountId: string,
  name: string,
): Promise<InstanceProfile | undefined> {
  const row = await profiles(db, accountId).where("name_key", "=", keyOf(name)).executeTakeFirst();
  return row && toProfile(row);
}

export async function listInstanceProfiles(
  db: Database,
  accountId: string,
  pathPrefix: string,
  { after, limit }: Slice,
): Promise<InstanceProfile[]> {
  const rows = await profiles(db, accountId)
    .where(sql<boolean>`substr(path, 1, ${pathPrefix.length}) = ${pathPrefix}`)
    .$if(after !== undefined, (query) => query.where("name_key", ">", after!))
    .orderBy("name_key")
    .limit(limit)
    .execute();
  return rows.map(toProfile);
}

export async function profilesOfRole(db: Database, accountId: string, roleName: string): Promise<InstanceProfile[]> {
  const rows = await profiles(db, accountId).where("role_key", "=", keyOf(roleName)).orderBy("name_key").execute();
  return rows.map(toProfile);
}

/** undefined takes the role out. */
export async function updateProfileRole(
  db: Database,
  { accountId, name }: InstanceProfile,
  roleName: string | undefined,
): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("iam_instance_profiles")
    .set({ role_key: roleName === undefined ? null : keyOf(roleName) })
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .execute();
}

export async function updateProfileTags(db: Database, { accountId, name }: InstanceProfile, tags: Tags): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("iam_instance_profiles")
    .set({ tags: tagsToJson(tags) })
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .execute();
}

export async function deleteInstanceProfile(db: Database, { accountId, name }: InstanceProfile): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_instance_profiles")
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .execute();
}

function profiles(db: Database, accountId: string) {
  return db.withTables<Tables>().selectFrom("iam_instance_profiles").selectAll().where("account_id", "=", accountId);
}

function toProfile(row: Tables["iam_instance_profiles"]): InstanceProfile {
  return {
    accountId: row.account_id,
    name: row.name,
    path: row.path,
    id: row.profile_id,
    createdAt: new Date(row.created_at),
    roleName: row.role_key ?? undefined,
    tags: tagsFromJson(row.tags),
  };
}
