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
};
