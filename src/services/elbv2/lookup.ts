/** Finds what a call names, in the caller's account and region: everything else is as good as absent. */
import type { Call } from "#gateway/context.ts";
import { invalidArn, oneNotFound } from "./errors.ts";
import { isArnOf, type Listener, type LoadBalancer, type ResourceKind, type Rule, type TargetGroup } from "./model.ts";
import { findListener, findRule } from "./store/listeners.ts";
import { findLoadBalancer } from "./store/load-balancers.ts";
import { findTargetGroup } from "./store/target-groups.ts";

/** Throws ValidationError. */
export function requireArn(kind: ResourceKind, call: Call, arn: string): void {
  if (!isArnOf(kind, call.region, arn)) throw invalidArn(kind, arn);
}

export async function existingLoadBalancer(call: Call, arn: string): Promise<LoadBalancer> {
  requireArn("load balancer", call, arn);
  return (await findLoadBalancer(call.db, call, arn)) ?? missing("load balancer", arn);
}

export async function existingTargetGroup(call: Call, arn: string): Promise<TargetGroup> {
  requireArn("target group", call, arn);
  return (await findTargetGroup(call.db, call, arn)) ?? missing("target group", arn);
}

export async function existingListener(call: Call, arn: string): Promise<Listener> {
  requireArn("listener", call, arn);
  return (await findListener(call.db, call, arn)) ?? missing("listener", arn);
}

export async function existingRule(call: Call, arn: string): Promise<Rule> {
  requireArn("listener rule", call, arn);
  return (await findRule(call.db, call, arn)) ?? missing("listener rule", arn);
}

function missing(kind: ResourceKind, arn: string): never {
  throw oneNotFound(kind, arn);
}
