/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-ecs";
import type { OperationTable } from "#gateway/operation.ts";
import {
  DeleteAccountSetting,
  ListAccountSettings,
  PutAccountSetting,
  PutAccountSettingDefault,
} from "./account-settings.ts";
import { DescribeCapacityProviders, PutClusterCapacityProviders } from "./capacity-providers.ts";
import {
  CreateCluster,
  DeleteCluster,
  DescribeClusters,
  ListClusters,
  UpdateCluster,
  UpdateClusterSettings,
} from "./clusters.ts";
import { CreateService } from "./create-service.ts";
import { DeleteService } from "./delete-service.ts";
import { RegisterTaskDefinition } from "./register-task-definition.ts";
import { RunTask } from "./run-task.ts";
import { DescribeServices, ListServices } from "./services.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./tags.ts";
import {
  DeleteTaskDefinitions,
  DeregisterTaskDefinition,
  DescribeTaskDefinition,
  ListTaskDefinitionFamilies,
  ListTaskDefinitions,
} from "./task-definitions.ts";
import { DescribeTasks, ListTasks, StopTask } from "./tasks.ts";
import { UpdateService } from "./update-service.ts";

export const operations: OperationTable<typeof sdk> = {
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
};
