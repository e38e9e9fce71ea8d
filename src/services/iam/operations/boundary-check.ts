import type { Database } from "#store/database.ts";
import { noSuchEntity } from "../errors.ts";
import { findAnyPolicy } from "./policy-lookup.ts";

/** In the transaction that stores it, so that the policy is not deleted in between. Throws NoSuchEntity where there is none. */
export async function requireBoundary(trx: Database, accountId: string, arn: string | undefined): Promise<void> {
  if (arn === undefined) return;
  const policy = await findAnyPolicy(trx, accountId, arn);
  if (!policy) throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
}
