/** What partners ask of accounts. */
import type { Database } from "#store/database.ts";
import type { DelegationRequest, RequestDetails } from "../delegation/model.ts";
import type { Slice } from "./entities.ts";
import type { DelegationRequestTable, Tables } from "./tables.ts";

/** false where the requestor has a request of the same workflow. */
export async function insertDelegationRequest(db: Database, request: DelegationRequest): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .withTables<Tables>()
    .insertInto("iam_delegation_requests")
    .values(toRow(request))
    .onConflict((conflict) => conflict.columns(["requestor_account_id", "workflow_id"]).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

export async function findDelegationRequest(db: Database, id: string): Promise<DelegationRequest | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_delegation_requests")
    .selectAll()
    .where("request_id", "=", id)
    .executeTakeFirst();
  return row && toRequest(row);
}

/** Of those that somebody in the account has taken, in the order of their ids; `ownerId`: by this one. */
export async function listDelegationRequests(
  db: Database,
  accountId: string,
  ownerId: string | undefined,
  { after, limit }: Slice,
): Promise<DelegationRequest[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_delegation_requests")
    .selectAll()
    .where("owner_account_id", "=", accountId)
    .where("owner_id", "is not", null)
    .$if(ownerId !== undefined, (query) => query.where("owner_id", "=", ownerId!))
    .$if(after !== undefined, (query) => query.where("request_id", ">", after!))
    .orderBy("request_id")
    .limit(limit)
    .execute();
  return rows.map(toRequest);
}

export async function updateDelegationRequest(db: Database, request: DelegationRequest): Promise<void> {
  const { request_id, ...changes } = toRow(request);
  await db
    .withTables<Tables>()
    .updateTable("iam_delegation_requests")
    .set(changes)
    .where("request_id", "=", request_id)
    .execute();
}

function toRow(request: DelegationRequest): DelegationRequestTable {
  return {
    request_id: request.id,
    requestor_account_id: request.requestorAccountId,
    workflow_id: request.workflowId,
    owner_account_id: request.ownerAccountId ?? null,
    owner_id: request.ownerId ?? null,
    state: request.state,
    state_since: request.stateSince.getTime(),
    created_at: request.createdAt.getTime(),
    updated_at: request.updatedAt.getTime(),
    details: JSON.stringify(request.details),
  };
}

function toRequest(row: DelegationRequestTable): DelegationRequest {
  return {
    id: row.request_id,
    requestorAccountId: row.requestor_account_id,
    workflowId: row.workflow_id,
    ownerAccountId: row.owner_account_id ?? undefined,
    ownerId: row.owner_id ?? undefined,
    state: row.state,
    stateSince: new Date(row.state_since),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    details: JSON.parse(row.details) as RequestDetails,
  };
}
