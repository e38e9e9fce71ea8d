/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { effectiveAttributes, LOAD_BALANCER_ATTRIBUTES, toAttributeChanges, toAttributeList } from "../attributes.ts";
import * as errors from "../errors.ts";
import { existingLoadBalancer, requireArn } from "../lookup.ts";
import {
  CANONICAL_HOSTED_ZONES,
  CONFIGURATION_TOPIC,
  defaultSecurityGroup,
  defaultVpcId,
  type LoadBalancer,
  loadBalancerArn,
  newDnsName,
  toZones,
} from "../model.ts";
import { requireName } from "../names.ts";
import { pageOf } from "../paging.ts";
import {
  deleteLoadBalancer,
  insertLoadBalancer,
  listLoadBalancers,
  updateLoadBalancer,
} from "../store/load-balancers.ts";
import { putTags } from "../store/tags.ts";
import { requestKeys, requestTags, requireTagging, toTags } from "../tagging.ts";

const ofLoadBalancer = (input: { LoadBalancerArn?: string | undefined }) => [input.LoadBalancerArn!];

export const CreateLoadBalancer: OperationOf<sdk.CreateLoadBalancerCommand> = {
  authorize: {
    action: "elasticloadbalancing:CreateLoadBalancer",
    resources: (input, call) => [loadBalancerArn(call, input.Name!, "*")],
    context: (input) => ({
      ...requestTags(input),
      ...requestKeys(input),
      "elasticloadbalancing:scheme": input.Scheme ?? "internet-facing",
    }),
  },
  async run(input, call) {
    const name = input.Name!;
    requireName("Load balancer", name);
    if (input.Type !== undefined && input.Type !== "application") {
      const sentence = `Load balancers of type '${input.Type}' are not built in this version of Slipway: use 'application'`;
      throw errors.operationNotPermitted(sentence);
    }
    const tags = toTags(input.Tags);
    await requireTagging(call, "CreateLoadBalancer", loadBalancerArn(call, name, "*"), input);
    const scheme = input.Scheme ?? "internet-facing";
    const created: LoadBalancer = {
      accountId: call.accountId,
      region: call.region,
      arn: loadBalancerArn(call, name),
      name,
      dnsName: newDnsName(name, scheme, call.region),
      scheme,
      vpcId: defaultVpcId(call),
      securityGroups: toSecurityGroups(input.SecurityGroups) ?? [defaultSecurityGroup(call)],
      zones: toZones(call.region, toSubnets(input)),
      ipAddressType: input.IpAddressType ?? "ipv4",
      attributes: {},
      createdAt: call.now.getTime(),
    };
    const inserted = await inTransaction(call.db, async (trx) => {
      if (!(await insertLoadBalancer(trx, created))) return false;
      await putTags(trx, created.arn, tags);
      return true;
    });
    if (!inserted) return { LoadBalancers: [toOutput(await sameLoadBalancer(created, call), "active")] };
    call.system.bus.publish(CONFIGURATION_TOPIC, created.arn);
    return { LoadBalancers: [toOutput(created, "provisioning")] };
  },
};

/** Creating a load balancer a second time with the same settings succeeds. Throws DuplicateLoadBalancerName. */
async function sameLoadBalancer(wanted: LoadBalancer, call: Call): Promise<LoadBalancer> {
  const existing = (await listLoadBalancers(call.db, call)).find(({ name }) => name === wanted.name)!;
  const settings = ({ scheme, securityGroups, zones, ipAddressType }: LoadBalancer) =>
    JSON.stringify([scheme, securityGroups, zones, ipAddressType]);
  if (settings(existing) !== settings(wanted)) throw errors.duplicateLoadBalancerName(wanted.name);
  return existing;
}

export const DescribeLoadBalancers: OperationOf<sdk.DescribeLoadBalancersCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeLoadBalancers", resources: () => ["*"] },
  async run(input, call) {
    const all = await listLoadBalancers(call.db, call);
    const { LoadBalancerArns: arns = [], Names: names = [] } = input;
    if (arns.length > 0 && names.length > 0) {
      throw errors.validationError("You cannot specify both load balancer names and load balancer ARNs");
    }
    for (const arn of arns) requireArn("load balancer", call, arn);
    if (arns.some((arn) => !all.some((one) => one.arn === arn))) throw errors.someNotFound("load balancer");
    const missing = names.filter((name) => !all.some((one) => one.name === name));
    if (missing.length > 0) throw errors.loadBalancersNotFoundByName(missing);
    const wanted = all.filter(
      ({ arn, name }) => (arns.length === 0 && names.length === 0) || arns.includes(arn) || names.includes(name),
    );
    const { items, NextMarker } = pageOf(wanted, ({ arn }) => arn, input);
    return { LoadBalancers: items.map((item) => toOutput(item, "active")), NextMarker };
  },
};

export const DeleteLoadBalancer: OperationOf<sdk.DeleteLoadBalancerCommand> = {
  authorize: { action: "elasticloadbalancing:DeleteLoadBalancer", resources: ofLoadBalancer },
  async run(input, call) {
    const arn = input.LoadBalancerArn!;
    requireArn("load balancer", call, arn);
    const found = (await listLoadBalancers(call.db, call)).find((one) => one.arn === arn);
    // "If the load balancer does not exist or has already been deleted, the call succeeds."
    if (!found) return {};
    if (found.attributes["deletion_protection.enabled"] === "true") {
      throw errors.operationNotPermitted(
        `Load balancer '${arn}' cannot be deleted because deletion protection is enabled`,
      );
    }
    await deleteLoadBalancer(call.db, arn);
    call.system.bus.publish(CONFIGURATION_TOPIC, arn);
    return {};
  },
};

export const DescribeLoadBalancerAttributes: OperationOf<sdk.DescribeLoadBalancerAttributesCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeLoadBalancerAttributes", resources: () => ["*"] },
  async run(input, call) {
    const { attributes } = await existingLoadBalancer(call, input.LoadBalancerArn!);
    return { Attributes: toAttributeList(effectiveAttributes(LOAD_BALANCER_ATTRIBUTES, attributes)) };
  },
};

export const ModifyLoadBalancerAttributes: OperationOf<sdk.ModifyLoadBalancerAttributesCommand> = {
  authorize: { action: "elasticloadbalancing:ModifyLoadBalancerAttributes", resources: ofLoadBalancer },
  async run(input, call) {
    const found = await existingLoadBalancer(call, input.LoadBalancerArn!);
    const changes = toAttributeChanges(LOAD_BALANCER_ATTRIBUTES, "Load balancer", input.Attributes!);
    const attributes = { ...found.attributes, ...changes };
    await updateLoadBalancer(call.db, found.arn, { attributes });
    call.system.bus.publish(CONFIGURATION_TOPIC, found.arn);
    return { Attributes: toAttributeList(effectiveAttributes(LOAD_BALANCER_ATTRIBUTES, attributes)) };
  },
};

export const SetSecurityGroups: OperationOf<sdk.SetSecurityGroupsCommand> = {
  authorize: { action: "elasticloadbalancing:SetSecurityGroups", resources: ofLoadBalancer, context: requestKeys },
  async run(input, call) {
    const found = await existingLoadBalancer(call, input.LoadBalancerArn!);
    const securityGroups = toSecurityGroups(input.SecurityGroups);
    if (!securityGroups) throw errors.validationError("At least one security group must be specified");
    await updateLoadBalancer(call.db, found.arn, { securityGroups });
    return { SecurityGroupIds: [...securityGroups] };
  },
};

export const SetSubnets: OperationOf<sdk.SetSubnetsCommand> = {
  authorize: { action: "elasticloadbalancing:SetSubnets", resources: ofLoadBalancer, context: requestKeys },
  async run(input, call) {
    const found = await existingLoadBalancer(call, input.LoadBalancerArn!);
    const zones = toZones(call.region, toSubnets(input));
    const ipAddressType = input.IpAddressType ?? found.ipAddressType;
    await updateLoadBalancer(call.db, found.arn, { zones, ipAddressType });
    return { AvailabilityZones: toAvailabilityZones(zones), IpAddressType: ipAddressType as sdk.IpAddressType };
  },
};

export const SetIpAddressType: OperationOf<sdk.SetIpAddressTypeCommand> = {
  authorize: { action: "elasticloadbalancing:SetIpAddressType", resources: ofLoadBalancer },
  async run(input, call) {
    const found = await existingLoadBalancer(call, input.LoadBalancerArn!);
    await updateLoadBalancer(call.db, found.arn, { ipAddressType: input.IpAddressType! });
    return { IpAddressType: input.IpAddressType };
  },
};

/** There is no EC2 service that would know the subnets, so every well-formed id is taken. */
function toSubnets(input: Pick<sdk.CreateLoadBalancerInput, "Subnets" | "SubnetMappings">): readonly string[] {
  const mapped = (input.SubnetMappings ?? []).map(({ SubnetId = "" }) => SubnetId);
  const subnets = input.Subnets ?? [];
  if (mapped.length > 0 && subnets.length > 0) {
    throw errors.validationError("You must specify either subnets or subnet mappings, not both");
  }
  const ids = mapped.length > 0 ? mapped : subnets;
  if (new Set(ids).size < 2) {
    throw errors.validationError("At least two subnets in two different Availability Zones must be specified");
  }
  const wrong = ids.find((id) => !/^subnet-[0-9a-z-]+$/.test(id));
  if (wrong !== undefined) throw errors.invalidSubnet(wrong);
  return ids;
}

/** undefined where none are given. */
function toSecurityGroups(ids: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = ids?.find((id) => !/^sg-[0-9a-z-]+$/.test(id));
  if (wrong !== undefined) throw errors.invalidSecurityGroup(wrong);
  return ids && ids.length > 0 ? ids : undefined;
}

function toOutput(loadBalancer: LoadBalancer, state: sdk.LoadBalancerStateEnum): sdk.LoadBalancer {
  return {
    LoadBalancerArn: loadBalancer.arn,
    DNSName: loadBalancer.dnsName,
    CanonicalHostedZoneId: CANONICAL_HOSTED_ZONES[loadBalancer.region],
    CreatedTime: new Date(loadBalancer.createdAt),
    LoadBalancerName: loadBalancer.name,
    Scheme: loadBalancer.scheme,
    VpcId: loadBalancer.vpcId,
    State: { Code: state },
    Type: "application",
    AvailabilityZones: toAvailabilityZones(loadBalancer.zones),
    SecurityGroups: [...loadBalancer.securityGroups],
    IpAddressType: loadBalancer.ipAddressType as sdk.IpAddressType,
  };
}

function toAvailabilityZones(zones: LoadBalancer["zones"]): sdk.AvailabilityZone[] {
  return zones.map(({ zoneName, subnetId }) => ({ ZoneName: zoneName, SubnetId: subnetId, LoadBalancerAddresses: [] }));
}
