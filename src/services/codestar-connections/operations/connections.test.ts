import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CreateConnectionCommand,
  CreateHostCommand,
  DeleteConnectionCommand,
  DeleteHostCommand,
  GetConnectionCommand,
  GetHostCommand,
  ListConnectionsCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateHostCommand,
} from "@aws-sdk/client-codestar-connections";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal, servicePrincipal } from "#gateway/context.ts";
import { execute } from "#gateway/execute.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { codeconnections } from "../../codeconnections/index.ts";
import { codestarConnections } from "../index.ts";

const services = [codestarConnections, codeconnections];
const NONE = `arn:aws:codestar-connections:${REGION}:${ACCOUNT}:connection/00000000-0000-0000-0000-000000000000`;

function aSystem(providerEndpoints: Record<string, string> = {}): Promise<TestSystem> {
  return testSystem({ services, work: false, config: { providerEndpoints } });
}

async function aConnection(system: TestSystem, name = "cruddur"): Promise<string> {
  const command = new CreateConnectionCommand({ ConnectionName: name, ProviderType: "GitHub" });
  return (await system.root.send(command)).ConnectionArn!;
}

const otherPrefix = (arn: string) => arn.replace(":codestar-connections:", ":codeconnections:");

describe("connections", () => {
  it("are available where the provider has an endpoint, and pending where it has none", async () => {
    await using offline = await aSystem({ github: "/srv/git" });
    const ConnectionArn = await aConnection(offline);
    assert.match(
      ConnectionArn,
      new RegExp(`^arn:aws:codestar-connections:${REGION}:${ACCOUNT}:connection/[0-9a-f-]{36}$`),
    );
    const { Connection } = await offline.root.send(new GetConnectionCommand({ ConnectionArn }));
    assert.deepEqual(Connection, {
      ConnectionName: "cruddur",
      ConnectionArn,
      ProviderType: "GitHub",
      OwnerAccountId: ACCOUNT,
      ConnectionStatus: "AVAILABLE",
      HostArn: undefined,
    });
    await using bare = await aSystem();
    const pending = await bare.root.send(new GetConnectionCommand({ ConnectionArn: await aConnection(bare) }));
    assert.equal(pending.Connection?.ConnectionStatus, "PENDING");
  });

  it("have two names: an ARN of either prefix names the same connection", async () => {
    await using system = await aSystem();
    const arn = await aConnection(system);
    const { Connection } = await system.root.send(new GetConnectionCommand({ ConnectionArn: otherPrefix(arn) }));
    assert.equal(Connection?.ConnectionArn, arn);

    const call = {
      system,
      db: system.db,
      principal: rootPrincipal(ACCOUNT),
      accountId: ACCOUNT,
      region: REGION,
      requestId: "1",
      now: new Date(),
      sourceIp: "127.0.0.1",
      secureTransport: true,
      userAgent: "test",
    };
    const model = codeconnections.operations.get("CreateConnection")!;
    const input = { ConnectionName: "new", ProviderType: "GitHub" };
    const made = (await execute(codeconnections, model, input, call)) as { ConnectionArn: string };
    assert.match(made.ConnectionArn, /^arn:aws:codeconnections:/);
    const listed = await system.root.send(new ListConnectionsCommand({}));
    assert.deepEqual(
      new Set(listed.Connections?.map((item) => item.ConnectionArn)),
      new Set([arn, made.ConnectionArn]),
    );
  });

  it("are asked about in policies by the ARN that they were made with", async () => {
    await using system = await aSystem();
    const arn = await aConnection(system);
    const user: Principal = { ...rootPrincipal(ACCOUNT), type: "User", arn: `arn:aws:iam::${ACCOUNT}:user/a` };
    const statement = { Effect: "Allow", Action: "codestar-connections:GetConnection", Resource: arn };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: statement });
    system.policies.set(user.arn, [compilePolicy(parsePolicy(policy, "identity"))]);
    const client = system.client(user, { accountId: ACCOUNT, region: REGION });
    await client.send(new GetConnectionCommand({ ConnectionArn: arn }));
    await client.send(new GetConnectionCommand({ ConnectionArn: otherPrefix(arn) }));
    await assert.rejects(client.send(new DeleteConnectionCommand({ ConnectionArn: arn })), { name: "AccessDenied" });
  });

  it("are read by the services of their own account only", async () => {
    await using system = await aSystem();
    const arn = await aConnection(system);
    const as = (service: string, account: string) =>
      system.client(servicePrincipal(service, account), { accountId: ACCOUNT, region: REGION });
    await as("codepipeline.amazonaws.com", ACCOUNT).send(new GetConnectionCommand({ ConnectionArn: arn }));
    for (const client of [as("codepipeline.amazonaws.com", "999999999999"), as("ecs.amazonaws.com", ACCOUNT)]) {
      await assert.rejects(client.send(new GetConnectionCommand({ ConnectionArn: arn })), { name: "AccessDenied" });
    }
  });

  it("are listed page by page", async () => {
    await using system = await aSystem();
    const made = new Set<string>();
    for (const name of ["a", "b", "c"]) made.add(await aConnection(system, name));
    const first = await system.root.send(new ListConnectionsCommand({ MaxResults: 2, ProviderTypeFilter: "GitHub" }));
    assert.equal(first.Connections?.length, 2);
    const second = await system.root.send(new ListConnectionsCommand({ MaxResults: 2, NextToken: first.NextToken }));
    assert.equal(second.NextToken, undefined);
    const all = [...first.Connections!, ...second.Connections!].map(({ ConnectionArn }) => ConnectionArn!);
    assert.deepEqual(new Set(all), made);
    assert.equal(
      (await system.root.send(new ListConnectionsCommand({ ProviderTypeFilter: "GitLab" }))).Connections?.length,
      0,
    );
    await assert.rejects(system.root.send(new ListConnectionsCommand({ NextToken: "x" })), {
      name: "ValidationException",
    });
  });

  it("are gone when deleted, and unknown in other accounts and regions", async () => {
    await using system = await aSystem();
    const arn = await aConnection(system);
    const elsewhere = system.client(rootPrincipal("444455556666"), { accountId: "444455556666", region: REGION });
    await assert.rejects(elsewhere.send(new GetConnectionCommand({ ConnectionArn: arn })));
    const get = new GetConnectionCommand({ ConnectionArn: arn.replace(REGION, "eu-west-1") });
    await assert.rejects(system.root.send(get), { name: "ResourceNotFoundException" });
    await system.root.send(new DeleteConnectionCommand({ ConnectionArn: arn }));
    for (const missing of [arn, NONE]) {
      const command = new DeleteConnectionCommand({ ConnectionArn: missing });
      await assert.rejects(system.root.send(command), { name: "ResourceNotFoundException" });
    }
  });

  it("refuse bad input", async () => {
    await using system = await aSystem();
    const bad: [object, string][] = [
      [{ ConnectionName: "x".repeat(33), ProviderType: "GitHub" }, "ValidationException"],
      [{ ConnectionName: "x", ProviderType: "CVS" }, "ValidationException"],
      [{ ConnectionName: "x" }, "ValidationException"],
      [{ ConnectionName: "x", ProviderType: "GitHubEnterpriseServer" }, "ValidationException"],
      [{ ProviderType: "GitHub" }, "ValidationException"],
      [
        { ConnectionName: "x", HostArn: `arn:aws:codestar-connections:${REGION}:${ACCOUNT}:host/x-1` },
        "ResourceNotFoundException",
      ],
      [{ ConnectionName: "x", ProviderType: "GitHub", Tags: [{ Key: "aws:x", Value: "" }] }, "ValidationException"],
    ];
    for (const [input, name] of bad) {
      const command = new CreateConnectionCommand(input as never);
      await assert.rejects(system.root.send(command), { name }, JSON.stringify(input));
    }
  });

  it("carry tags", async () => {
    await using system = await aSystem();
    const ResourceArn = await aConnection(system);
    const tags = async () => (await system.root.send(new ListTagsForResourceCommand({ ResourceArn }))).Tags;
    await system.root.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: "team", Value: "a" }] }));
    await system.root.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: "team", Value: "b" }] }));
    assert.deepEqual(await tags(), [{ Key: "team", Value: "b" }]);
    await system.root.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["team"] }));
    assert.deepEqual(await tags(), []);
    const missing = new ListTagsForResourceCommand({ ResourceArn: NONE });
    await assert.rejects(system.root.send(missing), { name: "ResourceNotFoundException" });
  });
});

describe("hosts", () => {
  it("serve connections and stay while they are used", async () => {
    await using system = await aSystem();
    const { HostArn } = await system.root.send(
      new CreateHostCommand({
        Name: "ghe",
        ProviderType: "GitHubEnterpriseServer",
        ProviderEndpoint: "https://ghe.example",
      }),
    );
    const connection = await system.root.send(new CreateConnectionCommand({ ConnectionName: "c", HostArn }));
    const get = await system.root.send(new GetConnectionCommand({ ConnectionArn: connection.ConnectionArn }));
    assert.equal(get.Connection?.ProviderType, "GitHubEnterpriseServer");
    await system.root.send(new UpdateHostCommand({ HostArn, ProviderEndpoint: "https://new.example" }));
    const host = await system.root.send(new GetHostCommand({ HostArn }));
    assert.deepEqual([host.Name, host.ProviderEndpoint, host.Status], ["ghe", "https://new.example", "PENDING"]);
    const remove = () => system.root.send(new DeleteHostCommand({ HostArn }));
    await assert.rejects(remove(), { name: "ResourceUnavailableException" });
    await system.root.send(new DeleteConnectionCommand({ ConnectionArn: connection.ConnectionArn }));
    await remove();
    await assert.rejects(system.root.send(new GetHostCommand({ HostArn })), { name: "ResourceNotFoundException" });
  });

  it("are for self-managed providers", async () => {
    await using system = await aSystem();
    const command = new CreateHostCommand({ Name: "h", ProviderType: "GitHub", ProviderEndpoint: "https://x" });
    await assert.rejects(system.root.send(command), { name: "ValidationException" });
  });
});
