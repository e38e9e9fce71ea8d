/** Load balancers with their listeners and rules, target groups with their targets, and tags. */
import type { Migration } from "#store/migrate.ts";

export const elbv2Tables: Migration = {
  name: "0001-elbv2",
  async up(db) {
    await db.schema
      .createTable("elb_load_balancers")
      .addColumn("arn", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("dns_name", "text", (column) => column.notNull().unique())
      .addColumn("scheme", "text", (column) => column.notNull())
      .addColumn("vpc_id", "text", (column) => column.notNull())
      .addColumn("security_groups", "text", (column) => column.notNull())
      .addColumn("zones", "text", (column) => column.notNull())
      .addColumn("ip_address_type", "text", (column) => column.notNull())
      .addColumn("attributes", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addUniqueConstraint("elb_load_balancers_name", ["account_id", "region", "name"])
      .execute();
    await db.schema
      .createTable("elb_target_groups")
      .addColumn("arn", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("protocol", "text", (column) => column.notNull())
      .addColumn("port", "integer", (column) => column.notNull())
      .addColumn("vpc_id", "text", (column) => column.notNull())
      .addColumn("target_type", "text", (column) => column.notNull())
      .addColumn("ip_address_type", "text", (column) => column.notNull())
      .addColumn("health_check", "text", (column) => column.notNull())
      .addColumn("attributes", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addUniqueConstraint("elb_target_groups_name", ["account_id", "region", "name"])
      .execute();
    await db.schema
      .createTable("elb_targets")
      .addColumn("target_group_arn", "text", (column) => column.notNull())
      .addColumn("target_id", "text", (column) => column.notNull())
      .addColumn("port", "integer", (column) => column.notNull())
      .addColumn("availability_zone", "text")
      .addColumn("registered_at", "bigint", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("reason", "text")
      .addColumn("description", "text")
      .addColumn("health_since", "bigint", (column) => column.notNull())
      .addColumn("draining_until", "bigint")
      .addPrimaryKeyConstraint("elb_targets_pk", ["target_group_arn", "target_id", "port"])
      .execute();
    await db.schema
      .createTable("elb_listeners")
      .addColumn("arn", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("load_balancer_arn", "text", (column) => column.notNull())
      .addColumn("port", "integer", (column) => column.notNull())
      .addColumn("protocol", "text", (column) => column.notNull())
      .addColumn("ssl_policy", "text")
      .addColumn("certificate_arn", "text")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addUniqueConstraint("elb_listeners_port", ["load_balancer_arn", "port"])
      .execute();
    await db.schema
      .createTable("elb_rules")
      .addColumn("arn", "text", (column) => column.primaryKey())
      .addColumn("listener_arn", "text", (column) => column.notNull())
      .addColumn("load_balancer_arn", "text", (column) => column.notNull())
      .addColumn("priority", "integer", (column) => column.notNull())
      .addColumn("conditions", "text", (column) => column.notNull())
      .addColumn("actions", "text", (column) => column.notNull())
      .addUniqueConstraint("elb_rules_priority", ["listener_arn", "priority"])
      .execute();
    // Which rules forward to which target groups: kept beside the actions so that it can be asked.
    await db.schema
      .createTable("elb_forwards")
      .addColumn("rule_arn", "text", (column) => column.notNull())
      .addColumn("load_balancer_arn", "text", (column) => column.notNull())
      .addColumn("target_group_arn", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("elb_forwards_pk", ["rule_arn", "target_group_arn"])
      .execute();
    await db.schema.createIndex("elb_forwards_target_group").on("elb_forwards").columns(["target_group_arn"]).execute();
    await db.schema
      .createTable("elb_tags")
      .addColumn("resource_arn", "text", (column) => column.notNull())
      .addColumn("tag_key", "text", (column) => column.notNull())
      .addColumn("tag_value", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("elb_tags_pk", ["resource_arn", "tag_key"])
      .execute();
  },
};
