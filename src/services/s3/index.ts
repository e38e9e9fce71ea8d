/** Amazon S3: buckets, objects and their versions, multipart uploads. */
import * as sdk from "@aws-sdk/client-s3";
import { defineService } from "#gateway/service.ts";
import type { Limits, Violation } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { s3Tables } from "./migrations/0001-s3.ts";
import { registerSweep } from "./store/blob-uses.ts";
import { rewriteBucketPolicies } from "./store/buckets.ts";

export const s3 = defineService({
  name: "s3",
  sdk,
  Client: sdk.S3Client,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: withoutLocations(limits as Limits),
  // What is wrong inside a body makes the whole XML malformed; the rest came in headers and the query.
  validation: { code: (found) => (found.some(isInBody) ? "MalformedXML" : "InvalidArgument") },
  migrations: [s3Tables],
  rewritePolicies: rewriteBucketPolicies,
  registerWork: registerSweep,
});

function isInBody({ path }: Violation): boolean {
  return path.includes(".");
}

/** CreateBucket has words of its own for them, and the model's list grows with every new region. */
function withoutLocations({ CreateBucketConfiguration: _, ...others }: Limits): Limits {
  return others;
}
