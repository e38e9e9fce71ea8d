import type { Database } from "#store/database.ts";
import type { Migration } from "#store/migrate.ts";

type Tables = {
  iam_delegation_requests: {
    request_id: string;
    owner_account_id: string | null;
    owner_id: string | null;
    updated_at: number;
  };
  iam_entities: {
    account_id: string;
    kind: string;
    name_key: string;
    name: string;
    path: string;
    entity_id: string;
    created_at: number;
  };
};

interface Owner {
  readonly arn: string;
  readonly accountId: string;
  /** Epoch milliseconds when it owned the request already. */
  readonly at: number;
}

/**
 * Owners were kept by their ARNs, and are by their unique ids now. An ARN of whom there is not any more, or who was made only
 * after the request was last touched, stays as it is: it is nobody's.
 */
export const delegationOwners: Migration = {
  name: "0008-delegation-owners",
  async up(db) {
    const tables = db.withTables<Tables>();
    const owned = await tables
      .selectFrom("iam_delegation_requests")
      .select(["request_id", "owner_account_id", "owner_id", "updated_at"])
      .where("owner_id", "is not", null)
      .execute();
    for (const { request_id, owner_account_id, owner_id, updated_at } of owned) {
      const id = await idOf(db, { arn: owner_id!, accountId: owner_account_id!, at: updated_at });
      if (id === undefined) continue;
      await tables
        .updateTable("iam_delegation_requests")
        .set({ owner_id: id })
        .where("request_id", "=", request_id)
        .execute();
    }
  },
};

async function idOf(db: Database, { arn, accountId, at }: Owner): Promise<string | undefined> {
  const [type, ...segments] = arn.split(":").slice(5).join(":").split("/");
  if (type === "root") return accountId;
  if (type === "federated-user") return `${accountId}:${segments.join("/")}`;
  if (type !== "user" && type !== "assumed-role") return undefined;
  const name = (type === "user" ? segments.at(-1) : segments[0]) ?? "";
  const entity = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .select(["entity_id", "path", "name"])
    .where("account_id", "=", accountId)
    .where("kind", "=", type === "user" ? "user" : "role")
    .where("name_key", "=", name.toLowerCase())
    .where("created_at", "<=", at)
    .executeTakeFirst();
  if (!entity) return undefined;
  if (type === "assumed-role") return entity.name === name ? `${entity.entity_id}:${segments[1]}` : undefined;
  return `/${segments.join("/")}` === entity.path + entity.name ? entity.entity_id : undefined;
}
