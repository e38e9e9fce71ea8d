/** Load balancers in the database. */
import { type Database, inTransaction } from "#store/database.ts";
import type { LoadBalancer, Scope } from "../model.ts";
import { deleteListenersOf } from "./listeners.ts";
import { type Row, tablesOf } from "./tables.ts";
import { deleteTags } from "./tags.ts";

/** False where the name is taken. */
export async function insertLoadBalancer(db: Database, loadBalancer: LoadBalancer): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("elb_load_balancers")
    .values({
      arn: loadBalancer.arn,
      account_id: loadBalancer.accountId,
      region: loadBalancer.region,
      name: loadBalancer.name,
      dns_name: loadBalancer.dnsName,
      scheme: loadBalancer.scheme,
      vpc_id: loadBalancer.vpcId,
      security_groups: JSON.stringify(loadBalancer.securityGroups),
      zones: JSON.stringify(loadBalancer.zones),
      ip_address_type: loadBalancer.ipAddressType,
      attributes: JSON.stringify(loadBalancer.attributes),
      created_at: loadBalancer.createdAt,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Those of one account and region, by name; all there are without a scope. */
export async function listLoadBalancers(db: Database, scope?: Scope): Promise<readonly LoadBalancer[]> {
  let query = tablesOf(db).selectFrom("elb_load_balancers").selectAll();
  if (scope) query = query.where("account_id", "=", scope.accountId).where("region", "=", scope.region);
  return (await query.orderBy("name").execute()).map(toLoadBalancer);
}

export async function findLoadBalancer(db: Database, scope: Scope, arn: string): Promise<LoadBalancer | undefined> {
  const row = await tablesOf(db)
    .selectFrom("elb_load_balancers")
    .selectAll()
    .where("arn", "=", arn)
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .executeTakeFirst();
  return row && toLoadBalancer(row);
}

type Changes = Partial<Pick<LoadBalancer, "securityGroups" | "zones" | "ipAddressType" | "attributes">>;

export async function updateLoadBalancer(db: Database, arn: string, changes: Changes): Promise<void> {
  await tablesOf(db)
    .updateTable("elb_load_balancers")
    .set({
      ...(changes.securityGroups && { security_groups: JSON.stringify(changes.securityGroups) }),
      ...(changes.zones && { zones: JSON.stringify(changes.zones) }),
      ...(changes.ipAddressType && { ip_address_type: changes.ipAddressType }),
      ...(changes.attributes && { attributes: JSON.stringify(changes.attributes) }),
    })
    .where("arn", "=", arn)
    .execute();
}

/** With its listeners, their rules and all their tags. */
export async function deleteLoadBalancer(db: Database, arn: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await deleteListenersOf(trx, arn);
    await deleteTags(trx, [arn]);
    await tablesOf(trx).deleteFrom("elb_load_balancers").where("arn", "=", arn).execute();
  });
}

function toLoadBalancer(row: Row<"elb_load_balancers">): LoadBalancer {
  return {
    arn: row.arn,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    dnsName: row.dns_name,
    scheme: row.scheme as LoadBalancer["scheme"],
    vpcId: row.vpc_id,
    securityGroups: JSON.parse(row.security_groups),
    zones: JSON.parse(row.zones),
    ipAddressType: row.ip_address_type,
    attributes: JSON.parse(row.attributes),
    createdAt: Number(row.created_at),
  };
}
