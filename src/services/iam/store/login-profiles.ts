/** Passwords of users, hashed. */
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

export interface LoginProfile {
  readonly accountId: string;
  readonly userId: string;
  /** Of the last passwords; the current one is the first. */
  readonly passwordHashes: readonly string[];
  readonly resetRequired: boolean;
  readonly createdAt: Date;
  /** When the password was set last. */
  readonly changedAt: Date;
}

export async function insertLoginProfile(db: Database, profile: LoginProfile): Promise<void> {
  await db.withTables<Tables>().insertInto("iam_login_profiles").values(toRow(profile)).execute();
}

/** Whether the profile was still as it was read, so that no password is lost where two are set at once. */
export async function updateLoginProfile(
  db: Database,
  before: LoginProfile,
  changes: Partial<Pick<LoginProfile, "passwordHashes" | "resetRequired" | "changedAt">>,
): Promise<boolean> {
  const old = toRow(before);
  const { account_id, user_id, created_at, ...values } = toRow({ ...before, ...changes });
  const { numUpdatedRows } = await db
    .withTables<Tables>()
    .updateTable("iam_login_profiles")
    .set(values)
    .where("account_id", "=", account_id)
    .where("user_id", "=", user_id)
    .where("password_hashes", "=", old.password_hashes)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function deleteLoginProfile(db: Database, { accountId, userId }: LoginProfile): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_login_profiles")
    .where("account_id", "=", accountId)
    .where("user_id", "=", userId)
    .execute();
}

export async function findLoginProfile(
  db: Database,
  accountId: string,
  userId: string,
): Promise<LoginProfile | undefined> {
  const row = await profiles(db, accountId).where("user_id", "=", userId).executeTakeFirst();
  return row && toProfile(row);
}

export async function listLoginProfiles(db: Database, accountId: string): Promise<LoginProfile[]> {
  return (await profiles(db, accountId).execute()).map(toProfile);
}

function profiles(db: Database, accountId: string) {
  return db.withTables<Tables>().selectFrom("iam_login_profiles").selectAll().where("account_id", "=", accountId);
}

function toRow(profile: LoginProfile): Tables["iam_login_profiles"] {
  return {
    account_id: profile.accountId,
    user_id: profile.userId,
    password_hashes: JSON.stringify(profile.passwordHashes),
    reset_required: profile.resetRequired ? 1 : 0,
    created_at: profile.createdAt.getTime(),
    changed_at: profile.changedAt.getTime(),
  };
}

function toProfile(row: Tables["iam_login_profiles"]): LoginProfile {
  return {
    accountId: row.account_id,
    userId: row.user_id,
    passwordHashes: JSON.parse(row.password_hashes) as string[],
    resetRequired: row.reset_required === 1,
    createdAt: new Date(row.created_at),
    changedAt: new Date(row.changed_at),
  };
}
