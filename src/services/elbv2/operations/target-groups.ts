/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { effectiveAttributes, TARGET_GROUP_ATTRIBUTES, toAttributeChanges, toAttributeList } from "../attributes.ts";
import * as errors from "../errors.ts";
import { toHealthCheckSettings } from "../health-check-settings.ts";
import { existingLoadBalancer, existingTargetGroup, requireArn } from "../lookup.ts";
import { CONFIGURATION_TOPIC, type TargetGroup, targetGroupArn } from "../model.ts";
import { requireName } from "../names.ts";
import { pageOf } from "../paging.ts";
import { putTags } from "../store/tags.ts";
import {
  deleteTargetGroup,
  insertTargetGroup,
  listTargetGroups,
  loadBalancersOf,
  updateTargetGroup,
} from "../store/target-groups.ts";
import { requestTags, requireTagging, toTags } from "../tagging.ts";

const ofTargetGroup = (input: { TargetGroupArn?: string | undefined }) => [input.TargetGroupArn!];

export const CreateTargetGroup: OperationOf<sdk.CreateTargetGroupCommand> = {
  authorize: {
    action: "elasticloadbalancing:CreateTargetGroup",
    resources: (input, call) => [targetGroupArn(call, input.Name!, "*")],
    context: requestTags,
  },
  async run(input, call) {
    const name = input.Name!;
    requireName("Target group", name);
    const tags = toTags(input.Tags);
    await requireTagging(call, "CreateTargetGroup", targetGroupArn(call, name, "*"), input);
    const created = toTargetGroup(input, call);
    const inserted = await inTransaction(call.db, async (trx) => {
      if (!(await insertTargetGroup(trx, created))) return false;
      await putTags(trx, created.arn, tags);
      return true;
    });
    const group = inserted ? created : await sameTargetGroup(created, call);
    if (inserted) call.system.bus.publish(CONFIGURATION_TOPIC, created.arn);
    return { TargetGroups: await toOutputs([group], call) };
  },
};

function toTargetGroup(input: sdk.CreateTargetGroupInput, call: Call): TargetGroup {
  const targetType = input.TargetType ?? "instance";
  if (targetType === "lambda" || targetType === "alb") {
    throw errors.invalidConfiguration(
      `Target groups with target type '${targetType}' are not built in this version of Slipway: use 'ip'`,
    );
  }
  if (input.Protocol === undefined) throw errors.validationError("A protocol must be specified");
  if (input.Port === undefined) throw errors.validationError("A port must be specified");
  if (input.VpcId === undefined) throw errors.validationError("A VPC ID must be specified");
  if (!/^vpc-[0-9a-z-]+$/.test(input.VpcId)) {
    throw errors.validationError(`The VPC ID '${input.VpcId}' is not found`);
  }
  if (input.Protocol !== "HTTP" && input.Protocol !== "HTTPS") {
    throw errors.invalidConfiguration(
      `Target groups with the ${input.Protocol} protocol need a load balancer that is not built in this version of Slipway: use HTTP or HTTPS`,
    );
  }
  if (input.ProtocolVersion !== undefined && input.ProtocolVersion !== "HTTP1") {
    throw errors.invalidConfiguration(
      `Protocol version '${input.ProtocolVersion}' is not built in this version of Slipway: use 'HTTP1'`,
    );
  }
  return {
    accountId: call.accountId,
    region: call.region,
    arn: targetGroupArn(call, input.Name!),
    name: input.Name!,
    protocol: input.Protocol,
    port: input.Port,
    vpcId: input.VpcId,
    targetType,
    ipAddressType: input.IpAddressType ?? "ipv4",
    healthCheck: toHealthCheckSettings(input),
    attributes: {},
    createdAt: call.now.getTime(),
  };
}

/** Creating a target group a second time with the same settings succeeds. Throws DuplicateTargetGroupName. */
async function sameTargetGroup(wanted: TargetGroup, call: Call): Promise<TargetGroup> {
  const existing = (await listTargetGroups(call.db, call)).find(({ name }) => name === wanted.name)!;
  const settings = ({ protocol, port, vpcId, targetType, ipAddressType, healthCheck }: TargetGroup) =>
    JSON.stringify([protocol, port, vpcId, targetType, ipAddressType, Object.entries(healthCheck).sort()]);
  if (settings(existing) !== settings(wanted)) throw errors.duplicateTargetGroupName(wanted.name);
  return existing;
}

export const DescribeTargetGroups: OperationOf<sdk.DescribeTargetGroupsCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeTargetGroups", resources: () => ["*"] },
  async run(input, call) {
    const { TargetGroupArns: arns = [], Names: names = [], LoadBalancerArn } = input;
    const given = [arns.length > 0, names.length > 0, LoadBalancerArn !== undefined].filter(Boolean).length;
    if (given > 1) {
      throw errors.validationError(
        "You can specify only one of the following: a load balancer ARN, target group ARNs, or target group names",
      );
    }
    for (const arn of arns) requireArn("target group", call, arn);
    const all = await listTargetGroups(call.db, call);
    let wanted = all;
    if (LoadBalancerArn !== undefined) {
      await existingLoadBalancer(call, LoadBalancerArn);
      const users = await loadBalancersOf(
        call.db,
        all.map(({ arn }) => arn),
      );
      wanted = all.filter(({ arn }) => users.get(arn)?.includes(LoadBalancerArn));
    } else if (given > 0) {
      wanted = all.filter(({ arn, name }) => arns.includes(arn) || names.includes(name));
      if (wanted.length < new Set([...arns, ...names]).size) throw errors.someNotFound("target group");
    }
    const { items, NextMarker } = pageOf(wanted, ({ arn }) => arn, input);
    return { TargetGroups: await toOutputs(items, call), NextMarker };
  },
};

export const ModifyTargetGroup: OperationOf<sdk.ModifyTargetGroupCommand> = {
  authorize: { action: "elasticloadbalancing:ModifyTargetGroup", resources: ofTargetGroup },
  async run(input, call) {
    const found = await existingTargetGroup(call, input.TargetGroupArn!);
    const healthCheck = toHealthCheckSettings(input, found.healthCheck);
    await updateTargetGroup(call.db, found.arn, { healthCheck });
    call.system.bus.publish(CONFIGURATION_TOPIC, found.arn);
    return { TargetGroups: await toOutputs([{ ...found, healthCheck }], call) };
  },
};

export const DeleteTargetGroup: OperationOf<sdk.DeleteTargetGroupCommand> = {
  authorize: { action: "elasticloadbalancing:DeleteTargetGroup", resources: ofTargetGroup },
  async run(input, call) {
    const found = await existingTargetGroup(call, input.TargetGroupArn!);
    if (!(await deleteTargetGroup(call.db, found.arn))) throw errors.targetGroupInUse(found.arn);
    call.system.bus.publish(CONFIGURATION_TOPIC, found.arn);
    return {};
  },
};

export const DescribeTargetGroupAttributes: OperationOf<sdk.DescribeTargetGroupAttributesCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeTargetGroupAttributes", resources: () => ["*"] },
  async run(input, call) {
    const { attributes } = await existingTargetGroup(call, input.TargetGroupArn!);
    return { Attributes: toAttributeList(effectiveAttributes(TARGET_GROUP_ATTRIBUTES, attributes)) };
  },
};

export const ModifyTargetGroupAttributes: OperationOf<sdk.ModifyTargetGroupAttributesCommand> = {
  authorize: { action: "elasticloadbalancing:ModifyTargetGroupAttributes", resources: ofTargetGroup },
  async run(input, call) {
    const found = await existingTargetGroup(call, input.TargetGroupArn!);
    const changes = toAttributeChanges(TARGET_GROUP_ATTRIBUTES, "Target group", input.Attributes!);
    const attributes = { ...found.attributes, ...changes };
    const effective = effectiveAttributes(TARGET_GROUP_ATTRIBUTES, attributes);
    const sticky = effective["stickiness.enabled"] === "true" && effective["stickiness.type"] === "app_cookie";
    if (sticky && effective["stickiness.app_cookie.cookie_name"] === "") {
      throw errors.invalidConfiguration("A cookie name must be specified for stickiness type 'app_cookie'");
    }
    await updateTargetGroup(call.db, found.arn, { attributes });
    call.system.bus.publish(CONFIGURATION_TOPIC, found.arn);
    return { Attributes: toAttributeList(effective) };
  },
};

async function toOutputs(groups: readonly TargetGroup[], call: Call): Promise<sdk.TargetGroup[]> {
  const users = await loadBalancersOf(
    call.db,
    groups.map(({ arn }) => arn),
  );
  return groups.map((group) => ({
    TargetGroupArn: group.arn,
    TargetGroupName: group.name,
    Protocol: group.protocol,
    Port: group.port,
    VpcId: group.vpcId,
    HealthCheckProtocol: group.healthCheck.protocol,
    HealthCheckPort: group.healthCheck.port,
    HealthCheckEnabled: true,
    HealthCheckIntervalSeconds: group.healthCheck.intervalSeconds,
    HealthCheckTimeoutSeconds: group.healthCheck.timeoutSeconds,
    HealthyThresholdCount: group.healthCheck.healthyThreshold,
    UnhealthyThresholdCount: group.healthCheck.unhealthyThreshold,
    HealthCheckPath: group.healthCheck.path,
    Matcher: { HttpCode: group.healthCheck.matcher },
    LoadBalancerArns: [...(users.get(group.arn) ?? [])],
    TargetType: group.targetType,
    ProtocolVersion: "HTTP1",
    IpAddressType: group.ipAddressType as sdk.TargetGroupIpAddressTypeEnum,
  }));
}
