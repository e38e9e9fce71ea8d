/** IAM: users, groups, roles and policies, and the identities that the gateway asks about. */
import * as sdk from "@aws-sdk/client-iam";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { identities } from "./migrations/0001-identities.ts";
import * as accessKeys from "./operations/access-keys.ts";
import * as account from "./operations/account.ts";
import * as attachments from "./operations/attachments.ts";
import * as boundaries from "./operations/boundaries.ts";
import * as groups from "./operations/groups.ts";
import * as inlinePolicies from "./operations/inline-policies.ts";
import * as instanceProfiles from "./operations/instance-profiles.ts";
import * as policies from "./operations/policies.ts";
import * as policyEntities from "./operations/policy-entities.ts";
import * as policyVersions from "./operations/policy-versions.ts";
import * as roles from "./operations/roles.ts";
import * as serviceLinkedRoles from "./operations/service-linked-roles.ts";
import * as simulation from "./operations/simulation.ts";
import * as tags from "./operations/tags.ts";
import * as users from "./operations/users.ts";
import { resourceTags } from "./resource-tags.ts";
import { validationSentence } from "./validation.ts";

export { type AdministratorKey, ensureAdministrator } from "./administrator.ts";
export { IamIdentities } from "./identities.ts";

export const iam = defineService({
  name: "iam",
  sdk,
  Client: sdk.IAMClient,
  operations: {
    ...accessKeys,
    ...account,
    ...attachments,
    ...boundaries,
    ...groups,
    ...inlinePolicies,
    ...instanceProfiles,
    ...policies,
    ...policyEntities,
    ...policyVersions,
    ...roles,
    ...serviceLinkedRoles,
    ...simulation,
    ...tags,
    ...users,
  },
  limits: limits as Limits,
  validation: { code: "ValidationError", message: validationSentence },
  migrations: [identities],
  resourceTags,
});
