/** SSH public keys, signing certificates and service-specific credentials: what users have several of, each with a status. */
import type { Database } from "#store/database.ts";
import type { Tables, UserCredentialKind } from "./tables.ts";

export type CredentialStatus = "Active" | "Inactive";

export interface UserCredential {
  readonly id: string;
  readonly accountId: string;
  readonly userId: string;
  readonly kind: UserCredentialKind;
  readonly status: CredentialStatus;
  readonly createdAt: Date;
  /** The SSH key or certificate as uploaded; the user name for the service. */
  readonly body: string;
  /** Of service-specific credentials only. */
  readonly service: ServiceCredential | undefined;
}

export interface ServiceCredential {
  /** "codecommit.amazonaws.com" */
  readonly name: string;
  readonly secretHash: string;
  readonly expiresAt: Date | undefined;
}

export async function insertUserCredential(db: Database, credential: UserCredential): Promise<void> {
  await db.withTables<Tables>().insertInto("iam_user_credentials").values(toRow(credential)).execute();
}

export async function findUserCredential(
  db: Database,
  accountId: string,
  kind: UserCredentialKind,
  id: string,
): Promise<UserCredential | undefined> {
  const row = await credentials(db, accountId, kind).where("credential_id", "=", id).executeTakeFirst();
  return row && toCredential(row);
}

/** In the order of their creation; of one user, or of the account. */
export async function listUserCredentials(
  db: Database,
  accountId: string,
  kind: UserCredentialKind,
  userId?: string,
): Promise<UserCredential[]> {
  const rows = await credentials(db, accountId, kind)
    .$if(userId !== undefined, (query) => query.where("user_id", "=", userId!))
    .orderBy("created_at")
    .orderBy("credential_id")
    .execute();
  return rows.map(toCredential);
}

export async function updateUserCredential(db: Database, credential: UserCredential): Promise<void> {
  const { credential_id, account_id, ...values } = toRow(credential);
  await db
    .withTables<Tables>()
    .updateTable("iam_user_credentials")
    .set(values)
    .where("credential_id", "=", credential_id)
    .where("account_id", "=", account_id)
    .execute();
}

export async function deleteUserCredential(db: Database, { id, accountId }: UserCredential): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_user_credentials")
    .where("credential_id", "=", id)
    .where("account_id", "=", accountId)
    .execute();
}

function credentials(db: Database, accountId: string, kind: UserCredentialKind) {
  return db
    .withTables<Tables>()
    .selectFrom("iam_user_credentials")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("kind", "=", kind);
}

function toRow({ service, ...credential }: UserCredential): Tables["iam_user_credentials"] {
  return {
    credential_id: credential.id,
    account_id: credential.accountId,
    user_id: credential.userId,
    kind: credential.kind,
    status: credential.status,
    created_at: credential.createdAt.getTime(),
    body: credential.body,
    service_name: service?.name ?? null,
    secret_hash: service?.secretHash ?? null,
    expires_at: service?.expiresAt?.getTime() ?? null,
  };
}

function toCredential(row: Tables["iam_user_credentials"]): UserCredential {
  return {
    id: row.credential_id,
    accountId: row.account_id,
    userId: row.user_id,
    kind: row.kind,
    status: row.status,
    createdAt: new Date(row.created_at),
    body: row.body,
    service:
      row.service_name === null
        ? undefined
        : {
            name: row.service_name,
            secretHash: row.secret_hash!,
            expiresAt: row.expires_at === null ? undefined : new Date(row.expires_at),
          },
  };
}
