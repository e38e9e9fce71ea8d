import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { anAccount, anOrganization, aUnit, aUser, organizationsSystem } from "../testing.ts";

describe("organizational units", () => {
  it("are made, renamed, described and deleted", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { id, rootId } = await anOrganization(system);
    const create = new sdk.CreateOrganizationalUnitCommand({
      ParentId: rootId,
      Name: "Workloads",
      Tags: [{ Key: "team", Value: "platform" }],
    });
    const { OrganizationalUnit: unit } = await root.send(create);
    const OrganizationalUnitId = unit!.Id!;
    assert.match(OrganizationalUnitId, new RegExp(`^ou-${rootId.slice(2)}-[a-z0-9]{8}$`));
    assert.deepEqual(unit, {
      Id: OrganizationalUnitId,
      Arn: `arn:aws:organizations::${ACCOUNT}:ou/${id}/${OrganizationalUnitId}`,
      Name: "Workloads",
      Path: `${id}/${rootId}/${OrganizationalUnitId}/`,
    });
    await assert.rejects(root.send(create), {
      name: "DuplicateOrganizationalUnitException",
      message: "An OU with the same name already exists.",
    });
    const tags = await root.send(new sdk.ListTagsForResourceCommand({ ResourceId: OrganizationalUnitId }));
    assert.deepEqual(tags.Tags, [{ Key: "team", Value: "platform" }]);

    await root.send(new sdk.UpdateOrganizationalUnitCommand({ OrganizationalUnitId, Name: "Products" }));
    const described = await root.send(new sdk.DescribeOrganizationalUnitCommand({ OrganizationalUnitId }));
    assert.equal(described.OrganizationalUnit!.Name, "Products");
    const inner = await aUnit(system, OrganizationalUnitId, "Sandbox");
    await assert.rejects(root.send(new sdk.DeleteOrganizationalUnitCommand({ OrganizationalUnitId })), {
      name: "OrganizationalUnitNotEmptyException",
    });
    await root.send(new sdk.DeleteOrganizationalUnitCommand({ OrganizationalUnitId: inner }));
    await root.send(new sdk.DeleteOrganizationalUnitCommand({ OrganizationalUnitId }));
    await assert.rejects(root.send(new sdk.DescribeOrganizationalUnitCommand({ OrganizationalUnitId })), {
      name: "OrganizationalUnitNotFoundException",
      message: "You specified an organizational unit that doesn't exist.",
    });
  });

  it("are made with tags by who may tag", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await anOrganization(system);
    const allowed = { Effect: "Allow", Action: "organizations:CreateOrganizationalUnit", Resource: "*" };
    const ana = await aUser(system, "ana", allowed);
    const create = (Name: string, Tags?: sdk.Tag[]) =>
      ana.send(new sdk.CreateOrganizationalUnitCommand({ ParentId: rootId, Name, ...(Tags && { Tags }) }));
    await create("plain");
    await assert.rejects(create("tagged", [{ Key: "a", Value: "b" }]), {
      name: "AccessDenied",
      message: /user\/ana is not authorized to perform: organizations:TagResource on resource: arn:aws:organizations::/,
    });
    const list = new sdk.ListOrganizationalUnitsForParentCommand({ ParentId: rootId });
    const { OrganizationalUnits } = await system.root.send(list);
    assert.deepEqual(
      OrganizationalUnits!.map(({ Name }) => Name),
      ["plain"],
    );
    const action = "organizations:ListOrganizationalUnitsForParent";
    const root = `arn:aws:organizations::${ACCOUNT}:root/${id}/${rootId}`;
    await assert.rejects(ana.send(list), {
      message: `User: arn:aws:iam::${ACCOUNT}:user/ana is not authorized to perform: ${action} on resource: ${root} because no identity-based policy allows the ${action} action`,
    });
  });

  it("nest five levels deep", async () => {
    await using system = await organizationsSystem();
    let parent = (await anOrganization(system)).rootId;
    for (const level of ["1", "2", "3", "4", "5"]) parent = await aUnit(system, parent, level);
    await assert.rejects(aUnit(system, parent, "6"), {
      name: "ConstraintViolationException",
      Reason: "OU_DEPTH_LIMIT_EXCEEDED",
    });
  });

  it("hold OUs and accounts, which know where they are", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { id, rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const inner = await aUnit(system, unit, "Dev");
    const account = await anAccount(system, "dev", inner);
    const children = async (ParentId: string, ChildType: sdk.ChildType) =>
      (await root.send(new sdk.ListChildrenCommand({ ParentId, ChildType }))).Children;
    assert.deepEqual(await children(rootId, "ACCOUNT"), [{ Id: ACCOUNT, Type: "ACCOUNT" }]);
    assert.deepEqual(await children(rootId, "ORGANIZATIONAL_UNIT"), [{ Id: unit, Type: "ORGANIZATIONAL_UNIT" }]);
    assert.deepEqual(await children(inner, "ACCOUNT"), [{ Id: account, Type: "ACCOUNT" }]);
    const parents = async (ChildId: string) => (await root.send(new sdk.ListParentsCommand({ ChildId }))).Parents;
    assert.deepEqual(await parents(account), [{ Id: inner, Type: "ORGANIZATIONAL_UNIT" }]);
    assert.deepEqual(await parents(unit), [{ Id: rootId, Type: "ROOT" }]);
    await assert.rejects(parents("123412341234"), { name: "ChildNotFoundException" });
    await assert.rejects(children("ou-abcd-abcdefgh", "ACCOUNT"), { name: "ParentNotFoundException" });
    const listed = await root.send(new sdk.ListAccountsForParentCommand({ ParentId: inner }));
    assert.deepEqual(
      listed.Accounts!.map(({ Paths }) => Paths),
      [[`${id}/${rootId}/${unit}/${inner}/${account}/`]],
    );
  });

  it("are listed by pages", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    const made = [];
    for (let index = 0; index < 5; index++) made.push(await aUnit(system, rootId, `unit ${index}`));
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await system.root.send(
        new sdk.ListOrganizationalUnitsForParentCommand({ ParentId: rootId, MaxResults: 2, NextToken }),
      );
      assert.ok(page.OrganizationalUnits!.length <= 2);
      seen.push(...page.OrganizationalUnits!.map(({ Id }) => Id!));
      // What goes away between two pages takes nothing else with it.
      if (seen.length === 2) {
        await system.root.send(new sdk.DeleteOrganizationalUnitCommand({ OrganizationalUnitId: seen[0]! }));
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    assert.deepEqual(seen, made.sort());
  });
});
