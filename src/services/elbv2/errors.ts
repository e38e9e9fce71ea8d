/** Elastic Load Balancing's errors, in its own words. */
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { WireError } from "#gateway/errors.ts";
import type { ResourceKind } from "./model.ts";

const $metadata = {};

/** Not modelled, and yet what the service answers to most mistakes. */
export const validationError = (Message: string) => new WireError("ValidationError", 400, Message);

export const invalidArn = (kind: ResourceKind, arn: string) => validationError(`'${arn}' is not a valid ${kind} ARN`);

export const invalidMarker = (marker: string) => validationError(`'${marker}' is not a valid marker`);

/** `message` for lists, which do not say which one is missing; otherwise the resource is named. */
export function notFound(kind: ResourceKind, message: string): Error {
  const details = { message, Message: message, $metadata };
  if (kind === "load balancer") return new sdk.LoadBalancerNotFoundException(details);
  if (kind === "target group") return new sdk.TargetGroupNotFoundException(details);
  if (kind === "listener") return new sdk.ListenerNotFoundException(details);
  return new sdk.RuleNotFoundException(details);
}

const LIST_WORDS: Readonly<Record<ResourceKind, string>> = {
  "load balancer": "One or more load balancers not found",
  "target group": "One or more target groups not found",
  listener: "One or more listeners not found",
  "listener rule": "One or more rules not found",
};

const ONE_WORDS: Readonly<Record<ResourceKind, string>> = {
  "load balancer": "Load balancer",
  "target group": "Target group",
  listener: "Listener",
  "listener rule": "Rule",
};

export const someNotFound = (kind: ResourceKind) => notFound(kind, LIST_WORDS[kind]);
export const oneNotFound = (kind: ResourceKind, arn: string) => notFound(kind, `${ONE_WORDS[kind]} '${arn}' not found`);

export const loadBalancersNotFoundByName = (names: readonly string[]) =>
  notFound("load balancer", `Load balancers '[${names.join(", ")}]' not found`);

export const duplicateLoadBalancerName = (name: string) =>
  new sdk.DuplicateLoadBalancerNameException({
    message: `A load balancer with the same name '${name}' exists, but with different settings`,
    $metadata,
  });

export const duplicateTargetGroupName = (name: string) =>
  new sdk.DuplicateTargetGroupNameException({
    message: `A target group with the same name '${name}' exists, but with different settings`,
    $metadata,
  });

export const duplicateListener = (loadBalancerArn: string) =>
  new sdk.DuplicateListenerException({
    message: `A listener already exists on this port for this load balancer '${loadBalancerArn}'`,
    $metadata,
  });

export const targetGroupInUse = (arn: string) =>
  new sdk.ResourceInUseException({
    message: `Target group '${arn}' is currently in use by a listener or a rule`,
    $metadata,
  });

export const associatedElsewhere = (arns: readonly string[]) =>
  new sdk.TargetGroupAssociationLimitException({
    message: `The following target groups cannot be associated with more than one load balancer: ${arns.join(", ")}`,
    $metadata,
  });

export const priorityInUse = (priority: number) =>
  new sdk.PriorityInUseException({ message: `Priority '${priority}' is currently in use`, $metadata });

export const operationNotPermitted = (message: string) =>
  new sdk.OperationNotPermittedException({ message, $metadata });

export const invalidConfiguration = (message: string) =>
  new sdk.InvalidConfigurationRequestException({ message, $metadata });

export const invalidAction = (message: string) => new sdk.InvalidLoadBalancerActionException({ message, $metadata });

export const incompatibleProtocols = (message: string) =>
  new sdk.IncompatibleProtocolsException({ message, $metadata });

export const unsupportedProtocol = (message: string) => new sdk.UnsupportedProtocolException({ message, $metadata });

export const sslPolicyNotFound = (name: string) =>
  new sdk.SSLPolicyNotFoundException({ message: `SSL policy '${name}' not found`, $metadata });

export const invalidSubnet = (id: string) =>
  new sdk.SubnetNotFoundException({ message: `The subnet ID '${id}' is not valid`, $metadata });

export const invalidSecurityGroup = (id: string) =>
  new sdk.InvalidSecurityGroupException({ message: `The security group ID '${id}' is not valid`, $metadata });

export const tooManyTags = () =>
  new sdk.TooManyTagsException({ message: "The maximum number of tags per resource is '50'", $metadata });

export const duplicateTagKeys = (key: string) =>
  new sdk.DuplicateTagKeysException({ message: `Tag key '${key}' was specified more than once`, $metadata });
