/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { OperationOf } from "#gateway/operation.ts";
import { pageOf } from "../paging.ts";

/** AWS's default quotas. Slipway does not hold anybody to those that count resources. */
const LIMITS: Readonly<Record<string, number>> = {
  "target-groups": 3000,
  "targets-per-application-load-balancer": 1000,
  "listeners-per-application-load-balancer": 50,
  "rules-per-application-load-balancer": 100,
  "application-load-balancers": 50,
  "targets-per-target-group": 1000,
  "target-groups-per-application-load-balancer": 100,
  "target-groups-per-action-on-application-load-balancer": 5,
  "condition-values-per-alb-rule": 5,
  "condition-wildcards-per-alb-rule": 6,
  "certificates-per-application-load-balancer": 25,
};

export const DescribeAccountLimits: OperationOf<sdk.DescribeAccountLimitsCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeAccountLimits", resources: () => ["*"] },
  run(input) {
    const { items, NextMarker } = pageOf(Object.keys(LIMITS), (name) => name, input);
    return { Limits: items.map((Name) => ({ Name, Max: String(LIMITS[Name]) })), NextMarker };
  },
};
