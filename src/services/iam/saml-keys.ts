/** Private keys of SAML providers: sealed at rest, opened for STS alone. */
import type { System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { findSamlProvider } from "./store/saml-providers.ts";

/** The purpose under which they are sealed. */
export const SAML_KEY_PURPOSE = "saml-private-key";

/** PEM; none for a provider that is not there. */
export async function samlPrivateKeys(
  cipher: System["cipher"],
  db: Database,
  providerArn: string,
): Promise<readonly string[]> {
  const [, accountId, name] = /^arn:aws:iam::(\d{12}):saml-provider\/(.+)$/.exec(providerArn) ?? [];
  const provider = accountId && name ? await findSamlProvider(db, accountId, name) : undefined;
  return (provider?.privateKeys ?? []).map(({ keyId, sealed }) => {
    const key = cipher.open(SAML_KEY_PURPOSE, sealed);
    if (!key) throw new Error(`The private key ${keyId} was sealed with another master key`);
    return key.toString();
  });
}
