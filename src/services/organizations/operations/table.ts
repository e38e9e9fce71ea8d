/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-organizations";
import type { OperationTable } from "#gateway/operation.ts";
import * as accountRequests from "./account-requests.ts";
import * as accounts from "./accounts.ts";
import * as handshakes from "./handshakes.ts";
import * as organizationalUnits from "./organizational-units.ts";
import * as organizations from "./organizations.ts";
import * as policies from "./policies.ts";
import * as policyAttachments from "./policy-attachments.ts";
import * as policyTypes from "./policy-types.ts";
import * as resourcePolicy from "./resource-policy.ts";
import * as responsibilityTransfers from "./responsibility-transfers.ts";
import * as serviceAccess from "./service-access.ts";
import * as tags from "./tags.ts";

export const operations: OperationTable<typeof sdk> = {
  ...accountRequests,
  ...accounts,
  ...handshakes,
  ...organizations,
  ...organizationalUnits,
  ...policies,
  ...policyAttachments,
  ...policyTypes,
  ...resourcePolicy,
  ...responsibilityTransfers,
  ...serviceAccess,
  ...tags,
};
