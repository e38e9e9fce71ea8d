/** Accounts, and the requests to create them. */
import type { Database } from "#store/database.ts";
import type { Account, AccountRequest, Member } from "../model.ts";
import { type Tables, tables, tagsFromJson, tagsToJson } from "./tables.ts";

export async function findAccount(db: Database, accountId: string): Promise<Account | undefined> {
  const row = await tables(db)
    .selectFrom("organizations_accounts")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  return row && toAccount(row);
}

/** Addresses are the same whatever their case. */
export async function findAccountByEmail(db: Database, email: string): Promise<Account | undefined> {
  const row = await tables(db)
    .selectFrom("organizations_accounts")
    .selectAll()
    .where("email_key", "=", email.toLowerCase())
    .executeTakeFirst();
  return row && toAccount(row);
}

/** The accounts of an organization, by their ids. */
export async function listAccounts(db: Database, organizationId: string): Promise<Member[]> {
  const rows = await tables(db)
    .selectFrom("organizations_accounts")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("account_id")
    .execute();
  return rows.map((row) => toAccount(row) as Member);
}

/** Inserts the account or replaces what was known of it. */
export async function putAccount(db: Database, account: Account): Promise<void> {
  const row = toRow(account);
  const { account_id, ...changes } = row;
  await tables(db)
    .insertInto("organizations_accounts")
    .values(row)
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet(changes))
    .execute();
}

export async function insertRequest(db: Database, request: AccountRequest): Promise<void> {
  await tables(db).insertInto("organizations_account_requests").values(toRequestRow(request)).execute();
}

export async function findRequest(db: Database, requestId: string): Promise<AccountRequest | undefined> {
  const row = await tables(db)
    .selectFrom("organizations_account_requests")
    .selectAll()
    .where("request_id", "=", requestId)
    .executeTakeFirst();
  return row && toRequest(row);
}

export async function listRequests(db: Database, organizationId: string): Promise<AccountRequest[]> {
  const rows = await tables(db)
    .selectFrom("organizations_account_requests")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("request_id")
    .execute();
  return rows.map(toRequest);
}

export async function updateRequest(db: Database, request: AccountRequest): Promise<void> {
  await tables(db)
    .updateTable("organizations_account_requests")
    .set(toRequestRow(request))
    .where("request_id", "=", request.id)
    .execute();
}

function toRow(account: Account): Tables["organizations_accounts"] {
  return {
    account_id: account.id,
    organization_id: account.organizationId ?? null,
    parent_id: account.parentId ?? null,
    name: account.name,
    email: account.email,
    email_key: account.email.toLowerCase(),
    state: account.state,
    joined_method: account.joinedMethod,
    joined_at: account.joinedAt.getTime(),
    closed_at: account.closedAt?.getTime() ?? null,
    tags: tagsToJson(account.tags),
  };
}

function toAccount(row: Tables["organizations_accounts"]): Account {
  return {
    id: row.account_id,
    organizationId: row.organization_id ?? undefined,
    parentId: row.parent_id ?? undefined,
    name: row.name,
    email: row.email,
    state: row.state,
    joinedMethod: row.joined_method,
    joinedAt: new Date(row.joined_at),
    closedAt: row.closed_at === null ? undefined : new Date(row.closed_at),
    tags: tagsFromJson(row.tags),
  };
}

function toRequestRow(request: AccountRequest): Tables["organizations_account_requests"] {
  return {
    request_id: request.id,
    organization_id: request.organizationId,
    account_name: request.accountName,
    email: request.email,
    role_name: request.roleName,
    tags: tagsToJson(request.tags),
    state: request.state,
    failure_reason: request.failureReason ?? null,
    account_id: request.accountId ?? null,
    requested_at: request.requestedAt.getTime(),
    completed_at: request.completedAt?.getTime() ?? null,
  };
}

function toRequest(row: Tables["organizations_account_requests"]): AccountRequest {
  return {
    id: row.request_id,
    organizationId: row.organization_id,
    accountName: row.account_name,
    email: row.email,
    roleName: row.role_name,
    tags: tagsFromJson(row.tags),
    state: row.state,
    failureReason: row.failure_reason ?? undefined,
    accountId: row.account_id ?? undefined,
    requestedAt: new Date(row.requested_at),
    completedAt: row.completed_at === null ? undefined : new Date(row.completed_at),
  };
}
