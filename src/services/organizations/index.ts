/** Organizations: several accounts under one, and the policies that restrict what is done in them. */
import * as sdk from "@aws-sdk/client-organizations";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { registerAccountWork } from "./account-work.ts";
import { invalidInput } from "./errors.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { organizations as organizationsMigration } from "./migrations/0001-organizations.ts";
import { transfers as transfersMigration } from "./migrations/0002-transfers.ts";
import { rewriteResourcePolicies } from "./store/organizations.ts";
import { resourceTags } from "./taggable.ts";
import { validation } from "./validation.ts";

export { OrganizationMemberships } from "./memberships.ts";

export const organizations = defineService({
  name: "organizations",
  sdk,
  Client: sdk.OrganizationsClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation,
  migrations: [organizationsMigration, transfersMigration],
  pageTokens: { member: "NextToken", refusal: () => invalidInput("INVALID_NEXT_TOKEN") },
  resourceTags,
  rewritePolicies: rewriteResourcePolicies,
  registerWork: registerAccountWork,
});
