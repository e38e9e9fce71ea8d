/**
 * `AWSServiceRoleForOrganizations`, which every account of an organization with all features has.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_integrate_services-using_slrs
 */
import { CreateServiceLinkedRoleCommand, GetRoleCommand } from "@aws-sdk/client-iam";
import { AccessDeniedError } from "#gateway/authorize.ts";
import { type Principal, rootPrincipal, type System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { dependencyDenied } from "./errors.ts";

interface Creator {
  readonly system: System;
  readonly db: Database;
  /** Who needs `iam:CreateServiceLinkedRole`, in whose account the role is made. */
  readonly principal: Principal;
}

/** Leaves alone the role that is there. Throws AccessDeniedForDependencyException. */
export async function ensureLinkedRole({ system, db, principal }: Creator): Promise<void> {
  const { accountId } = principal;
  const scope = { accountId, region: system.config.region, db };
  try {
    const found = new GetRoleCommand({ RoleName: "AWSServiceRoleForOrganizations" });
    await system.client(rootPrincipal(accountId), scope).send(found);
    return;
  } catch (error) {
    if ((error as Error).name !== "NoSuchEntityException") throw error;
  }
  try {
    const create = new CreateServiceLinkedRoleCommand({ AWSServiceName: "organizations.amazonaws.com" });
    await system.client(principal, scope).send(create);
  } catch (error) {
    throw error instanceof AccessDeniedError ? dependencyDenied() : error;
  }
}
