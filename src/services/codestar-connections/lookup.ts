/** Finds what an ARN names. Resources of other accounts and regions are as good as absent. */
import type { Call } from "#gateway/context.ts";
import { noConnection, noHost } from "./errors.ts";
import { type Connection, connectionArn, type Host, hostArn, parsedArn, type Tags } from "./model.ts";
import { findConnection, findHost } from "./store.ts";

/** Throws ResourceNotFoundException. */
export async function existingConnection(arn: string, call: Call): Promise<Connection> {
  const address = parsedArn(arn);
  const ours = address?.type === "connection" && address.accountId === call.accountId && address.region === call.region;
  const connection = ours ? await findConnection(call.db, address) : undefined;
  if (!connection) throw noConnection(arn);
  return connection;
}

/** Throws ResourceNotFoundException. */
export async function existingHost(arn: string, call: Call): Promise<Host> {
  const address = parsedArn(arn);
  const ours = address?.type === "host" && address.accountId === call.accountId && address.region === call.region;
  const host = ours ? await findHost(call.db, address) : undefined;
  if (!host) throw noHost(arn);
  return host;
}

/** `aws:ResourceTag/…`. */
export async function resourceTags(arn: string, call: Call): Promise<Tags | undefined> {
  const address = parsedArn(arn);
  if (!address) return undefined;
  return (await (address.type === "host" ? findHost(call.db, address) : findConnection(call.db, address)))?.tags;
}

/**
 * What policies are asked about: the ARN with the prefix that the resource was made under, whichever the caller wrote.
 * "When specifying a resource in the IAM policy, the service prefix needs to match that of the resource."
 * https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
 */
export async function namedResource(arn: string, call: Call): Promise<readonly string[]> {
  const address = parsedArn(arn);
  if (!address || address.accountId !== call.accountId || address.region !== call.region) return [arn];
  if (address.type === "host") {
    const host = await findHost(call.db, address);
    return [host ? hostArn(host) : arn];
  }
  const connection = await findConnection(call.db, address);
  return [connection ? connectionArn(connection) : arn];
}
