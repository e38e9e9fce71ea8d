/** CodePipeline's tables; migrations/ has their constraints. */
import type { Database } from "#store/database.ts";

export type Tables = {
  pipelines: {
    id: string;
    account_id: string;
    region: string;
    name: string;
    version: number;
    next_sequence: number;
    /** JSON, like every structured column. */
    stage_executions: string;
    created_at: number;
    updated_at: number;
    tags: string;
  };
  pipeline_versions: { pipeline_id: string; version: number; declaration: string };
  pipeline_executions: {
    id: string;
    pipeline_id: string;
    sequence: number;
    version: number;
    status: string;
    status_summary: string | null;
    mode: string;
    trigger_type: string;
    trigger_detail: string;
    variables: string;
    source_revisions: string;
    stop_reason: string | null;
    state: string;
    client_token: string | null;
    started_at: number;
    updated_at: number;
  };
  pipeline_action_executions: {
    id: string;
    pipeline_id: string;
    execution_id: string;
    sequence: number;
    version: number;
    stage: string;
    action: string;
    status: string;
    started_at: number;
    updated_at: number;
    external_id: string | null;
    detail: string;
    progress: string | null;
  };
  pipeline_transitions: {
    pipeline_id: string;
    stage: string;
    type: string;
    enabled: number;
    reason: string | null;
    changed_by: string;
    changed_at: number;
  };
  pipeline_source_heads: { pipeline_id: string; source: string; revision: string };
};

export const tablesOf = (db: Database) => db.withTables<Tables>();
