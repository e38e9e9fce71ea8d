/** The tables of Organizations, and what is the same in all of them. */
import type * as sdk from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import type { Account, Tags } from "../model.ts";

export type Tables = {
  organizations: {
    organization_id: string;
    management_account_id: string;
    feature_set: sdk.OrganizationFeatureSet;
    root_id: string;
    root_tags: string;
    /** JSON: the types enabled in the root, in the order in which they were. */
    policy_types: string;
    /** Counts attachments, so that they have an order. */
    last_attachment: number;
  };
  organizations_units: {
    unit_id: string;
    organization_id: string;
    parent_id: string;
    name: string;
    tags: string;
  };
  organizations_accounts: {
    account_id: string;
    /** null, as the parent is: the account has left. Its name and address go on being its own. */
    organization_id: string | null;
    parent_id: string | null;
    name: string;
    email: string;
    /** In lower case: no two accounts have one address. */
    email_key: string;
    state: Account["state"];
    joined_method: sdk.AccountJoinedMethod;
    joined_at: number;
    closed_at: number | null;
    tags: string;
  };
  organizations_account_requests: {
    request_id: string;
    organization_id: string;
    account_name: string;
    email: string;
    role_name: string;
    tags: string;
    state: sdk.CreateAccountState;
    failure_reason: sdk.CreateAccountFailureReason | null;
    account_id: string | null;
    requested_at: number;
    completed_at: number | null;
  };
  organizations_policies: {
    organization_id: string;
    policy_id: string;
    type: sdk.PolicyType;
    name: string;
    description: string;
    content: string;
    updated_at: number;
    tags: string;
  };
  organizations_attachments: {
    organization_id: string;
    target_id: string;
    policy_id: string;
    type: sdk.PolicyType;
    /** Later attachments have higher ones: management policies are merged in this order. */
    place: number;
  };
  organizations_handshakes: {
    handshake_id: string;
    organization_id: string;
    management_account_id: string;
    action: sdk.ActionType;
    state: sdk.HandshakeState;
    account_id: string | null;
    /** JSON. */
    parties: string;
    parent_id: string | null;
    /** JSON */
    resources: string;
    tags: string;
    requested_at: number;
    expires_at: number;
    ended_at: number | null;
  };
  organizations_transfers: {
    transfer_id: string;
    handshake_id: string;
    name: string;
    source_organization_id: string | null;
    starts_at: number;
    ends_at: number | null;
    inbound_tags: string;
    outbound_tags: string;
  };
  organizations_services: { organization_id: string; service_principal: string; enabled_at: number };
  organizations_delegations: {
    organization_id: string;
    account_id: string;
    service_principal: string;
    enabled_at: number;
  };
  /** At most one an organization. */
  organizations_resource_policies: { organization_id: string; policy_id: string; content: string; tags: string };
};

export function tables(db: Database) {
  return db.withTables<Tables>();
}

/** JSON: [["key", "value"], …] in the order in which they were set. */
export function tagsToJson(tags: Tags): string {
  return JSON.stringify([...tags]);
}

export function tagsFromJson(json: string): Tags {
  return new Map(JSON.parse(json) as [string, string][]);
}
