import type { Database } from "#store/database.ts";

type Tables = {
  ecs_clusters: { account_id: string; region: string; name: string; status: string; document: string };
  ecs_task_definitions: {
    account_id: string;
    region: string;
    family: string;
    revision: number;
    status: string;
    registered_at: number;
    registered_by: string;
    deregistered_at: number | null;
    document: string;
  };
  ecs_services: {
    id: string;
    account_id: string;
    region: string;
    cluster: string;
    name: string;
    status: string;
    living: number | null;
    version: number;
    created_at: number;
    document: string;
  };
  ecs_service_events: { id: string; service_id: string; sequence: number; created_at: number; message: string };
  ecs_tasks: {
    id: string;
    account_id: string;
    region: string;
    cluster: string;
    service_id: string | null;
    family: string;
    launch_type: string;
    started_by: string | null;
    created_at: number;
    last_status: string;
    desired_status: string;
    stop_code: string | null;
    stopped_reason: string | null;
    accounted: number;
    document: string;
  };
  ecs_log_cursors: { task_id: string; container: string; next_line: number };
  ecs_tags: { resource_arn: string; tags: string };
  ecs_client_tokens: {
    account_id: string;
    region: string;
    token: string;
    request: string;
    result: string;
    created_at: number;
  };
  ecs_account_settings: { account_id: string; region: string; principal_arn: string; name: string; value: string };
};

export type TaskRow = Tables["ecs_tasks"];
export type ServiceRow = Tables["ecs_services"];
export type TaskDefinitionRow = Tables["ecs_task_definitions"];
export type ClusterRow = Tables["ecs_clusters"];

export const tablesOf = (db: Database) => db.withTables<Tables>();
