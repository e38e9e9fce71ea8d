/** IAM: users, groups, roles and policies, and the identities that the gateway asks about. */
import * as sdk from "@aws-sdk/client-iam";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { identities } from "./migrations/0001-identities.ts";
import * as attachments from "./operations/attachments.ts";
import * as inlinePolicies from "./operations/inline-policies.ts";
import * as roles from "./operations/roles.ts";

export { type AdministratorKey, ensureAdministrator } from "./administrator.ts";
export { IamIdentities } from "./identities.ts";

export const iam = defineService({
  name: "iam",
  sdk,
  Client: sdk.IAMClient,
  operations: { ...roles, ...inlinePolicies, ...attachments },
  limits: limits as Limits,
  validation: { code: "ValidationError" },
  migrations: [identities],
});
