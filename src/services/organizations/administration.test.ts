import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { type KyselyPlugin, sql } from "kysely";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal, type System } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import type { WorkHandler } from "#store/work.ts";
import { withChangeAfter } from "#tests/helpers/change-after.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { ACCOUNT_CREATION, registerAccountWork } from "./account-work.ts";
import {
  anAccount,
  anOrganization,
  aPolicy,
  attach,
  aUnit,
  organizationsSystem,
  type TestOrganization,
} from "./testing.ts";

interface Case {
  readonly name: string;
  /** What is read and what takes it away meanwhile. */
  prepare(
    system: TestSystem,
    organization: TestOrganization,
  ): Promise<{ read: (client: Client) => Promise<unknown>; takeAway: (client: Client) => Promise<unknown> }>;
}

const TAGS = JSON.stringify({ tags: { cost: { tag_key: { "@@assign": "cost" } } } });

async function aTagPolicy(system: TestSystem, { rootId }: TestOrganization, targetId: string) {
  await system.root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "TAG_POLICY" }));
  const PolicyId = await aPolicy(system, "tags", TAGS, "TAG_POLICY");
  await attach(system, PolicyId, targetId);
  const takeAway = async (client: Client) => {
    await client.send(new sdk.DetachPolicyCommand({ PolicyId, TargetId: targetId }));
    await client.send(new sdk.DeletePolicyCommand({ PolicyId }));
  };
  return { PolicyId, takeAway };
}

const CASES: readonly Case[] = [
  {
    name: "ListTargetsForPolicy",
    async prepare(system, organization) {
      const unit = await aUnit(system, organization.rootId, "Workloads");
      const { PolicyId } = await aTagPolicy(system, organization, unit);
      return {
        read: (client) => client.send(new sdk.ListTargetsForPolicyCommand({ PolicyId })),
        takeAway: (client) => client.send(new sdk.DeleteOrganizationalUnitCommand({ OrganizationalUnitId: unit })),
      };
    },
  },
  {
    name: "ListPoliciesForTarget",
    async prepare(system, organization) {
      const { takeAway } = await aTagPolicy(system, organization, organization.rootId);
      const command = new sdk.ListPoliciesForTargetCommand({ TargetId: organization.rootId, Filter: "TAG_POLICY" });
      return { read: (client) => client.send(command), takeAway };
    },
  },
  {
    name: "DescribeEffectivePolicy",
    async prepare(system, organization) {
      const { takeAway } = await aTagPolicy(system, organization, organization.rootId);
      const command = new sdk.DescribeEffectivePolicyCommand({ PolicyType: "TAG_POLICY" });
      return { read: (client) => client.send(command), takeAway };
    },
  },
  {
    name: "ListDelegatedAdministrators",
    async prepare(system) {
      const AccountId = await anAccount(system, "dev");
      const delegation = { AccountId, ServicePrincipal: "iam.amazonaws.com" };
      await system.root.send(new sdk.EnableAWSServiceAccessCommand(delegation));
      await system.root.send(new sdk.RegisterDelegatedAdministratorCommand(delegation));
      const fiveDays = 5 * 86_400_000;
      system.setNow(new Date(Date.now() + fiveDays));
      return {
        read: (client) => client.send(new sdk.ListDelegatedAdministratorsCommand({})),
        takeAway: async (client) => {
          await client.send(new sdk.DeregisterDelegatedAdministratorCommand(delegation));
          await client.send(new sdk.RemoveAccountFromOrganizationCommand({ AccountId }));
        },
      };
    },
  },
];

describe("what is read while somebody changes it is of one moment:", () => {
  for (const { name, prepare } of CASES) {
    it(name, async () => {
      for (let n = 1; ; n++) {
        await using system = await organizationsSystem();
        const { read, takeAway } = await prepare(system, await anOrganization(system));
        // At once, so that there is nothing between the parts of it.
        const change = () => inTransaction(system.db, (trx) => takeAway(system.root.within(trx)));
        const beside = withChangeAfter(system.db, n, change);
        const scope = { accountId: ACCOUNT, region: REGION, db: beside.db };
        const outcome = await read(system.client(rootPrincipal(ACCOUNT, ACCOUNT), scope)).catch((error) => error);
        const told = outcome instanceof Error ? outcome instanceof sdk.OrganizationsServiceException : true;
        assert.ok(told, `changed after ${n} queries: ${outcome}`);
        if (!beside.changed) {
          assert.ok(n > 2, "so few queries have nothing between them");
          break;
        }
        await beside.changed;
      }
    });
  }
});

/** Queries answer until there have been n; the next one fails, as all that follows a kill -9 does. */
function breakingOffAfter(db: Database, n: number) {
  let queries = 0;
  const broken = { brokeOff: false };
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      if (queries++ < n) return node;
      broken.brokeOff = true;
      throw new Error("broken off");
    },
    transformResult: async ({ result }) => result,
  };
  return Object.assign(broken, { db: db.withPlugin(plugin) });
}

/** Every row of Organizations, of IAM's roles and of work. */
async function everything(db: Database): Promise<string> {
  const tables = (await db.introspection.getTables()).map(({ name }) => name).sort();
  const kept = tables.filter((name) => /^(organizations|iam_|work)/.test(name));
  const rows: unknown[] = [];
  for (const table of kept) rows.push([table, (await sql`select * from ${sql.table(table)}`.execute(db)).rows]);
  return JSON.stringify(rows);
}

type Write = (client: Client, organization: TestOrganization, system: TestSystem) => Promise<unknown>;

const GUEST = "444455556666";
const guestOf = (system: TestSystem, db: Database) =>
  system.client(rootPrincipal(GUEST, GUEST), { accountId: GUEST, region: REGION, db });

const invitation = async (client: Client) => {
  const command = new sdk.InviteAccountToOrganizationCommand({ Target: { Type: "ACCOUNT", Id: GUEST } });
  return (await client.send(command)).Handshake!.Id!;
};

/** What writes several rows, and what must be there before. */
const WRITES: Readonly<Record<string, { features?: sdk.OrganizationFeatureSet; before?: Write; write: Write }>> = {
  CreateOrganization: {
    before: (client) => client.send(new sdk.DeleteOrganizationCommand({})),
    write: (client) => client.send(new sdk.CreateOrganizationCommand({})),
  },
  CreateAccount: {
    write: (client) => client.send(new sdk.CreateAccountCommand({ AccountName: "dev", Email: "dev@example.com" })),
  },
  "the work of CreateAccount": {
    before: (client) => client.send(new sdk.CreateAccountCommand({ AccountName: "dev", Email: "dev@example.com" })),
    async write({ scope }, _organization, system) {
      const [request] = (await system.root.send(new sdk.ListCreateAccountStatusCommand({}))).CreateAccountStatuses!;
      await workOf({ ...system, db: scope.db! })(request!.Id!);
    },
  },
  EnablePolicyType: {
    write: (client, { rootId }) =>
      client.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "RESOURCE_CONTROL_POLICY" })),
  },
  DisablePolicyType: {
    write: (client, { rootId }) =>
      client.send(new sdk.DisablePolicyTypeCommand({ RootId: rootId, PolicyType: "SERVICE_CONTROL_POLICY" })),
  },
  CreateOrganizationalUnit: {
    write: (client, { rootId }) =>
      client.send(new sdk.CreateOrganizationalUnitCommand({ ParentId: rootId, Name: "Workloads" })),
  },
  AcceptHandshake: {
    before: (client) => invitation(client),
    async write({ scope }, _organization, system) {
      const [sent] = (await system.root.send(new sdk.ListHandshakesForOrganizationCommand({}))).Handshakes!;
      await guestOf(system, scope.db!).send(new sdk.AcceptHandshakeCommand({ HandshakeId: sent!.Id! }));
    },
  },
  LeaveOrganization: {
    async before(client, _organization, system) {
      const HandshakeId = await invitation(client);
      await guestOf(system, system.db).send(new sdk.AcceptHandshakeCommand({ HandshakeId }));
    },
    write: ({ scope }, _organization, system) => guestOf(system, scope.db!).send(new sdk.LeaveOrganizationCommand({})),
  },
  EnableAllFeatures: {
    features: "CONSOLIDATED_BILLING",
    before: (client) => invitation(client),
    write: (client) => client.send(new sdk.EnableAllFeaturesCommand({})),
  },
  DeleteOrganization: {
    before: (client) => invitation(client),
    write: (client) => client.send(new sdk.DeleteOrganizationCommand({})),
  },
};

/** The handler of account creations, by the request's id. */
function workOf(system: System): (id: string) => Promise<unknown> {
  const handlers = new Map<string, WorkHandler>();
  const register = (kind: string, handler: WorkHandler) => handlers.set(kind, handler);
  registerAccountWork({ ...system, work: { register } as unknown as System["work"] });
  const item = (id: string) => ({ kind: ACCOUNT_CREATION, id, failures: 0 });
  return async (id) => handlers.get(ACCOUNT_CREATION)!(item(id), new AbortController().signal);
}

describe("what breaks off, wherever it does, leaves nothing half made:", () => {
  for (const [name, { features, before, write }] of Object.entries(WRITES)) {
    it(name, async () => {
      await using system = await organizationsSystem({ work: false });
      const organization = await anOrganization(system, features);
      await before?.(system.root, organization, system);
      const untouched = await everything(system.db);
      for (let n = 0; ; n++) {
        const broken = breakingOffAfter(system.db, n);
        const scope = { accountId: ACCOUNT, region: REGION, db: broken.db };
        const client = system.client(rootPrincipal(ACCOUNT, ACCOUNT), scope);
        const written = write(client, organization, system).then(
          () => undefined,
          (error: Error) => error,
        );
        const error = await written;
        if (!broken.brokeOff) {
          assert.ifError(error);
          assert.ok(n > 3, "so few queries have nothing between them");
          break;
        }
        assert.equal(await everything(system.db), untouched, `broken off after ${n} queries`);
      }
      assert.notEqual(await everything(system.db), untouched);
    });
  }
});
