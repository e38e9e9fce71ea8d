/** IAM: users, groups, roles and policies, and the identities that the gateway asks about. */
import * as sdk from "@aws-sdk/client-iam";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { identities } from "./migrations/0001-identities.ts";
import { credentials } from "./migrations/0002-credentials.ts";
import { insight } from "./migrations/0003-insight.ts";
import { providers } from "./migrations/0004-providers.ts";
import * as accessKeys from "./operations/access-keys.ts";
import * as account from "./operations/account.ts";
import * as attachments from "./operations/attachments.ts";
import * as authorizationDetails from "./operations/authorization-details.ts";
import * as boundaries from "./operations/boundaries.ts";
import * as contextKeys from "./operations/context-keys.ts";
import * as credentialReport from "./operations/credential-report.ts";
import * as groups from "./operations/groups.ts";
import * as inlinePolicies from "./operations/inline-policies.ts";
import * as instanceProfiles from "./operations/instance-profiles.ts";
import * as lastAccessed from "./operations/last-accessed.ts";
import * as loginProfiles from "./operations/login-profiles.ts";
import * as mfaDevices from "./operations/mfa-devices.ts";
import * as oidcProviders from "./operations/oidc-providers.ts";
import * as organizationFeatures from "./operations/organization-features.ts";
import * as organizationsAccess from "./operations/organizations-access.ts";
import * as outboundFederation from "./operations/outbound-federation.ts";
import * as passwordPolicy from "./operations/password-policy.ts";
import * as policies from "./operations/policies.ts";
import * as policiesGrantingAccess from "./operations/policies-granting-access.ts";
import * as policyEntities from "./operations/policy-entities.ts";
import * as policyVersions from "./operations/policy-versions.ts";
import * as roles from "./operations/roles.ts";
import * as samlProviders from "./operations/saml-providers.ts";
import * as serverCertificates from "./operations/server-certificates.ts";
import * as serviceLinkedRoles from "./operations/service-linked-roles.ts";
import * as serviceSpecificCredentials from "./operations/service-specific-credentials.ts";
import * as signingCertificates from "./operations/signing-certificates.ts";
import * as simulation from "./operations/simulation.ts";
import * as sshPublicKeys from "./operations/ssh-public-keys.ts";
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
    ...authorizationDetails,
    ...boundaries,
    ...contextKeys,
    ...credentialReport,
    ...groups,
    ...inlinePolicies,
    ...instanceProfiles,
    ...lastAccessed,
    ...loginProfiles,
    ...mfaDevices,
    ...oidcProviders,
    ...organizationFeatures,
    ...organizationsAccess,
    ...outboundFederation,
    ...passwordPolicy,
    ...policies,
    ...policiesGrantingAccess,
    ...policyEntities,
    ...policyVersions,
    ...roles,
    ...samlProviders,
    ...serverCertificates,
    ...serviceLinkedRoles,
    ...serviceSpecificCredentials,
    ...signingCertificates,
    ...sshPublicKeys,
    ...simulation,
    ...tags,
    ...users,
  },
  limits: limits as Limits,
  validation: { code: "ValidationError", message: validationSentence },
  migrations: [identities, credentials, insight, providers],
  resourceTags,
});
