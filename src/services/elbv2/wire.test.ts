import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { rootPrincipal } from "#gateway/context.ts";
import { aServer } from "#gateway/edge-testing.ts";
import { requestHandler } from "#gateway/handle.ts";
import { ACCOUNT, REGION, testSystem } from "../../../tests/helpers/test-system.ts";
import { elbv2 } from "./index.ts";
import { SUBNETS } from "./testing.ts";

test("AWS's own client creates, describes, and reads errors", async (t) => {
  const secretAccessKey = "secret";
  await using system = await testSystem({
    services: [elbv2],
    work: false,
    identities: () => ({
      authenticate: async () => ({ secretAccessKey, principal: rootPrincipal(ACCOUNT) }),
      policiesOf: async () => ({ identity: [] }),
    }),
  });
  const port = await aServer(t, createServer(requestHandler(system, system.registry)));
  const client = new sdk.ElasticLoadBalancingV2Client({
    region: REGION,
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey },
  });
  t.after(() => client.destroy());

  const created = await client.send(new sdk.CreateLoadBalancerCommand({ Name: "web", Subnets: SUBNETS }));
  const LoadBalancerArn = created.LoadBalancers![0]!.LoadBalancerArn!;
  assert.ok(created.LoadBalancers![0]!.CreatedTime instanceof Date);
  const DefaultActions: sdk.Action[] = [
    {
      Type: "fixed-response",
      FixedResponseConfig: { StatusCode: "200", MessageBody: "a & b", ContentType: "text/plain" },
    },
  ];
  const listener = { LoadBalancerArn, Protocol: "HTTP", Port: 80, DefaultActions } as const;
  await client.send(new sdk.CreateListenerCommand(listener));
  const { Listeners } = await client.send(new sdk.DescribeListenersCommand({ LoadBalancerArn }));
  assert.deepEqual(Listeners![0]!.DefaultActions, DefaultActions);

  await assert.rejects(client.send(new sdk.CreateListenerCommand(listener)), sdk.DuplicateListenerException);
  await assert.rejects(client.send(new sdk.DescribeLoadBalancersCommand({ Names: ["nope"] })), (error) => {
    assert.ok(error instanceof sdk.LoadBalancerNotFoundException);
    assert.equal(error.message, "Load balancers '[nope]' not found");
    return true;
  });
  await assert.rejects(client.send(new sdk.DescribeLoadBalancersCommand({ PageSize: 0 })), { name: "ValidationError" });
});
