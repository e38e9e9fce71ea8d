/** The tables of migrations/0001-elbv2.ts as Kysely sees them. */
import type { Database } from "#store/database.ts";

type Tables = {
  elb_load_balancers: {
    arn: string;
    account_id: string;
    region: string;
    name: string;
    dns_name: string;
    scheme: string;
    vpc_id: string;
    security_groups: string;
    zones: string;
    ip_address_type: string;
    attributes: string;
    created_at: number;
  };
  elb_target_groups: {
    arn: string;
    account_id: string;
    region: string;
    name: string;
    protocol: string;
    port: number;
    vpc_id: string;
    target_type: string;
    ip_address_type: string;
    health_check: string;
    attributes: string;
    created_at: number;
  };
  elb_targets: {
    target_group_arn: string;
    target_id: string;
    port: number;
    availability_zone: string | null;
    registered_at: number;
    state: string;
    reason: string | null;
    description: string | null;
    health_since: number;
    draining_until: number | null;
  };
  elb_listeners: {
    arn: string;
    account_id: string;
    region: string;
    load_balancer_arn: string;
    port: number;
    protocol: string;
    ssl_policy: string | null;
    certificate_arn: string | null;
    created_at: number;
  };
  elb_rules: {
    arn: string;
    listener_arn: string;
    load_balancer_arn: string;
    priority: number;
    conditions: string;
    actions: string;
  };
  elb_forwards: { rule_arn: string; load_balancer_arn: string; target_group_arn: string };
  elb_tags: { resource_arn: string; tag_key: string; tag_value: string };
};

export type Row<T extends keyof Tables> = Tables[T];

export const tablesOf = (db: Database) => db.withTables<Tables>();
