/** Which features of centralized root access an organization has enabled. */
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

export type OrganizationFeature = Tables["iam_organization_features"]["feature"];

/** In order. */
export async function listFeatures(db: Database, organizationId: string): Promise<OrganizationFeature[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_organization_features")
    .select("feature")
    .where("organization_id", "=", organizationId)
    .orderBy("feature")
    .execute();
  return rows.map(({ feature }) => feature);
}

/** Nothing happens where it is enabled already. */
export async function putFeature(db: Database, organizationId: string, feature: OrganizationFeature): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_organization_features")
    .values({ organization_id: organizationId, feature })
    .onConflict((conflict) => conflict.columns(["organization_id", "feature"]).doNothing())
    .execute();
}

export async function deleteFeature(db: Database, organizationId: string, feature: OrganizationFeature): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_organization_features")
    .where("organization_id", "=", organizationId)
    .where("feature", "=", feature)
    .execute();
}
