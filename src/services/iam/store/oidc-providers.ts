/** OpenID Connect providers, by account and URL. */
import type { Database } from "#store/database.ts";
import type { Tags } from "../model.ts";
import { tagsFromJson, tagsToJson } from "./entities.ts";
import type { ProviderTables } from "./provider-tables.ts";

export interface OidcProvider {
  readonly accountId: string;
  /** Without `https://`. */
  readonly url: string;
  readonly clientIds: readonly string[];
  /** SHA-1 in hexadecimal, in lower case. */
  readonly thumbprints: readonly string[];
  readonly createdAt: Date;
  readonly tags: Tags;
}

export async function insertOidcProvider(db: Database, provider: OidcProvider): Promise<void> {
  const { accountId, url, createdAt } = provider;
  await db
    .withTables<ProviderTables>()
    .insertInto("iam_oidc_providers")
    .values({ account_id: accountId, url, created_at: createdAt.getTime(), ...changeable(provider) })
    .execute();
}

/** Its client ids, thumbprints and tags. */
export async function updateOidcProvider(db: Database, provider: OidcProvider): Promise<void> {
  await db
    .withTables<ProviderTables>()
    .updateTable("iam_oidc_providers")
    .set(changeable(provider))
    .where("account_id", "=", provider.accountId)
    .where("url", "=", provider.url)
    .execute();
}

export async function deleteOidcProvider(db: Database, accountId: string, url: string): Promise<void> {
  await db
    .withTables<ProviderTables>()
    .deleteFrom("iam_oidc_providers")
    .where("account_id", "=", accountId)
    .where("url", "=", url)
    .execute();
}

export async function findOidcProvider(
  db: Database,
  accountId: string,
  url: string,
): Promise<OidcProvider | undefined> {
  const row = await providersOf(db, accountId).where("url", "=", url).executeTakeFirst();
  return row && toProvider(row);
}

/** In the order of their URLs. */
export async function listOidcProviders(db: Database, accountId: string): Promise<OidcProvider[]> {
  return (await providersOf(db, accountId).orderBy("url").execute()).map(toProvider);
}

function providersOf(db: Database, accountId: string) {
  return db
    .withTables<ProviderTables>()
    .selectFrom("iam_oidc_providers")
    .selectAll()
    .where("account_id", "=", accountId);
}

function changeable({ clientIds, thumbprints, tags }: OidcProvider) {
  return {
    client_ids: JSON.stringify(clientIds),
    thumbprints: JSON.stringify(thumbprints),
    tags: tagsToJson(tags),
  };
}

function toProvider(row: ProviderTables["iam_oidc_providers"]): OidcProvider {
  return {
    accountId: row.account_id,
    url: row.url,
    clientIds: JSON.parse(row.client_ids) as string[],
    thumbprints: JSON.parse(row.thumbprints) as string[],
    createdAt: new Date(row.created_at),
    tags: tagsFromJson(row.tags),
  };
}
