/** Amazon Elastic Container Service: clusters, task definitions, services and the tasks that really run. */
import * as sdk from "@aws-sdk/client-ecs";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { ecsTables } from "./migrations/0001-ecs.ts";
import {
  DeleteAccountSetting,
  ListAccountSettings,
  PutAccountSetting,
  PutAccountSettingDefault,
} from "./operations/account-settings.ts";
import { DescribeCapacityProviders, PutClusterCapacityProviders } from "./operations/capacity-providers.ts";
import {
  CreateCluster,
  DeleteCluster,
  DescribeClusters,
  ListClusters,
  UpdateCluster,
  UpdateClusterSettings,
} from "./operations/clusters.ts";
import { CreateService } from "./operations/create-service.ts";
import { DeleteService } from "./operations/delete-service.ts";
import { RegisterTaskDefinition } from "./operations/register-task-definition.ts";
import { RunTask } from "./operations/run-task.ts";
import { DescribeServices, ListServices } from "./operations/services.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./operations/tags.ts";
import {
  DeleteTaskDefinitions,
  DeregisterTaskDefinition,
  DescribeTaskDefinition,
  ListTaskDefinitionFamilies,
  ListTaskDefinitions,
} from "./operations/task-definitions.ts";
import { DescribeTasks, ListTasks, StopTask } from "./operations/tasks.ts";
import { UpdateService } from "./operations/update-service.ts";
import { registerTaskRunner } from "./running/task-runner.ts";
import { registerServiceRunner } from "./scheduling/service-runner.ts";

export const ecs = defineService({
  name: "ecs",
  sdk,
  Client: sdk.ECSClient,
  operations: {
    CreateCluster,
    CreateService,
    DeleteAccountSetting,
    DeleteCluster,
    DeleteService,
    DeleteTaskDefinitions,
    DeregisterTaskDefinition,
    DescribeCapacityProviders,
    DescribeClusters,
    DescribeServices,
    DescribeTaskDefinition,
    DescribeTasks,
    ListAccountSettings,
    ListClusters,
    ListServices,
    ListTagsForResource,
    ListTaskDefinitionFamilies,
    ListTaskDefinitions,
    ListTasks,
    PutAccountSetting,
    PutAccountSettingDefault,
    PutClusterCapacityProviders,
    RegisterTaskDefinition,
    RunTask,
    StopTask,
    TagResource,
    UntagResource,
    UpdateCluster,
    UpdateClusterSettings,
    UpdateService,
  },
  limits: limits as Limits,
  validation: { code: "InvalidParameterException" },
  migrations: [ecsTables],
  resourceTags,
  registerWork(system) {
    registerTaskRunner(system);
    registerServiceRunner(system);
  },
});
