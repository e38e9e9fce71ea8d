/** Handshakes between an organization and accounts. */
import type { HandshakeParty, HandshakeResource } from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import type { Handshake } from "../model.ts";
import { type Tables, tables, tagsFromJson, tagsToJson } from "./tables.ts";

export async function insertHandshake(db: Database, handshake: Handshake): Promise<void> {
  await tables(db).insertInto("organizations_handshakes").values(toRow(handshake)).execute();
}

export async function findHandshake(db: Database, id: string): Promise<Handshake | undefined> {
  const row = await tables(db)
    .selectFrom("organizations_handshakes")
    .selectAll()
    .where("handshake_id", "=", id)
    .executeTakeFirst();
  return row && toHandshake(row);
}

/** Those that an organization sent, or that an account may answer; the newest last. */
export async function listHandshakes(
  db: Database,
  whose: { readonly organizationId: string } | { readonly accountId: string },
): Promise<Handshake[]> {
  const query = tables(db).selectFrom("organizations_handshakes").selectAll();
  const rows = await ("organizationId" in whose
    ? query.where("organization_id", "=", whose.organizationId)
    : query.where("account_id", "=", whose.accountId)
  )
    .orderBy("requested_at")
    .orderBy("handshake_id")
    .execute();
  return rows.map(toHandshake);
}

export async function updateHandshake(db: Database, handshake: Handshake): Promise<void> {
  await tables(db)
    .updateTable("organizations_handshakes")
    .set(toRow(handshake))
    .where("handshake_id", "=", handshake.id)
    .execute();
}

function toRow(handshake: Handshake): Tables["organizations_handshakes"] {
  return {
    handshake_id: handshake.id,
    organization_id: handshake.organizationId,
    management_account_id: handshake.managementAccountId,
    action: handshake.action,
    state: handshake.state,
    account_id: handshake.accountId ?? null,
    parties: JSON.stringify(handshake.parties),
    parent_id: handshake.parentId ?? null,
    resources: JSON.stringify(handshake.resources),
    tags: tagsToJson(handshake.tags),
    requested_at: handshake.requestedAt.getTime(),
    expires_at: handshake.expiresAt.getTime(),
    ended_at: handshake.endedAt?.getTime() ?? null,
  };
}

/** For queries that join them to something else. */
export const HANDSHAKE_COLUMNS = [
  "handshake.handshake_id",
  "handshake.organization_id",
  "handshake.management_account_id",
  "handshake.action",
  "handshake.state",
  "handshake.account_id",
  "handshake.parties",
  "handshake.parent_id",
  "handshake.resources",
  "handshake.tags",
  "handshake.requested_at",
  "handshake.expires_at",
  "handshake.ended_at",
] as const;

export function toHandshake(row: Tables["organizations_handshakes"]): Handshake {
  return {
    id: row.handshake_id,
    organizationId: row.organization_id,
    managementAccountId: row.management_account_id,
    action: row.action,
    state: row.state,
    accountId: row.account_id ?? undefined,
    parties: JSON.parse(row.parties) as HandshakeParty[],
    parentId: row.parent_id ?? undefined,
    resources: JSON.parse(row.resources) as HandshakeResource[],
    tags: tagsFromJson(row.tags),
    requestedAt: new Date(row.requested_at),
    expiresAt: new Date(row.expires_at),
    endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
  };
}
