/** Elastic Load Balancing: application load balancers that really balance. */

import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { LoadBalancerDataPlane } from "./data-plane.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { elbv2Tables } from "./migrations/0001-elbv2.ts";
import { DescribeAccountLimits } from "./operations/account-limits.ts";
import { CreateListener, DeleteListener, DescribeListeners, ModifyListener } from "./operations/listeners.ts";
import {
  CreateLoadBalancer,
  DeleteLoadBalancer,
  DescribeLoadBalancerAttributes,
  DescribeLoadBalancers,
  ModifyLoadBalancerAttributes,
  SetIpAddressType,
  SetSecurityGroups,
  SetSubnets,
} from "./operations/load-balancers.ts";
import { CreateRule, DeleteRule, DescribeRules, ModifyRule, SetRulePriorities } from "./operations/rules.ts";
import { AddTags, DescribeTags, RemoveTags } from "./operations/tags.ts";
import {
  CreateTargetGroup,
  DeleteTargetGroup,
  DescribeTargetGroupAttributes,
  DescribeTargetGroups,
  ModifyTargetGroup,
  ModifyTargetGroupAttributes,
} from "./operations/target-groups.ts";
import { DeregisterTargets, DescribeTargetHealth, RegisterTargets } from "./operations/targets.ts";
import { findTags } from "./store/tags.ts";

export const elbv2 = defineService({
  name: "elbv2",
  sdk,
  Client: sdk.ElasticLoadBalancingV2Client,
  operations: {
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
  },
  limits: limits as Limits,
  validation: { code: "ValidationError" },
  migrations: [elbv2Tables],
  resourceTags: (arn, call) => findTags(call.db, arn),
  dataPlanes: [new LoadBalancerDataPlane()],
});
