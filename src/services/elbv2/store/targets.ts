/** Targets in the database, with the health that the checks found. */
import { type Database, inTransaction } from "#store/database.ts";
import type { Health, Target, TargetAddress } from "../model.ts";
import { type Row, tablesOf } from "./tables.ts";

/** Those of one group in the order of registration, or all there are. */
export async function listTargets(db: Database, targetGroupArn?: string): Promise<readonly Target[]> {
  let query = tablesOf(db).selectFrom("elb_targets").selectAll();
  if (targetGroupArn !== undefined) query = query.where("target_group_arn", "=", targetGroupArn);
  const rows = await query.orderBy("registered_at").orderBy("target_id").orderBy("port").execute();
  return rows.map(toTarget);
}

/** A target that is registered already stays as it is; one that is draining starts anew. */
export async function registerTarget(db: Database, target: Target): Promise<void> {
  const row = toRow(target);
  await inTransaction(db, async (trx) => {
    await deletionOf(trx, target.targetGroupArn, target).where("draining_until", "is not", null).execute();
    await tablesOf(trx)
      .insertInto("elb_targets")
      .values(row)
      .onConflict((conflict) => conflict.columns(["target_group_arn", "target_id", "port"]).doNothing())
      .execute();
  });
}

/** Starts the deregistration delay; targets that drain already keep theirs. */
export async function drainTarget(
  db: Database,
  targetGroupArn: string,
  address: TargetAddress,
  until: number,
): Promise<void> {
  await tablesOf(db)
    .updateTable("elb_targets")
    .set({ draining_until: until })
    .where("target_group_arn", "=", targetGroupArn)
    .where("target_id", "=", address.id)
    .where("port", "=", address.port)
    .where("draining_until", "is", null)
    .execute();
}

export async function deleteTarget(db: Database, targetGroupArn: string, address: TargetAddress): Promise<void> {
  await deletionOf(db, targetGroupArn, address).execute();
}

/** Removes the targets whose deregistration delay is over. Answers their groups' ARNs. */
export function deleteDrainedTargets(db: Database, now: number): Promise<readonly string[]> {
  return inTransaction(db, async (trx) => {
    const drained = await tablesOf(trx)
      .selectFrom("elb_targets")
      .select("target_group_arn")
      .distinct()
      .where("draining_until", "<=", now)
      .execute();
    if (drained.length > 0) await tablesOf(trx).deleteFrom("elb_targets").where("draining_until", "<=", now).execute();
    return drained.map((row) => row.target_group_arn);
  });
}

/** False where the target was deregistered or registered anew since it was checked: the finding is then void. */
export async function updateHealth(db: Database, target: Target, health: Health, now: number): Promise<boolean> {
  const updated = await tablesOf(db)
    .updateTable("elb_targets")
    .set({
      state: health.state,
      reason: health.reason ?? null,
      description: health.description ?? null,
      health_since: health.state === target.health.state ? target.healthSince : now,
    })
    .where("target_group_arn", "=", target.targetGroupArn)
    .where("target_id", "=", target.id)
    .where("port", "=", target.port)
    .where("registered_at", "=", target.registeredAt)
    .where("draining_until", "is", null)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

function deletionOf(db: Database, targetGroupArn: string, { id, port }: TargetAddress) {
  return tablesOf(db)
    .deleteFrom("elb_targets")
    .where("target_group_arn", "=", targetGroupArn)
    .where("target_id", "=", id)
    .where("port", "=", port);
}

function toRow(target: Target): Row<"elb_targets"> {
  return {
    target_group_arn: target.targetGroupArn,
    target_id: target.id,
    port: target.port,
    availability_zone: target.availabilityZone ?? null,
    registered_at: target.registeredAt,
    state: target.health.state,
    reason: target.health.reason ?? null,
    description: target.health.description ?? null,
    health_since: target.healthSince,
    draining_until: target.drainingUntil ?? null,
  };
}

function toTarget(row: Row<"elb_targets">): Target {
  return {
    targetGroupArn: row.target_group_arn,
    id: row.target_id,
    port: row.port,
    availabilityZone: row.availability_zone ?? undefined,
    registeredAt: Number(row.registered_at),
    healthSince: Number(row.health_since),
    health: {
      state: row.state as Health["state"],
      reason: (row.reason ?? undefined) as Health["reason"],
      description: row.description ?? undefined,
    },
    drainingUntil: row.draining_until === null ? undefined : Number(row.draining_until),
  };
}
