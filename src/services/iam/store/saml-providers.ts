/** SAML providers, by account and name. */
import type { Database } from "#store/database.ts";
import type { Tags } from "../model.ts";
import { tagsFromJson, tagsToJson } from "./entities.ts";
import type { ProviderTables } from "./provider-tables.ts";

export interface SamlPrivateKey {
  readonly keyId: string;
  /** Epoch milliseconds. */
  readonly addedAt: number;
  /** PEM, sealed by the system's cipher. */
  readonly sealed: string;
}

export interface SamlProvider {
  readonly accountId: string;
  readonly name: string;
  /** SAMLP… */
  readonly id: string;
  /** XML, as it was put. */
  readonly metadata: string;
  readonly createdAt: Date;
  readonly validUntil: Date;
  readonly encryptionMode: "Required" | "Allowed" | undefined;
  readonly privateKeys: readonly SamlPrivateKey[];
  readonly tags: Tags;
}

export async function insertSamlProvider(db: Database, provider: SamlProvider): Promise<void> {
  const { accountId, name, id, createdAt } = provider;
  await db
    .withTables<ProviderTables>()
    .insertInto("iam_saml_providers")
    .values({
      account_id: accountId,
      name,
      provider_id: id,
      created_at: createdAt.getTime(),
      ...changeable(provider),
    })
    .execute();
}

/** Everything but its name, id and date. */
export async function updateSamlProvider(db: Database, provider: SamlProvider): Promise<void> {
  await db
    .withTables<ProviderTables>()
    .updateTable("iam_saml_providers")
    .set(changeable(provider))
    .where("account_id", "=", provider.accountId)
    .where("name", "=", provider.name)
    .execute();
}

export async function deleteSamlProvider(db: Database, accountId: string, name: string): Promise<void> {
  await db
    .withTables<ProviderTables>()
    .deleteFrom("iam_saml_providers")
    .where("account_id", "=", accountId)
    .where("name", "=", name)
    .execute();
}

export async function findSamlProvider(
  db: Database,
  accountId: string,
  name: string,
): Promise<SamlProvider | undefined> {
  const row = await providersOf(db, accountId).where("name", "=", name).executeTakeFirst();
  return row && toProvider(row);
}

/** In the order of their names. */
export async function listSamlProviders(db: Database, accountId: string): Promise<SamlProvider[]> {
  return (await providersOf(db, accountId).orderBy("name").execute()).map(toProvider);
}

function providersOf(db: Database, accountId: string) {
  return db
    .withTables<ProviderTables>()
    .selectFrom("iam_saml_providers")
    .selectAll()
    .where("account_id", "=", accountId);
}

function changeable({ metadata, validUntil, encryptionMode, privateKeys, tags }: SamlProvider) {
  return {
    metadata,
    valid_until: validUntil.getTime(),
    encryption_mode: encryptionMode ?? null,
    private_keys: JSON.stringify(privateKeys),
    tags: tagsToJson(tags),
  };
}

function toProvider(row: ProviderTables["iam_saml_providers"]): SamlProvider {
  return {
    accountId: row.account_id,
    name: row.name,
    id: row.provider_id,
    metadata: row.metadata,
    createdAt: new Date(row.created_at),
    validUntil: new Date(row.valid_until),
    encryptionMode: row.encryption_mode ?? undefined,
    privateKeys: JSON.parse(row.private_keys) as SamlPrivateKey[],
    tags: tagsFromJson(row.tags),
  };
}
