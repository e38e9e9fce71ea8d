/**
 * A user with one policy calls one operation: whether the condition lets them. The cases are in tests/scenarios/conditions/, a file a
 * service; `$Name` in an input is the value of that name in authorization-samples.ts.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import * as ecs from "@aws-sdk/client-ecs";
import * as iam from "@aws-sdk/client-iam";
import { AccessDeniedError } from "#gateway/authorize.ts";
import type { Client } from "#gateway/client.ts";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { filled, taggedResources } from "./authorization-samples.ts";
import { IamIdentities } from "./iam/index.ts";
import { aUser } from "./iam/testing.ts";
import { services } from "./services.ts";

interface ConditionCase {
  readonly title: string;
  readonly operation: string;
  readonly input: object;
  /** Allowed under the condition. */
  readonly action: string;
  readonly condition: object;
  /** Allowed without one. */
  readonly also?: readonly string[];
  readonly allowed: boolean;
}

const FOLDER = new URL("../../tests/scenarios/conditions/", import.meta.url);

describe("conditions on", () => {
  let system: TestSystem;
  let user: Client;
  let samples: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  before(async () => {
    system = await testSystem({ services, work: false, identities: (wired) => new IamIdentities(wired) });
    samples = await taggedResources(system);
    user = (await aUser(system, "caller")).client;
  });
  after(async () => {
    await system[Symbol.asyncDispose]();
  });

  for (const file of readdirSync(FOLDER)) {
    const name = file.replace(".json", "");
    const service = services.find((one) => one.name === name)!;
    const cases = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as ConditionCase[];
    describe(name, () => {
      for (const { title, operation, input, action, condition, also = [], allowed } of cases) {
        it(`${allowed ? "allow" : "deny"} ${operation} ${title}`.trim(), async () => {
          const statements = [
            { Effect: "Allow", Action: action, Resource: "*", Condition: condition },
            ...(also.length > 0 ? [{ Effect: "Allow", Action: also, Resource: "*" }] : []),
          ];
          const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
          await system.root.send(
            new iam.PutUserPolicyCommand({ UserName: "caller", PolicyName: "own", PolicyDocument }),
          );
          const command = { schema: [9, service.namespace, operation], input: filled(input, samples[name] ?? {}) };
          const failure = await user.send(command).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (allowed) assert.equal(failure, undefined);
          else assert.ok(failure instanceof AccessDeniedError, String(failure));
        });
      }
    });
  }
});

it("know what a service does with the caller's own rights", async () => {
  await using system = await testSystem({ services, work: false, identities: (wired) => new IamIdentities(wired) });
  const viaEcs = { Bool: { "aws:ViaAWSService": "true" }, StringEquals: { "aws:CalledViaLast": "ecs.amazonaws.com" } };
  const statements = [
    { Effect: "Allow", Action: "ecs:CreateCluster", Resource: "*" },
    { Effect: "Allow", Action: "iam:CreateServiceLinkedRole", Resource: "*", Condition: viaEcs },
  ];
  const document = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const { client } = await aUser(system, "caller", document);
  const direct = new iam.CreateServiceLinkedRoleCommand({ AWSServiceName: "ecs.amazonaws.com" });
  await assert.rejects(client.send(direct), AccessDeniedError);
  await client.send(new ecs.CreateClusterCommand({ clusterName: "first" }));
  const { Role } = await system.root.send(new iam.GetRoleCommand({ RoleName: "AWSServiceRoleForECS" }));
  assert.equal(Role?.Path, "/aws-service-role/ecs.amazonaws.com/");
});
