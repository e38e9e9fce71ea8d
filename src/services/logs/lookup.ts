/** Finds the group and stream that a call names. */
import type { Call } from "#gateway/context.ts";
import type { ResourceTags } from "#gateway/service.ts";
import { invalidParameter, noLogGroup, noLogStream } from "./errors.ts";
import {
  type LogGroup,
  type LogGroupAddress,
  type LogStream,
  logGroupArn,
  logStreamArn,
  parsedLogGroupArn,
  toLogGroupAddress,
} from "./model.ts";
import { findLogGroup, findLogStream } from "./store.ts";

interface NamesGroup {
  readonly logGroupName?: string | undefined;
  readonly logGroupIdentifier?: string | undefined;
}

/** Where the input says the group is. Throws InvalidParameterException unless it says so exactly once. */
export function namedLogGroup(input: NamesGroup, call: Call): LogGroupAddress {
  const { logGroupName, logGroupIdentifier } = input;
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    throw invalidParameter("LogGroup name and LogGroup ARN are mutually exclusive parameters.");
  }
  const identifier = logGroupName ?? logGroupIdentifier;
  if (identifier === undefined) throw invalidParameter("Either logGroupName or logGroupIdentifier must be specified.");
  return toLogGroupAddress(call, identifier);
}

/** Throws ResourceNotFoundException; groups of other accounts and regions are as good as absent. */
export async function existingLogGroup(address: LogGroupAddress, call: Call): Promise<LogGroup> {
  if (address.accountId !== call.accountId || address.region !== call.region) throw noLogGroup();
  const group = await findLogGroup(call.db, address);
  if (!group) throw noLogGroup();
  return group;
}

export async function existingLogStream(group: LogGroup, name: string, call: Call): Promise<LogStream> {
  const stream = await findLogStream(call.db, group.id, name);
  if (!stream) throw noLogStream();
  return stream;
}

/** `aws:ResourceTag/…` of a log group, which are its streams' too. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const address = parsedLogGroupArn(arn.replace(/:log-stream:.*$/, ""));
  return address && (await findLogGroup(call.db, address))?.tags;
}

/**
 * What policies are asked about, as the AccessDenied messages of AWS show it: operations on groups carry an empty stream
 * name, which is why policies end in `:*`.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
 */
export function groupResources(input: NamesGroup, call: Call): readonly string[] {
  const address = namedLogGroup(input, call);
  return [logStreamArn(address, address.name, "")];
}

export function streamResources(
  input: NamesGroup & { readonly logStreamName?: string | undefined },
  call: Call,
): readonly string[] {
  const address = namedLogGroup(input, call);
  return [logStreamArn(address, address.name, input.logStreamName ?? "")];
}

/** For lists over all groups. */
export function everyGroupResources(_input: unknown, call: Call): readonly string[] {
  return [logStreamArn(call, "", "")];
}

/** Tagging by ARN is the exception: policies name the group without `:*`. */
export function taggedResources(input: { readonly resourceArn?: string | undefined }, call: Call): readonly string[] {
  const address = toLogGroupAddress(call, input.resourceArn ?? "");
  return [logGroupArn(address, address.name)];
}
