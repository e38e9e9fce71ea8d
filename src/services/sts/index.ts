/** STS: temporary credentials. */
import * as sdk from "@aws-sdk/client-sts";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { issuerDocuments } from "./data-plane.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { tokenKeys } from "./migrations/0001-token-keys.ts";

export const sts = defineService({
  name: "sts",
  sdk,
  Client: sdk.STSClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "ValidationError" },
  migrations: [tokenKeys],
  dataPlanes: [issuerDocuments],
});
