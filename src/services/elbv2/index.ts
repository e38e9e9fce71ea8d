/** Elastic Load Balancing: application load balancers that really balance. */

import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { LoadBalancerDataPlane } from "./data-plane.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { elbv2Tables } from "./migrations/0001-elbv2.ts";
import { findTags } from "./store/tags.ts";

export const elbv2 = defineService({
  name: "elbv2",
  sdk,
  Client: sdk.ElasticLoadBalancingV2Client,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "ValidationError" },
  migrations: [elbv2Tables],
  resourceTags: (arn, call) => findTags(call.db, arn),
  dataPlanes: [new LoadBalancerDataPlane()],
});
