/** Services: describing, listing and deleting. */
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidParameter } from "../errors.ts";
import { clusterContext, requireCluster, serviceResource } from "../lookup.ts";
import { nameIn, type Service, serviceArn } from "../model.ts";
import { page } from "../paging.ts";
import { serviceView } from "../service-view.ts";
import { findService, listServiceEvents, listServices } from "../store/services.ts";
import { tagsOf } from "../store/tags.ts";
import { listServiceTasks } from "../store/tasks.ts";

const MAX_DESCRIBED = 10;
/** Unlike other lists of ECS: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html */
const DEFAULT_PAGE = 10;

export const DescribeServices: OperationOf<sdk.DescribeServicesCommand> = {
  authorize: {
    action: "ecs:DescribeServices",
    resources: (input, call) => input.services!.map((one) => serviceResource(call, input.cluster, one)),
    context: clusterContext,
  },
  async run(input, call) {
    const references = input.services!;
    if (references.length === 0) throw invalidParameter("Services cannot be empty.");
    if (references.length > MAX_DESCRIBED) throw invalidParameter("Services cannot have more than 10 elements.");
    const cluster = await requireCluster(call, input.cluster);
    const services: sdk.Service[] = [];
    const failures: sdk.Failure[] = [];
    for (const reference of references) {
      const name = nameIn(call, "service", reference);
      const service = name === undefined ? undefined : await findService(call.db, call, cluster.name, name);
      if (service) services.push(await describedService(call, service, input.include ?? []));
      else failures.push({ arn: serviceResource(call, cluster.name, reference), reason: "MISSING" });
    }
    return { services, failures };
  },
};

export const ListServices: OperationOf<sdk.ListServicesCommand> = {
  authorize: { action: "ecs:ListServices", resources: () => ["*"], context: clusterContext },
  async run(input, call) {
    const cluster = await requireCluster(call, input.cluster);
    if (input.schedulingStrategy === "DAEMON") return { serviceArns: [] };
    const services = (await listServices(call.db, call, cluster.name)).filter(
      ({ document }) => !input.launchType || document.launchType === input.launchType,
    );
    const arns = services.map(({ name }) => serviceArn(call, cluster.name, name));
    const request = { nextToken: input.nextToken, maxResults: input.maxResults ?? DEFAULT_PAGE };
    const { items, nextToken } = page(`services/${cluster.name}/${input.launchType}`, arns, (arn) => arn, request);
    return { serviceArns: [...items], nextToken };
  },
};

export async function describedService(call: Call, service: Service, include: readonly string[]): Promise<sdk.Service> {
  const arn = serviceArn(service, service.cluster, service.name);
  return serviceView(service, {
    tasks: await listServiceTasks(call.db, service.id),
    events: await listServiceEvents(call.db, service.id),
    tags: include.includes("TAGS") ? ((await tagsOf(call.db, [arn])).get(arn) ?? []) : undefined,
  });
}
