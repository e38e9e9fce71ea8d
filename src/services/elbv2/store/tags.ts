/** Tags of every kind of resource, by its ARN. */
import { type Database, inTransaction } from "#store/database.ts";
import { tablesOf } from "./tables.ts";

export type Tags = Readonly<Record<string, string>>;

export async function findTags(db: Database, arn: string): Promise<Tags> {
  const rows = await tablesOf(db)
    .selectFrom("elb_tags")
    .select(["tag_key", "tag_value"])
    .where("resource_arn", "=", arn)
    .orderBy("tag_key")
    .execute();
  return Object.fromEntries(rows.map((row) => [row.tag_key, row.tag_value]));
}

/** Adds tags, or changes the values of those that there are. */
export function putTags(db: Database, arn: string, tags: Tags): Promise<void> {
  return inTransaction(db, async (trx) => {
    for (const [tag_key, tag_value] of Object.entries(tags)) {
      await tablesOf(trx)
        .insertInto("elb_tags")
        .values({ resource_arn: arn, tag_key, tag_value })
        .onConflict((conflict) => conflict.columns(["resource_arn", "tag_key"]).doUpdateSet({ tag_value }))
        .execute();
    }
  });
}

export async function removeTags(db: Database, arn: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tablesOf(db).deleteFrom("elb_tags").where("resource_arn", "=", arn).where("tag_key", "in", keys).execute();
}

export async function deleteTags(db: Database, arns: readonly string[]): Promise<void> {
  if (arns.length > 0) await tablesOf(db).deleteFrom("elb_tags").where("resource_arn", "in", arns).execute();
}
