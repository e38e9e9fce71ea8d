/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { effectiveAttributes, TARGET_GROUP_ATTRIBUTES } from "../attributes.ts";
import { validationError } from "../errors.ts";
import { existingTargetGroup } from "../lookup.ts";
import { CONFIGURATION_TOPIC, TARGET_HEALTH_TOPIC, type Target, type TargetGroup } from "../model.ts";
import { NO_INSTANCE, REGISTERING } from "../states.ts";
import { loadBalancersOf } from "../store/target-groups.ts";
import { deleteTarget, drainTarget, listTargets, registerTarget } from "../store/targets.ts";

const ofTargetGroup = (input: { TargetGroupArn?: string | undefined }) => [input.TargetGroupArn!];

export const RegisterTargets: OperationOf<sdk.RegisterTargetsCommand> = {
  authorize: { action: "elasticloadbalancing:RegisterTargets", resources: ofTargetGroup },
  async run(input, call) {
    const group = await existingTargetGroup(call, input.TargetGroupArn!);
    const now = call.now.getTime();
    const targets = input.Targets!.map((target) => ({
      ...toAddress(group, target),
      targetGroupArn: group.arn,
      availabilityZone: target.AvailabilityZone,
      registeredAt: now,
      healthSince: now,
      health: group.targetType === "ip" ? REGISTERING : NO_INSTANCE,
      drainingUntil: undefined,
    }));
    await inTransaction(call.db, async (trx) => {
      for (const target of targets) await registerTarget(trx, target);
    });
    call.system.bus.publish(CONFIGURATION_TOPIC, group.arn);
    call.system.bus.publish(TARGET_HEALTH_TOPIC, group.arn);
    return {};
  },
};

export const DeregisterTargets: OperationOf<sdk.DeregisterTargetsCommand> = {
  authorize: { action: "elasticloadbalancing:DeregisterTargets", resources: ofTargetGroup },
  async run(input, call) {
    const group = await existingTargetGroup(call, input.TargetGroupArn!);
    const attributes = effectiveAttributes(TARGET_GROUP_ATTRIBUTES, group.attributes);
    const delay = Number(attributes["deregistration_delay.timeout_seconds"]) * 1000;
    const inUse = (await loadBalancersOf(call.db, [group.arn])).has(group.arn);
    const all = await listTargets(call.db, group.arn);
    const leaving = all.filter((target) => input.Targets!.some((given) => isNamed(target, given)));
    await inTransaction(call.db, async (trx) => {
      for (const target of leaving) {
        // Nothing is under way to the targets of a group that no load balancer uses.
        if (inUse && delay > 0) await drainTarget(trx, group.arn, target, call.now.getTime() + delay);
        else await deleteTarget(trx, group.arn, target);
      }
    });
    call.system.bus.publish(CONFIGURATION_TOPIC, group.arn);
    call.system.bus.publish(TARGET_HEALTH_TOPIC, group.arn);
    return {};
  },
};

export const DescribeTargetHealth: OperationOf<sdk.DescribeTargetHealthCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeTargetHealth", resources: () => ["*"] },
  async run(input, call) {
    const group = await existingTargetGroup(call, input.TargetGroupArn!);
    const now = call.now.getTime();
    const inUse = (await loadBalancersOf(call.db, [group.arn])).has(group.arn);
    const registered = (await listTargets(call.db, group.arn)).filter(
      ({ drainingUntil }) => drainingUntil === undefined || drainingUntil > now,
    );
    const describe = (target: Target) => toOutput(group, target, toTargetHealth(target, inUse), input.Include);
    if (!input.Targets) return { TargetHealthDescriptions: registered.map(describe) };
    return {
      TargetHealthDescriptions: input.Targets.flatMap((given) => {
        const found = registered.filter((target) => isNamed(target, given));
        return found.length > 0 ? found.map(describe) : [notRegistered(group, given)];
      }),
    };
  },
};

/**
 * AWS takes addresses of private ranges only. Here the engine decides where tasks can be reached, which may be a
 * link-local address or a host's name, so any of them is taken.
 */
function toAddress(group: TargetGroup, { Id, Port }: sdk.TargetDescription): { id: string; port: number } {
  const id = Id!;
  if (group.targetType === "instance") {
    if (!/^i-[0-9a-f]{8,17}$/.test(id)) throw validationError(`Instance ID '${id}' is not valid`);
  } else if (
    !/^[0-9A-Za-z]([0-9A-Za-z.:-]{0,251}[0-9A-Za-z])?$/.test(id) &&
    !/^[0-9a-fA-F:]*::[0-9a-fA-F:.]*$/.test(id)
  ) {
    throw validationError(`The IP address '${id}' is not a valid IPv4 or IPv6 address`);
  }
  return { id, port: Port ?? group.port };
}

/** Without a port all of the target's registrations are meant. */
function isNamed(target: Target, given: sdk.TargetDescription): boolean {
  return target.id === given.Id && (given.Port === undefined || target.port === given.Port);
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html */
function toTargetHealth(target: Target, inUse: boolean): sdk.TargetHealth {
  if (target.drainingUntil !== undefined) {
    return {
      State: "draining",
      Reason: "Target.DeregistrationInProgress",
      Description: "Target deregistration is in progress",
    };
  }
  if (!inUse) {
    return {
      State: "unused",
      Reason: "Target.NotInUse",
      Description: "Target group is not configured to receive traffic from the load balancer",
    };
  }
  const { state, reason, description } = target.health;
  return { State: state, Reason: reason, Description: description };
}

function toOutput(
  group: TargetGroup,
  target: Target,
  health: sdk.TargetHealth,
  include: readonly string[] | undefined,
): sdk.TargetHealthDescription {
  const zone = target.availabilityZone === undefined ? {} : { AvailabilityZone: target.availabilityZone };
  const { port } = group.healthCheck;
  return {
    Target: { Id: target.id, Port: target.port, ...zone },
    HealthCheckPort: port === "traffic-port" ? String(target.port) : port,
    TargetHealth: health,
    ...(include && include.length > 0 && { AnomalyDetection: { Result: "normal", MitigationInEffect: "no" } }),
  };
}

function notRegistered(group: TargetGroup, given: sdk.TargetDescription): sdk.TargetHealthDescription {
  return {
    Target: { Id: given.Id, Port: given.Port ?? group.port },
    TargetHealth: {
      State: "unused",
      Reason: "Target.NotRegistered",
      Description: "Target is not registered to the target group",
    },
  };
}
