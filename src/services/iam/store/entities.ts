/** Users, groups and roles, and who is in which group. */
import { sql } from "kysely";
import type { Database } from "#store/database.ts";
import type { Entity, EntityKind, EntityRef, SourceTemplate, Tags } from "../model.ts";
import type { EntityTable, Tables } from "./tables.ts";

/** Names are unique without regard to case. */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

export function tagsToJson(tags: Tags): string {
  return JSON.stringify([...tags]);
}

export function tagsFromJson(json: string): Tags {
  return new Map(JSON.parse(json) as [string, string][]);
}

/** A page of a list, in the order of its keys: `after` is the last key of the page before. */
export interface Slice {
  readonly after: string | undefined;
  readonly limit: number;
}

/** The slice that is the whole list. */
export const EVERYTHING: Slice = { after: undefined, limit: Number.MAX_SAFE_INTEGER };

export async function insertEntity(db: Database, entity: Entity): Promise<void> {
  await db.withTables<Tables>().insertInto("iam_entities").values(toRow(entity)).execute();
}

export async function findEntity(db: Database, { accountId, kind, name }: EntityRef): Promise<Entity | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .where("name_key", "=", keyOf(name))
    .executeTakeFirst();
  return row && toEntity(row);
}

/** By the unique id, whichever account has it. */
export async function findEntityById(db: Database, id: string): Promise<Entity | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .selectAll()
    .where("entity_id", "=", id)
    .executeTakeFirst();
  return row && toEntity(row);
}

/** Whether the account has any user, group or role: one without is either empty or not here at all. */
export async function hasEntities(db: Database, accountId: string): Promise<boolean> {
  const tables = db.withTables<Tables>();
  const query = tables.selectFrom("iam_entities").select("entity_id").where("account_id", "=", accountId).limit(1);
  return (await query.executeTakeFirst()) !== undefined;
}

/** Of the roles of all accounts, as far as the text is somewhere in them. */
export async function rewriteTrustPolicies(
  db: Database,
  text: string,
  rewrite: (document: string) => string,
): Promise<void> {
  const tables = db.withTables<Tables>();
  const rows = await tables
    .selectFrom("iam_entities")
    .select(["entity_id", "trust_policy"])
    .where("kind", "=", "role")
    .where("trust_policy", "like", `%${text}%`)
    .execute();
  for (const { entity_id, trust_policy } of rows) {
    await tables
      .updateTable("iam_entities")
      .set({ trust_policy: rewrite(trust_policy!) })
      .where("entity_id", "=", entity_id)
      .execute();
  }
}

export async function findEntities(
  db: Database,
  accountId: string,
  kind: EntityKind,
  names: readonly string[],
): Promise<Entity[]> {
  if (names.length === 0) return [];
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .where("name_key", "in", names.map(keyOf))
    .orderBy("name_key")
    .execute();
  return rows.map(toEntity);
}

/** By their unique ids; those that there are. */
export async function findEntitiesById(db: Database, accountId: string, ids: readonly string[]): Promise<Entity[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("entity_id", "in", ids)
    .execute();
  return rows.map(toEntity);
}

export async function listEntities(
  db: Database,
  accountId: string,
  kind: EntityKind,
  pathPrefix: string,
  { after, limit }: Slice,
): Promise<Entity[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .where(sql<boolean>`substr(path, 1, ${pathPrefix.length}) = ${pathPrefix}`)
    .$if(after !== undefined, (query) => query.where("name_key", ">", after!))
    .orderBy("name_key")
    .limit(limit)
    .execute();
  return rows.map(toEntity);
}

export async function countEntities(db: Database, accountId: string, kind: EntityKind): Promise<number> {
  const { count } = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Replaces everything but the name, which is `renameEntity`'s. */
export async function updateEntity(db: Database, entity: Entity): Promise<void> {
  const { account_id, kind, name_key, ...changes } = toRow(entity);
  await db
    .withTables<Tables>()
    .updateTable("iam_entities")
    .set(changes)
    .where("account_id", "=", account_id)
    .where("kind", "=", kind)
    .where("name_key", "=", name_key)
    .execute();
}

/** Everything that hangs on the entity follows it. */
export async function renameEntity(db: Database, { accountId, kind, name }: EntityRef, newName: string): Promise<void> {
  const tables = db.withTables<Tables>();
  const [oldKey, newKey] = [keyOf(name), keyOf(newName)];
  await tables
    .updateTable("iam_entities")
    .set({ name: newName, name_key: newKey })
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .where("name_key", "=", oldKey)
    .execute();
  for (const table of ["iam_inline_policies", "iam_attachments"] as const) {
    await tables
      .updateTable(table)
      .set({ name_key: newKey })
      .where("account_id", "=", accountId)
      .where("kind", "=", kind)
      .where("name_key", "=", oldKey)
      .execute();
  }
  if (kind === "role") return;
  const member = kind === "user" ? "user_key" : "group_key";
  await tables
    .updateTable("iam_memberships")
    .set({ [member]: newKey })
    .where("account_id", "=", accountId)
    .where(member, "=", oldKey)
    .execute();
  if (kind === "group") return;
  await tables
    .updateTable("iam_access_keys")
    .set({ user_key: newKey })
    .where("account_id", "=", accountId)
    .where("user_key", "=", oldKey)
    .execute();
}

export async function deleteEntity(db: Database, { accountId, kind, name }: EntityRef): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_entities")
    .where("account_id", "=", accountId)
    .where("kind", "=", kind)
    .where("name_key", "=", keyOf(name))
    .execute();
}

/** Nothing happens where the user is in the group already. */
export async function insertMembership(db: Database, accountId: string, user: string, group: string): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_memberships")
    .values({ account_id: accountId, user_key: keyOf(user), group_key: keyOf(group) })
    .onConflict((conflict) => conflict.columns(["account_id", "user_key", "group_key"]).doNothing())
    .execute();
}

export async function deleteMembership(db: Database, accountId: string, user: string, group: string): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_memberships")
    .where("account_id", "=", accountId)
    .where("user_key", "=", keyOf(user))
    .where("group_key", "=", keyOf(group))
    .execute();
}

/** In lower case and in order. */
export async function groupsOfUser(db: Database, accountId: string, user: string): Promise<string[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_memberships")
    .select("group_key")
    .where("account_id", "=", accountId)
    .where("user_key", "=", keyOf(user))
    .orderBy("group_key")
    .execute();
  return rows.map(({ group_key }) => group_key);
}

/** In lower case and in order. */
export async function usersOfGroup(db: Database, accountId: string, group: string): Promise<string[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_memberships")
    .select("user_key")
    .where("account_id", "=", accountId)
    .where("group_key", "=", keyOf(group))
    .orderBy("user_key")
    .execute();
  return rows.map(({ user_key }) => user_key);
}

function toRow(entity: Entity): EntityTable {
  const { role } = entity;
  return {
    account_id: entity.accountId,
    kind: entity.kind,
    name_key: keyOf(entity.name),
    name: entity.name,
    path: entity.path,
    entity_id: entity.id,
    created_at: entity.createdAt.getTime(),
    tags: tagsToJson(entity.tags),
    boundary_arn: entity.boundaryArn ?? null,
    trust_policy: role?.trustPolicy ?? null,
    description: role?.description ?? null,
    max_session_duration: role?.maxSessionDuration ?? null,
    linked_service: role?.linkedService ?? null,
    source_template: role?.sourceTemplate ? JSON.stringify(role.sourceTemplate) : null,
  };
}

function toEntity(row: EntityTable): Entity {
  return {
    accountId: row.account_id,
    kind: row.kind,
    name: row.name,
    path: row.path,
    id: row.entity_id,
    createdAt: new Date(row.created_at),
    tags: tagsFromJson(row.tags),
    boundaryArn: row.boundary_arn ?? undefined,
    role:
      row.trust_policy === null
        ? undefined
        : {
            trustPolicy: row.trust_policy,
            description: row.description ?? undefined,
            maxSessionDuration: row.max_session_duration!,
            linkedService: row.linked_service ?? undefined,
            ...(row.source_template !== null && {
              sourceTemplate: JSON.parse(row.source_template) as SourceTemplate,
            }),
          },
  };
}
