/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-kms";
import type { OperationTable } from "#gateway/operation.ts";
import * as aliases from "./aliases.ts";
import * as cryptography from "./cryptography.ts";
import * as keyPolicies from "./key-policies.ts";
import * as keys from "./keys.ts";
import * as tags from "./tags.ts";

export const operations: OperationTable<typeof sdk> = {
  ...keys,
  ...aliases,
  ...cryptography,
  ...keyPolicies,
  ...tags,
};
