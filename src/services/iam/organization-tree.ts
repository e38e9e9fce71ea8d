/**
 * The part of an organization that a report is about, read from Organizations with the caller's own rights: "you must have
 * the required IAM and Organizations permissions".
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#access_policies_last-accessed-permissions
 */
import {
  DescribeOrganizationCommand,
  DescribePolicyCommand,
  ListChildrenCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  ListTargetsForPolicyCommand,
  type Organization,
} from "@aws-sdk/client-organizations";
import type { Client } from "#gateway/client.ts";
import { invalidInput } from "./errors.ts";

export interface OrganizationEntity {
  /** From the root down to the entity itself. */
  readonly ids: readonly string[];
  readonly isManagementAccount: boolean;
  readonly accounts: readonly MemberAccount[];
}

export interface MemberAccount {
  readonly id: string;
  /** "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/444455556666" */
  readonly path: string;
}

const SCP = "SERVICE_CONTROL_POLICY";

/** The entity with its accounts, the management account only where it is the entity. Throws InvalidInput for a path that is none. */
export async function entityAt(client: Client, path: string): Promise<OrganizationEntity> {
  const [organizationId, ...ids] = path.replace(/\/$/, "").split("/") as [string, ...string[]];
  const Organization = await organizationOf(client);
  if (Organization?.Id !== organizationId) throw noEntity(path);
  const { Roots = [] } = await client.send(new ListRootsCommand({}));
  const root = Roots.find(({ Id }) => Id === ids[0]);
  if (!root) throw noEntity(path);
  if (!root.PolicyTypes?.some(({ Type, Status }) => Type === SCP && Status === "ENABLED")) {
    throw invalidInput("Service control policies are not enabled in the organization root.");
  }
  for (const [index, id] of ids.entries()) {
    if (index > 0 && (await parentOf(client, id)) !== ids[index - 1]) throw noEntity(path);
  }
  const management = Organization.MasterAccountId!;
  const entity = ids.at(-1)!;
  const place = [organizationId, ...ids].join("/");
  const accounts = /^\d{12}$/.test(entity)
    ? [{ id: entity, path: place }]
    : (await accountsUnder(client, entity, place)).filter(({ id }) => id !== management);
  return { ids, isManagementAccount: entity === management, accounts };
}

/** undefined where the caller's account is in none. */
export async function organizationOf(client: Client): Promise<Organization | undefined> {
  try {
    return (await client.send(new DescribeOrganizationCommand({}))).Organization;
  } catch (error) {
    if ((error as Error).name === "AWSOrganizationsNotInUseException") return undefined;
    throw error;
  }
}

function noEntity(path: string): Error {
  return invalidInput(`The entity path ${path} does not exist.`);
}

async function parentOf(client: Client, id: string): Promise<string | undefined> {
  try {
    return (await client.send(new ListParentsCommand({ ChildId: id }))).Parents?.[0]?.Id;
  } catch (error) {
    if (/^(ChildNotFound|InvalidInput)Exception$/.test((error as Error).name)) return undefined;
    throw error;
  }
}

async function accountsUnder(client: Client, parentId: string, path: string): Promise<MemberAccount[]> {
  const children = (ChildType: "ACCOUNT" | "ORGANIZATIONAL_UNIT") =>
    allPages(async (NextToken) => {
      const page = await client.send(new ListChildrenCommand({ ParentId: parentId, ChildType, NextToken }));
      return [page.Children?.map(({ Id }) => Id!) ?? [], page.NextToken];
    });
  const accounts = (await children("ACCOUNT")).map((id) => ({ id, path: `${path}/${id}` }));
  for (const unit of await children("ORGANIZATIONAL_UNIT")) {
    accounts.push(...(await accountsUnder(client, unit, `${path}/${unit}`)));
  }
  return accounts;
}

/** The documents of the service control policies that are attached to a root, unit or account. JSON texts. */
export async function attachedScps(client: Client, targetId: string): Promise<string[]> {
  const ids = await allPages(async (NextToken) => {
    const command = new ListPoliciesForTargetCommand({ TargetId: targetId, Filter: SCP, NextToken });
    const page = await client.send(command);
    return [page.Policies?.map(({ Id }) => Id!) ?? [], page.NextToken];
  });
  const documents: string[] = [];
  for (const id of ids) documents.push(await policyContent(client, id));
  return documents;
}

/** JSON. Throws InvalidInput for a policy that the organization does not have. */
export async function policyContent(client: Client, PolicyId: string): Promise<string> {
  try {
    return (await client.send(new DescribePolicyCommand({ PolicyId }))).Policy!.Content!;
  } catch (error) {
    if ((error as Error).name !== "PolicyNotFoundException") throw error;
    throw invalidInput(`The policy ${PolicyId} does not exist.`);
  }
}

/** The roots, units and accounts that the policy is attached to. */
export function targetsOf(client: Client, PolicyId: string): Promise<string[]> {
  return allPages(async (NextToken) => {
    const page = await client.send(new ListTargetsForPolicyCommand({ PolicyId, NextToken }));
    return [page.Targets?.map(({ TargetId }) => TargetId!) ?? [], page.NextToken];
  });
}

async function allPages<T>(
  next: (token: string | undefined) => Promise<[items: readonly T[], token: string | undefined]>,
): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const [items, following] = await next(token);
    all.push(...items);
    token = following;
  } while (token !== undefined);
  return all;
}
