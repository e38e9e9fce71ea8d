/** Centralized root access. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { Authorization, OperationOf } from "#gateway/operation.ts";
import { administeredOrganization } from "../organization.ts";
import { deleteFeature, listFeatures, type OrganizationFeature, putFeature } from "../store/organization-features.ts";

function action<I>(name: string): Authorization<I> {
  return { action: `iam:${name}`, resources: () => ["*"] };
}

async function enabled(call: Call, organizationId: string) {
  return { OrganizationId: organizationId, EnabledFeatures: await listFeatures(call.db, organizationId) };
}

async function enable(call: Call, feature: OrganizationFeature) {
  const organizationId = await administeredOrganization(call, true);
  await putFeature(call.db, organizationId, feature);
  return enabled(call, organizationId);
}

async function disable(call: Call, feature: OrganizationFeature) {
  const organizationId = await administeredOrganization(call, false);
  await deleteFeature(call.db, organizationId, feature);
  return enabled(call, organizationId);
}

export const EnableOrganizationsRootCredentialsManagement: OperationOf<sdk.EnableOrganizationsRootCredentialsManagementCommand> =
  {
    authorize: action("EnableOrganizationsRootCredentialsManagement"),
    run: (_input, call) => enable(call, "RootCredentialsManagement"),
  };

export const DisableOrganizationsRootCredentialsManagement: OperationOf<sdk.DisableOrganizationsRootCredentialsManagementCommand> =
  {
    authorize: action("DisableOrganizationsRootCredentialsManagement"),
    run: (_input, call) => disable(call, "RootCredentialsManagement"),
  };

export const EnableOrganizationsRootSessions: OperationOf<sdk.EnableOrganizationsRootSessionsCommand> = {
  authorize: action("EnableOrganizationsRootSessions"),
  run: (_input, call) => enable(call, "RootSessions"),
};

export const DisableOrganizationsRootSessions: OperationOf<sdk.DisableOrganizationsRootSessionsCommand> = {
  authorize: action("DisableOrganizationsRootSessions"),
  run: (_input, call) => disable(call, "RootSessions"),
};

export const ListOrganizationsFeatures: OperationOf<sdk.ListOrganizationsFeaturesCommand> = {
  authorize: action("ListOrganizationsFeatures"),
  run: async (_input, call) => enabled(call, await administeredOrganization(call, false)),
};
