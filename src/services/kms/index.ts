/** KMS: keys, and what is encrypted under them. */
import * as sdk from "@aws-sdk/client-kms";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { registerKeyDeletion } from "./deletion.ts";
import { resourceTags } from "./key-access.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { keys as keysMigration } from "./migrations/0001-keys.ts";
import { rewriteKeyPolicies } from "./store.ts";

export const kms = defineService({
  name: "kms",
  sdk,
  Client: sdk.KMSClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "ValidationException" },
  migrations: [keysMigration],
  resourceTags,
  rewritePolicies: rewriteKeyPolicies,
  registerWork: registerKeyDeletion,
});
