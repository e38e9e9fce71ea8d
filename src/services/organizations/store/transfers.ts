/** Transfers of responsibility from one organization to another; each belongs to a handshake, which says how far it is. */
import type { Database } from "#store/database.ts";
import type { Transfer } from "../transfers.ts";
import { HANDSHAKE_COLUMNS, toHandshake } from "./handshakes.ts";
import { type Tables, tables, tagsFromJson, tagsToJson } from "./tables.ts";

export async function insertTransfer(db: Database, transfer: Transfer): Promise<void> {
  await tables(db).insertInto("organizations_transfers").values(toRow(transfer)).execute();
}

export async function updateTransfer(db: Database, transfer: Transfer): Promise<void> {
  await tables(db)
    .updateTable("organizations_transfers")
    .set(toRow(transfer))
    .where("transfer_id", "=", transfer.id)
    .execute();
}

interface TransferFilter {
  readonly id?: string;
  readonly handshakeId?: string;
  /** One that manages the organization at either end, or was invited to. */
  readonly accountId?: string;
}

/** The newest last. */
export async function listTransfers(
  db: Database,
  { id, handshakeId, accountId }: TransferFilter = {},
): Promise<Transfer[]> {
  const rows = await tables(db)
    .selectFrom("organizations_transfers as transfer")
    .innerJoin("organizations_handshakes as handshake", "handshake.handshake_id", "transfer.handshake_id")
    .selectAll("transfer")
    .select(HANDSHAKE_COLUMNS)
    .$if(id !== undefined, (query) => query.where("transfer.transfer_id", "=", id!))
    .$if(handshakeId !== undefined, (query) => query.where("transfer.handshake_id", "=", handshakeId!))
    .$if(accountId !== undefined, (query) =>
      query.where((eb) =>
        eb.or([eb("handshake.management_account_id", "=", accountId!), eb("handshake.account_id", "=", accountId!)]),
      ),
    )
    .orderBy("handshake.requested_at")
    .orderBy("transfer.transfer_id")
    .execute();
  return rows.map((row) => ({
    id: row.transfer_id,
    handshake: toHandshake(row),
    name: row.name,
    sourceOrganizationId: row.source_organization_id ?? undefined,
    startsAt: new Date(row.starts_at),
    endsAt: row.ends_at === null ? undefined : new Date(row.ends_at),
    tags: { inbound: tagsFromJson(row.inbound_tags), outbound: tagsFromJson(row.outbound_tags) },
  }));
}

function toRow(transfer: Transfer): Tables["organizations_transfers"] {
  return {
    transfer_id: transfer.id,
    handshake_id: transfer.handshake.id,
    name: transfer.name,
    source_organization_id: transfer.sourceOrganizationId ?? null,
    starts_at: transfer.startsAt.getTime(),
    ends_at: transfer.endsAt?.getTime() ?? null,
    inbound_tags: tagsToJson(transfer.tags.inbound),
    outbound_tags: tagsToJson(transfer.tags.outbound),
  };
}
