/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { OperationTable } from "#gateway/operation.ts";
import { DescribeAccountLimits } from "./account-limits.ts";
import { CreateListener, DeleteListener, DescribeListeners, ModifyListener } from "./listeners.ts";
import {
  CreateLoadBalancer,
  DeleteLoadBalancer,
  DescribeLoadBalancerAttributes,
  DescribeLoadBalancers,
  ModifyLoadBalancerAttributes,
  SetIpAddressType,
  SetSecurityGroups,
  SetSubnets,
} from "./load-balancers.ts";
import { CreateRule, DeleteRule, DescribeRules, ModifyRule, SetRulePriorities } from "./rules.ts";
import { AddTags, DescribeTags, RemoveTags } from "./tags.ts";
import {
  CreateTargetGroup,
  DeleteTargetGroup,
  DescribeTargetGroupAttributes,
  DescribeTargetGroups,
  ModifyTargetGroup,
  ModifyTargetGroupAttributes,
} from "./target-groups.ts";
import { DeregisterTargets, DescribeTargetHealth, RegisterTargets } from "./targets.ts";

export const operations: OperationTable<typeof sdk> = {
  AddTags,
  CreateListener,
  CreateLoadBalancer,
  CreateRule,
  CreateTargetGroup,
  DeleteListener,
  DeleteLoadBalancer,
  DeleteRule,
  DeleteTargetGroup,
  DeregisterTargets,
  DescribeAccountLimits,
  DescribeListeners,
  DescribeLoadBalancerAttributes,
  DescribeLoadBalancers,
  DescribeRules,
  DescribeTags,
  DescribeTargetGroupAttributes,
  DescribeTargetGroups,
  DescribeTargetHealth,
  ModifyListener,
  ModifyLoadBalancerAttributes,
  ModifyRule,
  ModifyTargetGroup,
  ModifyTargetGroupAttributes,
  RegisterTargets,
  RemoveTags,
  SetIpAddressType,
  SetRulePriorities,
  SetSecurityGroups,
  SetSubnets,
};
