/** What tests of Organizations need again and again. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-organizations";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { until } from "#demo/until.ts";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import type { Service } from "#gateway/service.ts";
import { ACCOUNT, REGION, type TestSystem, type TestSystemOptions, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities, iam } from "../iam/index.ts";
import { sts } from "../sts/index.ts";
import { OrganizationMemberships, organizations } from "./index.ts";

interface Options extends Partial<Omit<TestSystemOptions, "services">> {
  /** Beside Organizations, IAM and STS. */
  readonly services?: readonly Service[];
}

/** With the real identities and organizations; `root` is the management account once there is an organization. */
export function organizationsSystem({ services = [], ...options }: Options = {}): Promise<TestSystem> {
  return testSystem({
    identities: (parts) => new IamIdentities(parts),
    organizations: (parts) => new OrganizationMemberships(parts),
    ...options,
    services: [organizations, iam, sts, ...services],
  });
}

/** An account's root, as one who signed in: with an access key. */
export function rootOf(system: TestSystem, accountId: string, region = REGION): Client {
  return system.client(rootPrincipal(accountId, accountId), { accountId, region });
}

export interface TestOrganization {
  readonly id: string;
  readonly rootId: string;
}

export async function anOrganization(
  system: TestSystem,
  FeatureSet: sdk.OrganizationFeatureSet = "ALL",
): Promise<TestOrganization> {
  const { Organization } = await system.root.send(new sdk.CreateOrganizationCommand({ FeatureSet }));
  const { Roots } = await system.root.send(new sdk.ListRootsCommand({}));
  return { id: Organization!.Id!, rootId: Roots![0]!.Id! };
}

export async function aUnit(system: TestSystem, parentId: string, name: string): Promise<string> {
  const command = new sdk.CreateOrganizationalUnitCommand({ ParentId: parentId, Name: name });
  return (await system.root.send(command)).OrganizationalUnit!.Id!;
}

/** A created account, ready; in the unit where one is given. */
export async function anAccount(system: TestSystem, name: string, parentId?: string): Promise<string> {
  const command = new sdk.CreateAccountCommand({ AccountName: name, Email: `${name}@example.com` });
  const { CreateAccountStatus } = await system.root.send(command);
  const status = await requestEnd(system, CreateAccountStatus!.Id!);
  assert.equal(status.State, "SUCCEEDED", JSON.stringify(status));
  const AccountId = status.AccountId!;
  if (parentId !== undefined) {
    const { Parents } = await system.root.send(new sdk.ListParentsCommand({ ChildId: AccountId }));
    const SourceParentId = Parents![0]!.Id!;
    await system.root.send(new sdk.MoveAccountCommand({ AccountId, SourceParentId, DestinationParentId: parentId }));
  }
  return AccountId;
}

/** The request when its work is done. */
export function requestEnd(system: TestSystem, CreateAccountRequestId: string): Promise<sdk.CreateAccountStatus> {
  const command = new sdk.DescribeCreateAccountStatusCommand({ CreateAccountRequestId });
  return until(
    async () => (await system.root.send(command)).CreateAccountStatus!,
    ({ State }) => State !== "IN_PROGRESS",
  );
}

/** The way people take: a user of the management account assumes the role that CreateAccount made. */
export async function signedIn(
  system: TestSystem,
  accountId: string,
  region = REGION,
  roleName = "OrganizationAccountAccessRole",
): Promise<Client> {
  const visitor = await aUser(system, `visitor-${randomUUID()}`, { Effect: "Allow", Action: "*", Resource: "*" });
  const { Credentials } = await visitor.send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${accountId}:role/${roleName}`,
      RoleSessionName: "visit",
    }),
  );
  const principal = await system.principalOf({
    AccessKeyId: Credentials!.AccessKeyId!,
    SessionToken: Credentials!.SessionToken!,
  });
  return system.client(principal, { accountId, region });
}

/** A user of the management account with one statement. */
export async function aUser(system: TestSystem, UserName: string, statement: object): Promise<Client> {
  await system.root.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = document(statement);
  await system.root.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
  const { AccessKey } = await system.root.send(new CreateAccessKeyCommand({ UserName }));
  const principal = await system.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! });
  return system.client(principal, { accountId: ACCOUNT, region: REGION });
}

export function document(...statements: object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

export async function aPolicy(
  system: TestSystem,
  name: string,
  content: string,
  Type: sdk.PolicyType = "SERVICE_CONTROL_POLICY",
): Promise<string> {
  const command = new sdk.CreatePolicyCommand({ Name: name, Description: name, Type, Content: content });
  return (await system.root.send(command)).Policy!.PolicySummary!.Id!;
}

export async function attach(system: TestSystem, PolicyId: string, TargetId: string): Promise<void> {
  await system.root.send(new sdk.AttachPolicyCommand({ PolicyId, TargetId }));
}

/** A new SCP on the target. */
export async function restrict(system: TestSystem, targetId: string, name: string, content: string): Promise<string> {
  const id = await aPolicy(system, name, content);
  await attach(system, id, targetId);
  return id;
}
