/** OUs, and what is where in the tree. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_ous.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, requireTagging, type Scope } from "../administration.ts";
import {
  childNotFound,
  constraintViolation,
  duplicateUnit,
  parentNotFound,
  unitNotEmpty,
  unitNotFound,
} from "../errors.ts";
import { Hierarchy } from "../hierarchy.ts";
import { newUnitId } from "../ids.ts";
import { attachAwsPolicies } from "../membership-changes.ts";
import { entityArn, toAccount, toUnit, type Unit } from "../model.ts";
import { pageOf } from "../paging.ts";
import { deleteAttachments } from "../store/policies.ts";
import { deleteUnit, insertUnit, updateUnit } from "../store/units.ts";
import { checkedTags, requestTags } from "../tag-rules.ts";

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
const MAX_DEPTH = 5;
const MAX_UNITS = 2_000;

const parentArn = ({ ParentId }: { ParentId: string | undefined }, { organization }: Scope) => [
  entityArn(organization, ParentId!),
];
const unitArn = ({ OrganizationalUnitId }: { OrganizationalUnitId: string | undefined }, { organization }: Scope) => [
  entityArn(organization, OrganizationalUnitId!),
];
const changesUnit = { callers: "management", writes: true, resources: unitArn } as const;

/** Throws ParentNotFoundException. */
async function treeWithParent({ db, organization }: Scope, parentId: string): Promise<Hierarchy> {
  const tree = await Hierarchy.of(db, organization);
  if (!tree.isParent(parentId)) throw parentNotFound();
  return tree;
}

/** Throws OrganizationalUnitNotFoundException. */
async function treeWithUnit({ db, organization }: Scope, id: string): Promise<{ tree: Hierarchy; unit: Unit }> {
  const tree = await Hierarchy.of(db, organization);
  const unit = tree.units.get(id);
  if (!unit) throw unitNotFound();
  return { tree, unit };
}

function requireFreeName(tree: Hierarchy, parentId: string, name: string): void {
  if (tree.unitsUnder(parentId).some((unit) => unit.name === name)) throw duplicateUnit();
}

export const CreateOrganizationalUnit = organizationOperation<sdk.CreateOrganizationalUnitCommand>({
  action: "CreateOrganizationalUnit",
  callers: "management",
  writes: true,
  resources: parentArn,
  context: ({ Tags }) => requestTags(Tags),
  async run(input, scope) {
    const { db, organization } = scope;
    const tags = checkedTags(input.Tags);
    const parentId = input.ParentId!;
    const tree = await treeWithParent(scope, parentId);
    requireFreeName(tree, parentId, input.Name!);
    // The lineage begins with the root, which is no level of OUs.
    if (tree.lineageOf(parentId).length > MAX_DEPTH) throw constraintViolation("OU_DEPTH_LIMIT_EXCEEDED");
    if (tree.units.size >= MAX_UNITS) throw constraintViolation("OU_NUMBER_LIMIT_EXCEEDED");
    const id = newUnitId(organization.rootId);
    const unit: Unit = { id, organizationId: organization.id, parentId, name: input.Name!, tags };
    await requireTagging(scope, entityArn(organization, id), input.Tags);
    await insertUnit(db, unit);
    await attachAwsPolicies(db, organization, [id]);
    return { OrganizationalUnit: toUnit(organization, unit, tree.pathOf(parentId)) };
  },
});

export const UpdateOrganizationalUnit = organizationOperation<sdk.UpdateOrganizationalUnitCommand>({
  action: "UpdateOrganizationalUnit",
  ...changesUnit,
  async run(input, scope) {
    const { tree, unit } = await treeWithUnit(scope, input.OrganizationalUnitId!);
    const renamed = { ...unit, name: input.Name ?? unit.name };
    if (renamed.name !== unit.name) requireFreeName(tree, unit.parentId, renamed.name);
    await updateUnit(scope.db, renamed);
    return { OrganizationalUnit: toUnit(scope.organization, renamed, tree.pathOf(unit.parentId)) };
  },
});

export const DeleteOrganizationalUnit = organizationOperation<sdk.DeleteOrganizationalUnitCommand>({
  action: "DeleteOrganizationalUnit",
  ...changesUnit,
  async run(input, scope) {
    const { tree, unit } = await treeWithUnit(scope, input.OrganizationalUnitId!);
    if (tree.unitsUnder(unit.id).length > 0 || tree.accountsUnder(unit.id).length > 0) throw unitNotEmpty();
    await deleteAttachments(scope.db, scope.organization.id, { targetId: unit.id });
    await deleteUnit(scope.db, unit.id);
    return {};
  },
});

export const DescribeOrganizationalUnit = organizationOperation<sdk.DescribeOrganizationalUnitCommand>({
  action: "DescribeOrganizationalUnit",
  callers: "readers",
  resources: unitArn,
  async run(input, scope) {
    const { tree, unit } = await treeWithUnit(scope, input.OrganizationalUnitId!);
    return { OrganizationalUnit: toUnit(scope.organization, unit, tree.pathOf(unit.parentId)) };
  },
});

export const ListOrganizationalUnitsForParent = organizationOperation<sdk.ListOrganizationalUnitsForParentCommand>({
  action: "ListOrganizationalUnitsForParent",
  callers: "readers",
  resources: parentArn,
  async run(input, scope) {
    const { items, path, ...rest } = await pageUnder(input, scope, (tree, parentId) => tree.unitsUnder(parentId));
    return { OrganizationalUnits: items.map((unit) => toUnit(scope.organization, unit, path)), ...rest };
  },
});

export const ListAccountsForParent = organizationOperation<sdk.ListAccountsForParentCommand>({
  action: "ListAccountsForParent",
  callers: "readers",
  resources: parentArn,
  async run(input, scope) {
    const { items, path, ...rest } = await pageUnder(input, scope, (tree, parentId) => tree.accountsUnder(parentId));
    return { Accounts: items.map((account) => toAccount(scope.organization, account, path)), ...rest };
  },
});

/** What is directly under a parent, and the parent's path. */
async function pageUnder<T extends { readonly id: string }>(
  input: Parameters<typeof pageOf>[0] & { readonly ParentId: string | undefined },
  scope: Scope,
  childrenOf: (tree: Hierarchy, parentId: string) => T[],
) {
  const parentId = input.ParentId!;
  const tree = await treeWithParent(scope, parentId);
  return { ...pageOf(input, childrenOf(tree, parentId), ({ id }) => id), path: tree.pathOf(parentId) };
}

export const ListChildren = organizationOperation<sdk.ListChildrenCommand>({
  action: "ListChildren",
  callers: "readers",
  resources: parentArn,
  async run(input, scope) {
    const tree = await treeWithParent(scope, input.ParentId!);
    const Type = input.ChildType!;
    const children = Type === "ACCOUNT" ? tree.accountsUnder(input.ParentId!) : tree.unitsUnder(input.ParentId!);
    const { items, ...rest } = pageOf(input, children, ({ id }) => id);
    return { Children: items.map(({ id }) => ({ Id: id, Type })), ...rest };
  },
});

/** "In the current release, a child can have only a single parent." */
export const ListParents = organizationOperation<sdk.ListParentsCommand>({
  action: "ListParents",
  callers: "readers",
  resources: ({ ChildId }, { organization }) => [entityArn(organization, ChildId!)],
  async run(input, { db, organization }) {
    const tree = await Hierarchy.of(db, organization);
    const parentId = tree.parentOf(input.ChildId!);
    if (parentId === undefined) throw childNotFound();
    const Type = parentId === organization.rootId ? ("ROOT" as const) : ("ORGANIZATIONAL_UNIT" as const);
    const { items, ...rest } = pageOf(input, [{ Id: parentId, Type }], ({ Id }) => Id);
    return { Parents: items, ...rest };
  },
});
