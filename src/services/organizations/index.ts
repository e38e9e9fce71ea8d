/** Organizations: several accounts under one, and the policies that restrict what is done in them. */
import * as sdk from "@aws-sdk/client-organizations";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { registerAccountWork } from "./account-work.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { organizations as organizationsMigration } from "./migrations/0001-organizations.ts";
import * as accountRequests from "./operations/account-requests.ts";
import * as accounts from "./operations/accounts.ts";
import * as handshakes from "./operations/handshakes.ts";
import * as organizationalUnits from "./operations/organizational-units.ts";
import * as operations from "./operations/organizations.ts";
import * as policies from "./operations/policies.ts";
import * as policyAttachments from "./operations/policy-attachments.ts";
import * as policyTypes from "./operations/policy-types.ts";
import * as resourcePolicy from "./operations/resource-policy.ts";
import * as serviceAccess from "./operations/service-access.ts";
import * as tags from "./operations/tags.ts";
import { resourceTags } from "./taggable.ts";
import { validation } from "./validation.ts";

export { OrganizationMemberships } from "./memberships.ts";

export const organizations = defineService({
  name: "organizations",
  sdk,
  Client: sdk.OrganizationsClient,
  operations: {
    ...accountRequests,
    ...accounts,
    ...handshakes,
    ...operations,
    ...organizationalUnits,
    ...policies,
    ...policyAttachments,
    ...policyTypes,
    ...resourcePolicy,
    ...serviceAccess,
    ...tags,
  },
  limits: limits as Limits,
  validation,
  migrations: [organizationsMigration],
  resourceTags,
  registerWork: registerAccountWork,
});
