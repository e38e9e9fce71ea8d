/** ECS's modelled exceptions, in its own words. */
import {
  BlockedException,
  ClientException,
  ClusterContainsServicesException,
  ClusterContainsTasksException,
  ClusterNotFoundException,
  ConflictException,
  InvalidParameterException,
  LimitExceededException,
  ResourceNotFoundException,
  ServiceNotActiveException,
  ServiceNotFoundException,
} from "@aws-sdk/client-ecs";

const $metadata = {};

export const clientError = (message: string) => new ClientException({ message, $metadata });
export const invalidParameter = (message: string) => new InvalidParameterException({ message, $metadata });
export const blocked = (message: string) => new BlockedException({ message, $metadata });

export const clusterNotFound = () => new ClusterNotFoundException({ message: "Cluster not found.", $metadata });
export const serviceNotFound = () => new ServiceNotFoundException({ message: "Service not found.", $metadata });
export const serviceNotActive = () => new ServiceNotActiveException({ message: "Service was not ACTIVE.", $metadata });
export const resourceNotFound = () =>
  new ResourceNotFoundException({ message: "The specified resource was not found.", $metadata });
export const clusterHasServices = () =>
  new ClusterContainsServicesException({
    message: "The Cluster cannot be deleted while Services are active.",
    $metadata,
  });
export const clusterHasTasks = () =>
  new ClusterContainsTasksException({ message: "The Cluster cannot be deleted while Tasks are active.", $metadata });
export const tokenConflict = (resourceIds: string[]) =>
  new ConflictException({
    message: "The request was not idempotent: the client token was used with other parameters before.",
    resourceIds,
    $metadata,
  });
export const tooManyTags = () =>
  new LimitExceededException({ message: "The number of tags exceeds the limit of 50.", $metadata });

export const noTaskDefinition = () => clientError("Unable to describe task definition.");
export const taskDefinitionNotFound = () => clientError("TaskDefinition not found.");
export const taskDefinitionInactive = () => clientError("TaskDefinition is inactive");
export const taskNotFound = () => invalidParameter("The referenced task was not found.");
export const invalidToken = () => invalidParameter("Invalid token.");
