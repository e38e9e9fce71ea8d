/** Connections and hosts in the database. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { Connection, Host, ResourceAddress, Scope, ServicePrefix, Tags } from "./model.ts";

type Resource = {
  account_id: string;
  region: string;
  id: string;
  prefix: string;
  name: string;
  provider_type: string;
  created_at: number;
  /** JSON, like vpc_configuration. */
  tags: string;
};

type Tables = {
  connections: Resource & { host_arn: string | null };
  connection_hosts: Resource & { provider_endpoint: string; vpc_configuration: string | null };
};

const TABLE = { connection: "connections", host: "connection_hosts" } as const;

const tablesOf = (db: Database) => db.withTables<Tables>();

export async function insertConnection(db: Database, connection: Connection): Promise<void> {
  await tablesOf(db)
    .insertInto("connections")
    .values({ ...resourceRow(connection), host_arn: connection.hostArn ?? null })
    .execute();
}

export async function insertHost(db: Database, host: Host): Promise<void> {
  await tablesOf(db)
    .insertInto("connection_hosts")
    .values({
      ...resourceRow(host),
      provider_endpoint: host.providerEndpoint,
      vpc_configuration: host.vpcConfiguration ? JSON.stringify(host.vpcConfiguration) : null,
    })
    .execute();
}

export async function findConnection(db: Database, { accountId, region, id }: Omit<ResourceAddress, "type">) {
  const row = await tablesOf(db)
    .selectFrom("connections")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toConnection(row);
}

export async function findHost(db: Database, { accountId, region, id }: Omit<ResourceAddress, "type">) {
  const row = await tablesOf(db)
    .selectFrom("connection_hosts")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toHost(row);
}

export interface ConnectionQuery extends Scope {
  readonly providerType?: string | undefined;
  readonly hostArn?: string | undefined;
  /** The last id of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** In the order of their ids. */
export async function listConnections(db: Database, query: ConnectionQuery): Promise<Connection[]> {
  let select = tablesOf(db)
    .selectFrom("connections")
    .selectAll()
    .where("account_id", "=", query.accountId)
    .where("region", "=", query.region);
  if (query.providerType !== undefined) select = select.where("provider_type", "=", query.providerType);
  if (query.hostArn !== undefined) select = select.where("host_arn", "=", query.hostArn);
  if (query.after !== undefined) select = select.where("id", ">", query.after);
  return (await select.orderBy("id").limit(query.limit).execute()).map(toConnection);
}

export async function listHosts(
  db: Database,
  query: Scope & { after: string | undefined; limit: number },
): Promise<Host[]> {
  let select = tablesOf(db)
    .selectFrom("connection_hosts")
    .selectAll()
    .where("account_id", "=", query.accountId)
    .where("region", "=", query.region);
  if (query.after !== undefined) select = select.where("id", ">", query.after);
  return (await select.orderBy("id").limit(query.limit).execute()).map(toHost);
}

/** False where there was none. */
export async function deleteResource(db: Database, address: ResourceAddress): Promise<boolean> {
  const deleted = await tablesOf(db)
    .deleteFrom(TABLE[address.type])
    .where("account_id", "=", address.accountId)
    .where("region", "=", address.region)
    .where("id", "=", address.id)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

export async function updateTags(db: Database, address: ResourceAddress, tags: Tags): Promise<void> {
  await tablesOf(db)
    .updateTable(TABLE[address.type])
    .set({ tags: JSON.stringify(tags) })
    .where("account_id", "=", address.accountId)
    .where("region", "=", address.region)
    .where("id", "=", address.id)
    .execute();
}

export async function updateHost(
  db: Database,
  host: Host,
  change: Pick<Host, "providerEndpoint" | "vpcConfiguration">,
): Promise<void> {
  await tablesOf(db)
    .updateTable("connection_hosts")
    .set({
      provider_endpoint: change.providerEndpoint,
      vpc_configuration: change.vpcConfiguration ? JSON.stringify(change.vpcConfiguration) : null,
    })
    .where("account_id", "=", host.accountId)
    .where("region", "=", host.region)
    .where("id", "=", host.id)
    .execute();
}

function resourceRow(resource: Connection | Host): Resource {
  return {
    account_id: resource.accountId,
    region: resource.region,
    id: resource.id,
    prefix: resource.prefix,
    name: resource.name,
    provider_type: resource.providerType,
    created_at: resource.createdAt,
    tags: JSON.stringify(resource.tags),
  };
}

function resourceOf(row: Selectable<Resource>) {
  return {
    accountId: row.account_id,
    region: row.region,
    id: row.id,
    prefix: row.prefix as ServicePrefix,
    name: row.name,
    providerType: row.provider_type,
    createdAt: Number(row.created_at),
    tags: JSON.parse(row.tags) as Tags,
  };
}

function toConnection(row: Selectable<Tables["connections"]>): Connection {
  return { ...resourceOf(row), hostArn: row.host_arn ?? undefined };
}

function toHost(row: Selectable<Tables["connection_hosts"]>): Host {
  return {
    ...resourceOf(row),
    providerEndpoint: row.provider_endpoint,
    vpcConfiguration: row.vpc_configuration === null ? undefined : JSON.parse(row.vpc_configuration),
  };
}
