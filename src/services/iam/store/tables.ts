import type { StoredState } from "../delegation/states.ts";

/** IAM's tables. Names are unique without regard to case, so the keys hold them in lower case. */
export type EntityTable = {
  account_id: string;
  kind: EntityKind;
  name_key: string;
  name: string;
  path: string;
  /** AIDA…, AGPA…, AROA… */
  entity_id: string;
  created_at: number;
  /** JSON: [["key", "value"], …] in the order in which they were set. */
  tags: string;
  boundary_arn: string | null;
  /** The rest is of roles only. */
  trust_policy: string | null;
  description: string | null;
  max_session_duration: number | null;
  /** The service that a service-linked role belongs to. */
  linked_service: string | null;
  /** JSON of the role template that it was made from. */
  source_template: string | null;
};

export type DelegationRequestTable = {
  request_id: string;
  requestor_account_id: string;
  workflow_id: string;
  owner_account_id: string | null;
  /** A unique id, with the session's name where it is a role's session. */
  owner_id: string | null;
  state: StoredState;
  state_since: number;
  created_at: number;
  updated_at: number;
  /** JSON */
  details: string;
};

/** Everything that policies are attached to. */
export type EntityKind = "user" | "group" | "role";

export type Tables = {
  iam_entities: EntityTable;
  iam_memberships: { account_id: string; user_key: string; group_key: string };
  iam_inline_policies: {
    account_id: string;
    kind: EntityKind;
    name_key: string;
    policy_name: string;
    document: string;
  };
  iam_attachments: { account_id: string; kind: EntityKind; name_key: string; policy_arn: string };
  iam_policies: {
    account_id: string;
    name_key: string;
    name: string;
    path: string;
    policy_id: string;
    description: string | null;
    default_version: number;
    /** The number of the newest version there ever was. */
    last_version: number;
    created_at: number;
    updated_at: number;
    tags: string;
  };
  iam_policy_versions: {
    account_id: string;
    name_key: string;
    version: number;
    document: string;
    created_at: number;
  };
  iam_access_keys: {
    access_key_id: string;
    account_id: string;
    user_key: string;
    status: "Active" | "Inactive";
    /** Sealed by the system's cipher. */
    sealed_secret: string;
    created_at: number;
    last_used_at: number | null;
    last_used_service: string | null;
    last_used_region: string | null;
  };
  iam_instance_profiles: {
    account_id: string;
    name_key: string;
    name: string;
    path: string;
    profile_id: string;
    created_at: number;
    role_key: string | null;
    tags: string;
  };
  iam_delegation_requests: DelegationRequestTable;
  iam_account_properties: { account_id: string; property: string; value: string };
  iam_account_aliases: { account_id: string; alias: string };
  /** The latest attempt of each user and role at each action. */
  iam_accesses: {
    entity_id: string;
    service: string;
    action: string;
    region: string;
    accessed_at: number;
  };
  iam_access_reports: {
    job_id: string;
    account_id: string;
    /** Who may read it. */
    caller_id: string;
    granularity: "SERVICE_LEVEL" | "ACTION_LEVEL";
    created_at: number;
    completed_at: number;
    /** JSON */
    content: string;
  };
  /** For centralized root access. */
  iam_organization_features: { organization_id: string; feature: "RootCredentialsManagement" | "RootSessions" };
  /** Of service-linked roles. */
  iam_role_deletions: {
    task_id: string;
    account_id: string;
    created_at: number;
    /** JSON of why the role was not deleted; null: it was. */
    failure: string | null;
  };
  /** By the user's unique id, as all credentials below: they go along when the user is renamed. */
  iam_login_profiles: {
    account_id: string;
    user_id: string;
    /** JSON: the hashes of the last passwords, the current one first. */
    password_hashes: string;
    reset_required: number;
    created_at: number;
    changed_at: number;
  };
  iam_mfa_devices: {
    serial_number: string;
    account_id: string;
    name: string;
    path: string;
    /** Sealed by the system's cipher. */
    sealed_seed: string;
    created_at: number;
    tags: string;
    user_id: string | null;
    enabled_at: number | null;
    /** By how many time steps the device's clock is ahead. */
    drift: number;
    /** The newest time step whose code was taken: neither it nor an older one is taken again. */
    last_step: number | null;
    /** JSON: the times of wrong codes, milliseconds since the epoch. */
    wrong_codes_at: string;
  };
  iam_user_credentials: {
    credential_id: string;
    account_id: string;
    user_id: string;
    kind: UserCredentialKind;
    status: "Active" | "Inactive";
    created_at: number;
    /** What is public of it: the SSH key or certificate as uploaded, the user name for the service. */
    body: string;
    /** The rest is of service-specific credentials only. */
    service_name: string | null;
    secret_hash: string | null;
    expires_at: number | null;
  };
  iam_server_certificates: {
    account_id: string;
    name_key: string;
    name: string;
    path: string;
    certificate_id: string;
    body: string;
    chain: string | null;
    /** Sealed by the system's cipher. */
    sealed_private_key: string;
    uploaded_at: number;
    expires_at: number;
    tags: string;
  };
  iam_account_settings: {
    account_id: string;
    /** JSON; null where the default holds. */
    password_policy: string | null;
    /** Of STS's global endpoint: 1 or 2. */
    token_version: number;
    /** CSV; null where none was made. */
    credential_report: string | null;
    report_generated_at: number | null;
  };
};

export type UserCredentialKind = "ssh" | "signing" | "service";
