import type { Database } from "#store/database.ts";

export type Tables = {
  codebuild_projects: {
    account_id: string;
    region: string;
    name: string;
    settings: string;
    created_at: number;
    modified_at: number;
    last_build_number: number;
    webhook_id: string | null;
    webhook: string | null;
  };
  codebuild_builds: {
    uuid: string;
    account_id: string;
    region: string;
    project_name: string;
    phase: string;
    status: string;
    stage: number;
    started_at: number;
    branch: string | null;
    request_token: string | null;
    request_hash: string | null;
    stop_requested: number;
    revision: number;
    build: string;
    run: string;
  };
  codebuild_queues: { account_id: string; region: string; changes: number };
  codebuild_source_credentials: {
    account_id: string;
    region: string;
    server_type: string;
    auth_type: string;
    arn: string;
    username: string | null;
    sealed_token: string;
  };
  codebuild_webhook_deliveries: { webhook_id: string; delivery_id: string; received_at: number };
};

export const tablesOf = (db: Database) => db.withTables<Tables>();
