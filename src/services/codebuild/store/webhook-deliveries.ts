/** Deliveries that webhooks have taken, so that a redelivery starts nothing again. */
import type { Database } from "#store/database.ts";
import { tablesOf } from "./tables.ts";

/** GitHub lets people redeliver what is at most three days old. */
const KEPT_MS = 4 * 24 * 60 * 60 * 1000;

/** False where this delivery was taken before. */
export async function takeDelivery(trx: Database, webhookId: string, deliveryId: string, now: Date): Promise<boolean> {
  await tablesOf(trx)
    .deleteFrom("codebuild_webhook_deliveries")
    .where("webhook_id", "=", webhookId)
    .where("received_at", "<", now.getTime() - KEPT_MS)
    .execute();
  const inserted = await tablesOf(trx)
    .insertInto("codebuild_webhook_deliveries")
    .values({ webhook_id: webhookId, delivery_id: deliveryId, received_at: now.getTime() })
    .onConflict((conflict) => conflict.columns(["webhook_id", "delivery_id"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}
