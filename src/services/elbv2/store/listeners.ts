/** Listeners and their rules in the database. */
import { type Database, inTransaction } from "#store/database.ts";
import { forwardedTargetGroups } from "../actions.ts";
import { isDefaultRule, type Listener, type Rule, type Scope } from "../model.ts";
import { type Row, tablesOf } from "./tables.ts";
import { deleteTags } from "./tags.ts";

/** False where the load balancer has a listener on the port already. */
export function insertListener(db: Database, listener: Listener, defaultRule: Rule): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const inserted = await tablesOf(trx)
      .insertInto("elb_listeners")
      .values({
        arn: listener.arn,
        account_id: listener.accountId,
        region: listener.region,
        load_balancer_arn: listener.loadBalancerArn,
        port: listener.port,
        protocol: listener.protocol,
        ssl_policy: listener.sslPolicy ?? null,
        certificate_arn: listener.certificateArn ?? null,
        created_at: listener.createdAt,
      })
      .onConflict((conflict) => conflict.columns(["load_balancer_arn", "port"]).doNothing())
      .executeTakeFirst();
    return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n && (await insertRule(trx, defaultRule));
  });
}

/** By load balancer and port. */
export async function listListeners(db: Database, loadBalancerArn?: string): Promise<readonly Listener[]> {
  let query = tablesOf(db).selectFrom("elb_listeners").selectAll();
  if (loadBalancerArn !== undefined) query = query.where("load_balancer_arn", "=", loadBalancerArn);
  return (await query.orderBy("load_balancer_arn").orderBy("port").execute()).map(toListener);
}

export async function findListener(db: Database, scope: Scope, arn: string): Promise<Listener | undefined> {
  const row = await tablesOf(db)
    .selectFrom("elb_listeners")
    .selectAll()
    .where("arn", "=", arn)
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .executeTakeFirst();
  return row && toListener(row);
}

type ListenerChanges = Pick<Listener, "port" | "protocol" | "sslPolicy" | "certificateArn">;

/** False where another listener of the load balancer has the port. */
export async function updateListener(db: Database, listener: Listener, changes: ListenerChanges): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const taken = await tablesOf(trx)
      .selectFrom("elb_listeners")
      .select("arn")
      .where("load_balancer_arn", "=", listener.loadBalancerArn)
      .where("port", "=", changes.port)
      .where("arn", "!=", listener.arn)
      .executeTakeFirst();
    if (taken) return false;
    await tablesOf(trx)
      .updateTable("elb_listeners")
      .set({
        port: changes.port,
        protocol: changes.protocol,
        ssl_policy: changes.sslPolicy ?? null,
        certificate_arn: changes.certificateArn ?? null,
      })
      .where("arn", "=", listener.arn)
      .execute();
    return true;
  });
}

export function deleteListener(db: Database, arn: string): Promise<void> {
  return inTransaction(db, async (trx) => {
    await deleteRules(trx, await listRules(trx, { listenerArn: arn }));
    await deleteTags(trx, [arn]);
    await tablesOf(trx).deleteFrom("elb_listeners").where("arn", "=", arn).execute();
  });
}

export async function deleteListenersOf(trx: Database, loadBalancerArn: string): Promise<void> {
  for (const { arn } of await listListeners(trx, loadBalancerArn)) await deleteListener(trx, arn);
}

/** False where the listener has a rule of that priority. */
export function insertRule(db: Database, rule: Rule): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const inserted = await tablesOf(trx)
      .insertInto("elb_rules")
      .values({
        arn: rule.arn,
        listener_arn: rule.listenerArn,
        load_balancer_arn: rule.loadBalancerArn,
        priority: rule.priority,
        conditions: JSON.stringify(rule.conditions),
        actions: JSON.stringify(rule.actions),
      })
      .onConflict((conflict) => conflict.columns(["listener_arn", "priority"]).doNothing())
      .executeTakeFirst();
    if ((inserted.numInsertedOrUpdatedRows ?? 0n) === 0n) return false;
    await replaceForwards(trx, rule);
    return true;
  });
}

/** By listener and priority, the default rule last. */
export async function listRules(
  db: Database,
  of: { listenerArn?: string; loadBalancerArn?: string } = {},
): Promise<readonly Rule[]> {
  let query = tablesOf(db).selectFrom("elb_rules").selectAll();
  if (of.listenerArn !== undefined) query = query.where("listener_arn", "=", of.listenerArn);
  if (of.loadBalancerArn !== undefined) query = query.where("load_balancer_arn", "=", of.loadBalancerArn);
  return (await query.orderBy("listener_arn").orderBy("priority").execute()).map(toRule);
}

export async function findRule(db: Database, scope: Scope, arn: string): Promise<Rule | undefined> {
  const row = await tablesOf(db)
    .selectFrom("elb_rules")
    .innerJoin("elb_listeners", "elb_listeners.arn", "elb_rules.listener_arn")
    .selectAll("elb_rules")
    .where("elb_rules.arn", "=", arn)
    .where("elb_listeners.account_id", "=", scope.accountId)
    .where("elb_listeners.region", "=", scope.region)
    .executeTakeFirst();
  return row && toRule(row);
}

export async function findDefaultRule(db: Database, listenerArn: string): Promise<Rule> {
  const rules = await listRules(db, { listenerArn });
  return rules.find(isDefaultRule)!;
}

export function updateRule(db: Database, rule: Rule): Promise<void> {
  return inTransaction(db, async (trx) => {
    await tablesOf(trx)
      .updateTable("elb_rules")
      .set({ conditions: JSON.stringify(rule.conditions), actions: JSON.stringify(rule.actions) })
      .where("arn", "=", rule.arn)
      .execute();
    await replaceForwards(trx, rule);
  });
}

/** Rules of one listener may swap their priorities. */
export function updatePriorities(db: Database, priorities: ReadonlyMap<string, number>): Promise<void> {
  return inTransaction(db, async (trx) => {
    const set = (arn: string, priority: number) =>
      tablesOf(trx).updateTable("elb_rules").set({ priority }).where("arn", "=", arn).execute();
    // Priorities are unique at every moment, so all move out of the way first.
    for (const [arn, priority] of priorities) await set(arn, -priority);
    for (const [arn, priority] of priorities) await set(arn, priority);
  });
}

export function deleteRules(db: Database, rules: readonly Rule[]): Promise<void> {
  return inTransaction(db, async (trx) => {
    const arns = rules.map(({ arn }) => arn);
    if (arns.length === 0) return;
    await tablesOf(trx).deleteFrom("elb_forwards").where("rule_arn", "in", arns).execute();
    await tablesOf(trx).deleteFrom("elb_rules").where("arn", "in", arns).execute();
    await deleteTags(trx, arns);
  });
}

async function replaceForwards(trx: Database, rule: Rule): Promise<void> {
  await tablesOf(trx).deleteFrom("elb_forwards").where("rule_arn", "=", rule.arn).execute();
  for (const targetGroupArn of forwardedTargetGroups(rule.actions)) {
    await tablesOf(trx)
      .insertInto("elb_forwards")
      .values({ rule_arn: rule.arn, load_balancer_arn: rule.loadBalancerArn, target_group_arn: targetGroupArn })
      .execute();
  }
}

function toListener(row: Row<"elb_listeners">): Listener {
  return {
    arn: row.arn,
    accountId: row.account_id,
    region: row.region,
    loadBalancerArn: row.load_balancer_arn,
    port: row.port,
    protocol: row.protocol as Listener["protocol"],
    sslPolicy: row.ssl_policy ?? undefined,
    certificateArn: row.certificate_arn ?? undefined,
    createdAt: Number(row.created_at),
  };
}

function toRule(row: Row<"elb_rules">): Rule {
  return {
    arn: row.arn,
    listenerArn: row.listener_arn,
    loadBalancerArn: row.load_balancer_arn,
    priority: row.priority,
    conditions: JSON.parse(row.conditions),
    actions: JSON.parse(row.actions),
  };
}
