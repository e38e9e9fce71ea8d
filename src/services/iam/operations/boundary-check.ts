import type { Database } from "#store/database.ts";
import { noSuchEntity, serviceRolePolicy } from "../errors.ts";
import { findAnyPolicy, isOfServiceRole } from "./policy-lookup.ts";

/** In the transaction that stores it, so that the policy is not deleted in between. Throws NoSuchEntity, or PolicyNotAttachable. */
export async function requireBoundary(trx: Database, accountId: string, arn: string | undefined): Promise<void> {
  if (arn === undefined) return;
  const policy = await findAnyPolicy(trx, accountId, arn);
  if (!policy) throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
  if (isOfServiceRole(policy)) throw serviceRolePolicy();
}
