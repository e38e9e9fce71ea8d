/** Amazon ECR: repositories with their images, and the registry that `docker push` and `docker pull` talk to. */

import * as sdk from "@aws-sdk/client-ecr";
import { defineService, type Service } from "#gateway/service.ts";
import { resourceTags } from "./authorization.ts";
import { OciDataPlane } from "./data-plane.ts";
import { registryTables } from "./migrations/0001-registry.ts";
import { registerWork } from "./runner.ts";
import { rewriteRepositoryPolicies } from "./store.ts";
import { limits, validation } from "./validation.ts";

export const ecr: Service = defineService({
  name: "ecr",
  sdk,
  Client: sdk.ECRClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits,
  validation,
  migrations: [registryTables],
  // The registry's requests are recorded as the service's own, which exists only once this table is complete.
  dataPlanes: [new OciDataPlane(() => ecr)],
  resourceTags,
  rewritePolicies: rewriteRepositoryPolicies,
  registerWork,
});
