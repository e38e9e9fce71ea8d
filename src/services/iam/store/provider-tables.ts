/** The tables of identity providers. */
export type ProviderTables = {
  iam_oidc_providers: {
    account_id: string;
    /** Without `https://`, which all have. */
    url: string;
    /** JSON arrays of strings. */
    client_ids: string;
    thumbprints: string;
    created_at: number;
    tags: string;
  };
  iam_saml_providers: {
    account_id: string;
    name: string;
    provider_id: string;
    metadata: string;
    created_at: number;
    valid_until: number;
    encryption_mode: "Required" | "Allowed" | null;
    /** JSON: `SamlPrivateKey[]`, the keys themselves sealed. */
    private_keys: string;
    tags: string;
  };
  iam_outbound_federation: {
    account_id: string;
    /** The first label of the issuer's host name; an account keeps it when the feature is turned off and on again. */
    issuer_id: string;
    enabled: number;
  };
};
