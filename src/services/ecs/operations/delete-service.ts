/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html */
import type * as sdk from "@aws-sdk/client-ecs";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidParameter, serviceNotFound } from "../errors.ts";
import { clusterContext, requireCluster, serviceResource } from "../lookup.ts";
import { describedService } from "./services.ts";
import { changedService } from "./update-service.ts";

/** The service drains: its tasks are stopped, and then it is INACTIVE. */
export const DeleteService: OperationOf<sdk.DeleteServiceCommand> = {
  authorize: {
    action: "ecs:DeleteService",
    resources: (input, call) => [serviceResource(call, input.cluster, input.service)],
    context: clusterContext,
  },
  async run(input, call) {
    const cluster = await requireCluster(call, input.cluster);
    const service = await changedService(call, cluster, input.service!, async (current) => {
      if (current.status === "INACTIVE") throw serviceNotFound();
      if (current.document.desiredCount > 0 && !input.force) {
        throw invalidParameter("The service cannot be stopped while it is scaled above 0.");
      }
      return { status: "DRAINING", document: { ...current.document, desiredCount: 0, steady: false } };
    });
    return { service: await describedService(call, service, ["TAGS"]) };
  },
};
