import type { Call } from "#gateway/context.ts";
import { noSuchEntity } from "../errors.ts";
import { findAnyPolicy } from "./policy-lookup.ts";

/** Throws NoSuchEntity where there is no such policy. */
export async function checkedBoundary(call: Call, arn: string | undefined): Promise<string | undefined> {
  if (arn === undefined) return undefined;
  const policy = await findAnyPolicy(call.db, call.accountId, arn);
  if (!policy) throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
  return arn;
}
