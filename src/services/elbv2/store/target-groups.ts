/** Target groups in the database. Their targets are in targets.ts. */
import { type Database, inTransaction } from "#store/database.ts";
import type { Scope, TargetGroup } from "../model.ts";
import { type Row, tablesOf } from "./tables.ts";
import { deleteTags } from "./tags.ts";

/** False where the name is taken. */
export async function insertTargetGroup(db: Database, group: TargetGroup): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("elb_target_groups")
    .values({
      arn: group.arn,
      account_id: group.accountId,
      region: group.region,
      name: group.name,
      protocol: group.protocol,
      port: group.port,
      vpc_id: group.vpcId,
      target_type: group.targetType,
      ip_address_type: group.ipAddressType,
      health_check: JSON.stringify(group.healthCheck),
      attributes: JSON.stringify(group.attributes),
      created_at: group.createdAt,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Those of one account and region, by name; all there are without a scope. */
export async function listTargetGroups(db: Database, scope?: Scope): Promise<readonly TargetGroup[]> {
  let query = tablesOf(db).selectFrom("elb_target_groups").selectAll();
  if (scope) query = query.where("account_id", "=", scope.accountId).where("region", "=", scope.region);
  return (await query.orderBy("name").execute()).map(toTargetGroup);
}

export async function findTargetGroup(db: Database, scope: Scope, arn: string): Promise<TargetGroup | undefined> {
  const row = await tablesOf(db)
    .selectFrom("elb_target_groups")
    .selectAll()
    .where("arn", "=", arn)
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .executeTakeFirst();
  return row && toTargetGroup(row);
}

type Changes = Partial<Pick<TargetGroup, "healthCheck" | "attributes">>;

export async function updateTargetGroup(db: Database, arn: string, changes: Changes): Promise<void> {
  await tablesOf(db)
    .updateTable("elb_target_groups")
    .set({
      ...(changes.healthCheck && { health_check: JSON.stringify(changes.healthCheck) }),
      ...(changes.attributes && { attributes: JSON.stringify(changes.attributes) }),
    })
    .where("arn", "=", arn)
    .execute();
}

/** With its targets and tags. False where a rule still forwards to it. */
export function deleteTargetGroup(db: Database, arn: string): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const users = await loadBalancersOf(trx, [arn]);
    if (users.has(arn)) return false;
    await tablesOf(trx).deleteFrom("elb_targets").where("target_group_arn", "=", arn).execute();
    await tablesOf(trx).deleteFrom("elb_target_groups").where("arn", "=", arn).execute();
    await deleteTags(trx, [arn]);
    return true;
  });
}

/** The load balancers that forward to each of the groups; groups without one are absent. */
export async function loadBalancersOf(
  db: Database,
  groupArns: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (groupArns.length === 0) return new Map();
  const rows = await tablesOf(db)
    .selectFrom("elb_forwards")
    .select(["target_group_arn", "load_balancer_arn"])
    .distinct()
    .where("target_group_arn", "in", groupArns)
    .orderBy("load_balancer_arn")
    .execute();
  const found = new Map<string, string[]>();
  for (const { target_group_arn, load_balancer_arn } of rows) {
    const arns = found.get(target_group_arn) ?? [];
    arns.push(load_balancer_arn);
    found.set(target_group_arn, arns);
  }
  return found;
}

function toTargetGroup(row: Row<"elb_target_groups">): TargetGroup {
  return {
    arn: row.arn,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    protocol: row.protocol as TargetGroup["protocol"],
    port: row.port,
    vpcId: row.vpc_id,
    targetType: row.target_type as TargetGroup["targetType"],
    ipAddressType: row.ip_address_type,
    healthCheck: JSON.parse(row.health_check),
    attributes: JSON.parse(row.attributes),
    createdAt: Number(row.created_at),
  };
}
