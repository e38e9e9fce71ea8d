/** Server certificates with their sealed private keys. */
import { sql } from "kysely";
import type { Database } from "#store/database.ts";
import type { Tags } from "../model.ts";
import { keyOf, type Slice, tagsFromJson, tagsToJson } from "./entities.ts";
import type { Tables } from "./tables.ts";

export interface ServerCertificate {
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  /** PEM, as uploaded; so is the chain. */
  readonly body: string;
  readonly chain: string | undefined;
  readonly sealedPrivateKey: string;
  readonly uploadedAt: Date;
  readonly expiresAt: Date;
  readonly tags: Tags;
}

export async function insertServerCertificate(db: Database, certificate: ServerCertificate): Promise<void> {
  await db.withTables<Tables>().insertInto("iam_server_certificates").values(toRow(certificate)).execute();
}

export async function findServerCertificate(
  db: Database,
  accountId: string,
  name: string,
): Promise<ServerCertificate | undefined> {
  const row = await certificates(db, accountId).where("name_key", "=", keyOf(name)).executeTakeFirst();
  return row && toCertificate(row);
}

export async function listServerCertificates(
  db: Database,
  accountId: string,
  pathPrefix: string,
  { after, limit }: Slice,
): Promise<ServerCertificate[]> {
  const rows = await certificates(db, accountId)
    .where(sql<boolean>`substr(path, 1, ${pathPrefix.length}) = ${pathPrefix}`)
    .$if(after !== undefined, (query) => query.where("name_key", ">", after!))
    .orderBy("name_key")
    .limit(limit)
    .execute();
  return rows.map(toCertificate);
}

/** `name` is the one it has had; the certificate may bring another. */
export async function updateServerCertificate(
  db: Database,
  name: string,
  certificate: ServerCertificate,
): Promise<void> {
  const { account_id, ...values } = toRow(certificate);
  await db
    .withTables<Tables>()
    .updateTable("iam_server_certificates")
    .set(values)
    .where("account_id", "=", account_id)
    .where("name_key", "=", keyOf(name))
    .execute();
}

export async function deleteServerCertificate(db: Database, { accountId, name }: ServerCertificate): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_server_certificates")
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .execute();
}

function certificates(db: Database, accountId: string) {
  return db.withTables<Tables>().selectFrom("iam_server_certificates").selectAll().where("account_id", "=", accountId);
}

function toRow(certificate: ServerCertificate): Tables["iam_server_certificates"] {
  return {
    account_id: certificate.accountId,
    name_key: keyOf(certificate.name),
    name: certificate.name,
    path: certificate.path,
    certificate_id: certificate.id,
    body: certificate.body,
    chain: certificate.chain ?? null,
    sealed_private_key: certificate.sealedPrivateKey,
    uploaded_at: certificate.uploadedAt.getTime(),
    expires_at: certificate.expiresAt.getTime(),
    tags: tagsToJson(certificate.tags),
  };
}

function toCertificate(row: Tables["iam_server_certificates"]): ServerCertificate {
  return {
    accountId: row.account_id,
    name: row.name,
    path: row.path,
    id: row.certificate_id,
    body: row.body,
    chain: row.chain ?? undefined,
    sealedPrivateKey: row.sealed_private_key,
    uploadedAt: new Date(row.uploaded_at),
    expiresAt: new Date(row.expires_at),
    tags: tagsFromJson(row.tags),
  };
}
