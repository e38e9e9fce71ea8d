/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationTable } from "#gateway/operation.ts";
import * as accessKeys from "./access-keys.ts";
import * as account from "./account.ts";
import * as accountProperties from "./account-properties.ts";
import * as attachments from "./attachments.ts";
import * as authorizationDetails from "./authorization-details.ts";
import * as boundaries from "./boundaries.ts";
import * as contextKeys from "./context-keys.ts";
import * as credentialReport from "./credential-report.ts";
import * as delegationDecisions from "./delegation-decisions.ts";
import * as delegationRequests from "./delegation-requests.ts";
import * as groups from "./groups.ts";
import * as inlinePolicies from "./inline-policies.ts";
import * as instanceProfiles from "./instance-profiles.ts";
import * as lastAccessed from "./last-accessed.ts";
import * as loginProfiles from "./login-profiles.ts";
import * as mfaDevices from "./mfa-devices.ts";
import * as oidcProviders from "./oidc-providers.ts";
import * as organizationFeatures from "./organization-features.ts";
import * as organizationsAccess from "./organizations-access.ts";
import * as outboundFederation from "./outbound-federation.ts";
import * as passwordPolicy from "./password-policy.ts";
import * as policies from "./policies.ts";
import * as policiesGrantingAccess from "./policies-granting-access.ts";
import * as policyEntities from "./policy-entities.ts";
import * as policyVersions from "./policy-versions.ts";
import * as roleTemplates from "./role-templates.ts";
import * as roles from "./roles.ts";
import * as samlProviders from "./saml-providers.ts";
import * as serverCertificates from "./server-certificates.ts";
import * as serviceLinkedRoles from "./service-linked-roles.ts";
import * as serviceSpecificCredentials from "./service-specific-credentials.ts";
import * as signingCertificates from "./signing-certificates.ts";
import * as simulation from "./simulation.ts";
import * as sshPublicKeys from "./ssh-public-keys.ts";
import * as tags from "./tags.ts";
import * as users from "./users.ts";

export const operations: OperationTable<typeof sdk> = {
  ...accessKeys,
  ...account,
  ...accountProperties,
  ...attachments,
  ...authorizationDetails,
  ...boundaries,
  ...contextKeys,
  ...credentialReport,
  ...delegationDecisions,
  ...delegationRequests,
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
  ...roleTemplates,
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
};
