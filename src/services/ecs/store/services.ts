import { randomUUID } from "node:crypto";
import type { Database } from "#store/database.ts";
import type { Scope, Service, ServiceDocument } from "../model.ts";
import { type ServiceRow, tablesOf } from "./tables.ts";

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html */
const MAX_EVENTS = 100;

/** False where a living service has the name. */
export async function insertService(db: Database, service: Service): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("ecs_services")
    .values({
      id: service.id,
      account_id: service.accountId,
      region: service.region,
      cluster: service.cluster,
      name: service.name,
      status: service.status,
      living: 1,
      version: service.version,
      created_at: service.createdAt,
      document: JSON.stringify(service.document),
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "cluster", "name", "living"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** The living one, else the INACTIVE one that was made last. */
export async function findService(
  db: Database,
  scope: Scope,
  cluster: string,
  name: string,
): Promise<Service | undefined> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_services")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("cluster", "=", cluster)
    .where("name", "=", name)
    .orderBy("created_at", "desc")
    .execute();
  const row = rows.find(({ living }) => living !== null) ?? rows[0];
  return row && toService(row);
}

export async function findServiceById(db: Database, id: string): Promise<Service | undefined> {
  const row = await tablesOf(db).selectFrom("ecs_services").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toService(row);
}

/** Those that are not INACTIVE, by name. */
export async function listServices(db: Database, scope: Scope, cluster: string): Promise<Service[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_services")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("cluster", "=", cluster)
    .where("living", "=", 1)
    .orderBy("name")
    .execute();
  return rows.map(toService);
}

/** The ids of living services, of every account, whose definition mentions this. */
export async function servicesMentioning(db: Database, text: string): Promise<string[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_services")
    .select("id")
    .where("living", "=", 1)
    .where("document", "like", `%${text.replaceAll(/[%_\\]/g, "_")}%`)
    .execute();
  return rows.map(({ id }) => id);
}

/** False where somebody else has written the service since it was read. */
export async function updateService(
  db: Database,
  service: Service,
  change: { readonly status?: Service["status"]; readonly document: ServiceDocument },
): Promise<boolean> {
  const status = change.status ?? service.status;
  const updated = await tablesOf(db)
    .updateTable("ecs_services")
    .set({
      status,
      living: status === "INACTIVE" ? null : 1,
      version: service.version + 1,
      document: JSON.stringify(change.document),
    })
    .where("id", "=", service.id)
    .where("version", "=", service.version)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

export async function insertServiceEvents(
  trx: Database,
  serviceId: string,
  messages: readonly string[],
  now: Date,
): Promise<void> {
  if (messages.length === 0) return;
  const last = await tablesOf(trx)
    .selectFrom("ecs_service_events")
    .select((eb) => eb.fn.max("sequence").as("sequence"))
    .where("service_id", "=", serviceId)
    .executeTakeFirst();
  const first = Number(last?.sequence ?? 0) + 1;
  const events = messages.map((message, index) => ({
    id: randomUUID(),
    service_id: serviceId,
    sequence: first + index,
    created_at: now.getTime(),
    message,
  }));
  await tablesOf(trx).insertInto("ecs_service_events").values(events).execute();
  await tablesOf(trx)
    .deleteFrom("ecs_service_events")
    .where("service_id", "=", serviceId)
    .where("sequence", "<=", first + messages.length - 1 - MAX_EVENTS)
    .execute();
}

/** The newest first. */
export async function listServiceEvents(
  db: Database,
  serviceId: string,
): Promise<{ id: string; createdAt: number; message: string }[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_service_events")
    .select(["id", "created_at", "message"])
    .where("service_id", "=", serviceId)
    .orderBy("sequence", "desc")
    .execute();
  return rows.map((row) => ({ id: row.id, createdAt: Number(row.created_at), message: row.message }));
}

function toService(row: ServiceRow): Service {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    cluster: row.cluster,
    name: row.name,
    status: row.status as Service["status"],
    version: Number(row.version),
    createdAt: Number(row.created_at),
    document: JSON.parse(row.document) as ServiceDocument,
  };
}
