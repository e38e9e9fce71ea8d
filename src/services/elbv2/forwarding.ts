/** What a load balancer's rules may forward to. */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Call } from "#gateway/context.ts";
import { forwardedTargetGroups } from "./actions.ts";
import { associatedElsewhere } from "./errors.ts";
import { existingTargetGroup } from "./lookup.ts";
import { loadBalancersOf } from "./store/target-groups.ts";

/** Throws TargetGroupNotFound, or TargetGroupAssociationLimit where another load balancer uses a group. */
export async function requireForwardable(
  call: Call,
  actions: readonly sdk.Action[],
  loadBalancerArn: string,
): Promise<void> {
  const arns = forwardedTargetGroups(actions);
  for (const arn of arns) await existingTargetGroup(call, arn);
  const users = await loadBalancersOf(call.db, arns);
  const elsewhere = arns.filter((arn) => users.get(arn)?.some((user) => user !== loadBalancerArn));
  if (elsewhere.length > 0) throw associatedElsewhere(elsewhere);
}
