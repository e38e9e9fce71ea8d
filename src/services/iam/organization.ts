/** What IAM asks Organizations about the organization of the caller's account. */
import {
  ListAWSServiceAccessForOrganizationCommand,
  ListDelegatedAdministratorsCommand,
} from "@aws-sdk/client-organizations";
import type { Client } from "#gateway/client.ts";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import {
  callerIsNotManagementAccount,
  notManagementOrDelegatedAdministrator,
  organizationNotFound,
  organizationNotInAllFeaturesMode,
  serviceAccessNotEnabled,
} from "./errors.ts";
import { organizationOf } from "./organization-tree.ts";

const IAM = "iam.amazonaws.com";

/** IAM itself asks, as the account that is named. */
function asAccount(call: Call, accountId: string): Client {
  return call.system.client(rootPrincipal(accountId), { accountId, region: call.region });
}

/**
 * The id of the caller's organization. Throws OrganizationNotFound, OrganizationNotInAllFeaturesMode,
 * AccountNotManagementOrDelegatedAdministrator or ServiceAccessNotEnabled; with `managementOnly` also
 * CallerIsNotManagementAccount, for the delegated administrator.
 */
export async function administeredOrganization(call: Call, managementOnly: boolean): Promise<string> {
  const organization = await organizationOf(asAccount(call, call.accountId));
  if (!organization) throw organizationNotFound();
  const management = asAccount(call, organization.MasterAccountId!);
  if (call.accountId !== organization.MasterAccountId) {
    if (!(await isDelegatedAdministrator(management, call.accountId))) throw notManagementOrDelegatedAdministrator();
    if (managementOnly) throw callerIsNotManagementAccount();
  }
  if (organization.FeatureSet !== "ALL") throw organizationNotInAllFeaturesMode();
  if (!(await isTrusted(management))) throw serviceAccessNotEnabled();
  return organization.Id!;
}

async function isDelegatedAdministrator(management: Client, accountId: string): Promise<boolean> {
  let NextToken: string | undefined;
  do {
    const page = await management.send(new ListDelegatedAdministratorsCommand({ ServicePrincipal: IAM, NextToken }));
    if (page.DelegatedAdministrators?.some(({ Id }) => Id === accountId)) return true;
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return false;
}

async function isTrusted(management: Client): Promise<boolean> {
  let NextToken: string | undefined;
  do {
    const page = await management.send(new ListAWSServiceAccessForOrganizationCommand({ NextToken }));
    if (page.EnabledServicePrincipals?.some(({ ServicePrincipal }) => ServicePrincipal === IAM)) return true;
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return false;
}
