/** IAM: users, groups, roles and policies, and the identities that the gateway asks about. */
import * as sdk from "@aws-sdk/client-iam";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { validationError } from "./errors.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { identities } from "./migrations/0001-identities.ts";
import { credentials } from "./migrations/0002-credentials.ts";
import { insight } from "./migrations/0003-insight.ts";
import { providers } from "./migrations/0004-providers.ts";
import { roleManager } from "./migrations/0005-role-manager.ts";
import { delegation } from "./migrations/0006-delegation.ts";
import { wrongMfaCodes } from "./migrations/0007-wrong-mfa-codes.ts";
import { delegationOwners } from "./migrations/0008-delegation-owners.ts";
import { resourceTags } from "./resource-tags.ts";
import { rewriteTrustPolicies } from "./store/entities.ts";
import { validationSentence } from "./validation.ts";

export { type AdministratorKey, ensureAdministrator } from "./administrator.ts";
export { IamIdentities } from "./identities.ts";

export const iam = defineService({
  name: "iam",
  sdk,
  Client: sdk.IAMClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "ValidationError", message: validationSentence },
  migrations: [identities, credentials, insight, providers, roleManager, delegation, wrongMfaCodes, delegationOwners],
  pageTokens: { member: "Marker", refusal: (marker) => validationError(`Invalid Marker: ${marker}`) },
  resourceTags,
  rewritePolicies: rewriteTrustPolicies,
});
