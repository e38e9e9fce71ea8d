import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import type { Membership } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { withChangeAfter } from "#tests/helpers/change-after.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { changing } from "./administration.ts";
import { OrganizationMemberships } from "./memberships.ts";
import { tables } from "./store/tables.ts";
import { anAccount, anOrganization, aUnit, document, organizationsSystem, restrict } from "./testing.ts";

const OUTSIDER = "999988887777";

describe("memberships", () => {
  it("are read once, those without an organization too", async () => {
    await using system = await organizationsSystem();
    const { organizations } = system;
    const { id, rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const account = await anAccount(system, "dev", unit);
    assert.equal(await organizations.membershipOf(OUTSIDER), undefined);
    const loaded = await organizations.membershipOf(account);
    // What is at hand is answered without a Promise, so without the database.
    assert.equal(organizations.membershipOf(OUTSIDER), undefined);
    const membership = organizations.membershipOf(account) as Membership;
    assert.equal(membership, loaded);
    assert.equal(membership.organizationId, id);
    assert.equal(membership.managementAccountId, ACCOUNT);
    assert.equal(membership.path, `${id}/${rootId}/${unit}/`);
    assert.deepEqual(
      membership.scps!.map(({ length }) => length),
      [1, 1, 1],
    );
    assert.equal(membership.rcps, undefined);
    const management = (await organizations.membershipOf(ACCOUNT))!;
    assert.equal(management.scps, undefined);
    assert.equal(management.path, `${id}/${rootId}/`);
  });

  it("are forgotten when the organization changes", async () => {
    await using system = await organizationsSystem();
    const { organizations } = system;
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const levels = async () => (await organizations.membershipOf(account))!.scps!.map(({ length }) => length);
    assert.deepEqual(await levels(), [1, 1]);
    await restrict(system, rootId, "guard", document({ Effect: "Deny", Action: "s3:*", Resource: "*" }));
    assert.deepEqual(await levels(), [2, 1]);
    await system.root.send(new sdk.DisablePolicyTypeCommand({ RootId: rootId, PolicyType: "SERVICE_CONTROL_POLICY" }));
    assert.equal((await organizations.membershipOf(account))!.scps, undefined);
  });

  it("inside a transaction count what it changed, and are not remembered", async () => {
    await using system = await organizationsSystem();
    const { organizations } = system;
    await assert.rejects(
      inTransaction(system.db, async (trx) => {
        await system.root.within(trx).send(new sdk.CreateOrganizationCommand({}));
        assert.notEqual(await organizations.membershipOf(ACCOUNT, trx), undefined);
        throw new Error("rolled back");
      }),
      /rolled back/,
    );
    assert.equal(await organizations.membershipOf(ACCOUNT), undefined);
  });

  it("inside a transaction count what it changed, whatever was known before", async () => {
    await using system = await organizationsSystem();
    const { organizations } = system;
    const { rootId } = await anOrganization(system);
    const accountId = await anAccount(system, "dev");
    const known = { scps: [1, 1], closed: false };
    const standing = async (db?: Database) => {
      const { scps } = (await organizations.membershipOf(accountId, db))!;
      return { scps: scps!.map(({ length }) => length), closed: await organizations.isClosed(accountId, db) };
    };
    const unit = await aUnit(system, rootId, "Workloads");
    await restrict(system, unit, "guard", document({ Effect: "Deny", Action: "s3:*", Resource: "*" }));
    assert.deepEqual(await standing(), known);
    await assert.rejects(
      changing({ db: system.db, system }, async (trx) => {
        const account = tables(trx).updateTable("organizations_accounts").where("account_id", "=", accountId);
        await account.set({ parent_id: unit }).execute();
        assert.deepEqual(await standing(trx), { scps: [1, 2, 1], closed: false });
        await account.set({ state: "CLOSED" }).execute();
        assert.deepEqual(await standing(trx), { scps: [1, 2, 1], closed: true });
        throw new Error("rolled back");
      }),
      /rolled back/,
    );
    assert.deepEqual(await standing(), known);
  });

  it("inside a transaction that changes no organization are what everybody knows", async () => {
    await using system = await organizationsSystem();
    const { organizations } = system;
    await anOrganization(system);
    const account = await anAccount(system, "dev");
    const known = await organizations.membershipOf(account);
    await inTransaction(system.db, async (trx) => {
      await system.root.within(trx).send(new sdk.ListRootsCommand({}));
      assert.equal(organizations.membershipOf(account, trx), known); // no Promise: it was not read
    });
  });

  it("are of one moment, whatever changes while they are read", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await anOrganization(system);
    const from = await aUnit(system, rootId, "Workloads");
    const account = await anAccount(system, "dev", from);
    const guard = await restrict(system, from, "guard", document({ Effect: "Deny", Action: "s3:*", Resource: "*" }));
    const before = { path: `${id}/${rootId}/${from}/`, scps: [1, 2, 1] };
    const after = { path: `${id}/${rootId}/`, scps: [1, 1] };
    const change = async () => {
      const move = { AccountId: account, SourceParentId: from, DestinationParentId: rootId };
      await system.root.send(new sdk.MoveAccountCommand(move));
      await system.root.send(new sdk.DetachPolicyCommand({ PolicyId: guard, TargetId: from }));
      await system.root.send(new sdk.DeletePolicyCommand({ PolicyId: guard }));
      await system.root.send(new sdk.DeleteOrganizationalUnitCommand({ OrganizationalUnitId: from }));
    };
    const beside = withChangeAfter(system.db, 1, change);
    const read = async () => {
      const memberships = new OrganizationMemberships({ db: beside.db, bus: system.bus });
      const { path, scps } = (await memberships.membershipOf(account))!;
      return { path, scps: scps!.map(({ length }) => length) };
    };
    assert.deepEqual(await read(), before);
    await beside.changed;
    assert.deepEqual(await read(), after);
  });
});
