import type * as sdk from "@aws-sdk/client-ecs";
import type { Database } from "#store/database.ts";
import { tablesOf } from "./tables.ts";

/** By resource; those without tags are missing. */
export async function tagsOf(db: Database, arns: readonly string[]): Promise<Map<string, sdk.Tag[]>> {
  if (arns.length === 0) return new Map();
  const rows = await tablesOf(db)
    .selectFrom("ecs_tags")
    .selectAll()
    .where("resource_arn", "in", [...arns])
    .execute();
  return new Map(rows.map((row) => [row.resource_arn, JSON.parse(row.tags) as sdk.Tag[]]));
}

/** Replaces the resource's tags; an empty list removes them. */
export async function putTags(db: Database, arn: string, tags: readonly sdk.Tag[]): Promise<void> {
  if (tags.length === 0) {
    await tablesOf(db).deleteFrom("ecs_tags").where("resource_arn", "=", arn).execute();
    return;
  }
  const text = JSON.stringify(tags);
  await tablesOf(db)
    .insertInto("ecs_tags")
    .values({ resource_arn: arn, tags: text })
    .onConflict((conflict) => conflict.column("resource_arn").doUpdateSet({ tags: text }))
    .execute();
}
