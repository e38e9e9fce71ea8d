import type { Database } from "#store/database.ts";
import type { Cluster, Scope } from "../model.ts";
import { type ClusterRow, tablesOf } from "./tables.ts";

type ClusterDocument = Omit<Cluster, "accountId" | "region" | "name" | "status">;

/** INACTIVE ones too. */
export async function findCluster(db: Database, scope: Scope, name: string): Promise<Cluster | undefined> {
  const row = await tablesOf(db)
    .selectFrom("ecs_clusters")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && toCluster(row);
}

/** The ACTIVE ones by name. */
export async function listClusters(db: Database, scope: Scope): Promise<Cluster[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_clusters")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("status", "=", "ACTIVE")
    .orderBy("name")
    .execute();
  return rows.map(toCluster);
}

/** Makes the cluster or replaces what is known of it. */
export async function putCluster(db: Database, cluster: Cluster): Promise<void> {
  const { accountId, region, name, status, ...document } = cluster;
  const values = { status, document: JSON.stringify(document satisfies ClusterDocument) };
  await tablesOf(db)
    .insertInto("ecs_clusters")
    .values({ account_id: accountId, region, name, ...values })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doUpdateSet(values))
    .execute();
}

function toCluster(row: ClusterRow): Cluster {
  return {
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    status: row.status as Cluster["status"],
    ...(JSON.parse(row.document) as ClusterDocument),
  };
}
