/** An organization with one of everything that it may hold, under the management account that the client is for. */
import * as iam from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-organizations";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import type { Samples } from "./fixture.ts";

/** An account of the organization, without any rights to administer it. */
export function memberOf(accountId: string): string {
  return accountBeside(accountId, 1);
}

/** One that other fixtures do not have. */
function accountBeside(accountId: string, index: number): string {
  return `${accountId.slice(0, 8)}000${index}`;
}

/** Samples of what was made; `secrets` gets what nobody outside of the organization may be told. */
export async function organizationOf(
  system: TestSystem,
  client: Client,
  { name, mark }: { readonly name: string; readonly mark: string },
  secrets: string[],
): Promise<Samples> {
  const { accountId } = client.scope;
  const as = (id: string) => system.client(rootPrincipal(id), { accountId: id, region: REGION });
  const beside = (index: number) => accountBeside(accountId, index);
  const Tags = [{ Key: "owner", Value: mark }];
  const document = (Effect: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Sid: mark.replaceAll("-", ""), Effect, Action: "s3:DeleteBucket", Resource: "*" }],
    });
  const invited = async (sender: Client, Id: string) => {
    const command = new sdk.InviteAccountToOrganizationCommand({ Target: { Type: "ACCOUNT", Id }, Notes: mark, Tags });
    return (await sender.send(command)).Handshake!;
  };
  const joined = async (id: string) => {
    const { Id } = await invited(client, id);
    await as(id).send(new sdk.AcceptHandshakeCommand({ HandshakeId: Id! }));
    return id;
  };
  const unit = async (ParentId: string, Name: string) => {
    const command = new sdk.CreateOrganizationalUnitCommand({ ParentId, Name, Tags });
    return (await client.send(command)).OrganizationalUnit!.Id!;
  };
  const policy = async (Name: string) => {
    const Type = "SERVICE_CONTROL_POLICY";
    const command = new sdk.CreatePolicyCommand({ Name, Type, Description: mark, Content: document("Deny"), Tags });
    return (await client.send(command)).Policy!.PolicySummary!.Id!;
  };

  // Invited while it has no organization yet.
  const inviter = as(beside(4));
  for (const index of [4, 6]) await as(beside(index)).send(new sdk.CreateOrganizationCommand({}));
  const received = await invited(inviter, accountId);
  const { Organization } = await client.send(new sdk.CreateOrganizationCommand({}));
  const organizationId = Organization!.Id!;
  const rootId = (await client.send(new sdk.ListRootsCommand({}))).Roots![0]!.Id!;
  await client.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "TAG_POLICY" }));
  const unitId = await unit(rootId, name);
  const emptyUnitId = await unit(rootId, mark);
  const member = await joined(memberOf(accountId));
  const delegate = await joined(beside(2));
  const move = { AccountId: member, SourceParentId: rootId, DestinationParentId: unitId };
  await client.send(new sdk.MoveAccountCommand(move));
  await client.send(new sdk.TagResourceCommand({ ResourceId: member, Tags }));
  const { CreateAccountStatus } = await client.send(
    new sdk.CreateAccountCommand({ AccountName: mark, Email: `${mark}@example.com`, Tags }),
  );
  const sent = await invited(client, beside(3));

  const StartTimestamp = new Date("2100-01-01T00:00:00Z");
  const billed = { Type: "BILLING", SourceName: mark, Notes: mark, StartTimestamp, Tags } as const;
  const transferred = async (sender: Client, Id: string) => {
    const Target = { Type: "ACCOUNT", Id } as const;
    const command = new sdk.InviteOrganizationToTransferResponsibilityCommand({ ...billed, Target });
    const { Id: HandshakeId, Resources } = (await sender.send(command)).Handshake!;
    return { HandshakeId, Id: Resources!.find(({ Type }) => Type === "RESPONSIBILITY_TRANSFER")!.Value! };
  };
  const inbound = await transferred(client, beside(4));
  await inviter.send(new sdk.AcceptHandshakeCommand(inbound));
  const outbound = await transferred(as(beside(6)), accountId);

  const policyId = await policy(name);
  const freePolicyId = await policy(mark);
  await client.send(new sdk.AttachPolicyCommand({ PolicyId: policyId, TargetId: unitId }));
  const tagPolicy = JSON.stringify({ tags: { owner: { tag_key: { "@@assign": "owner" } } } });
  const { Policy: tagging } = await client.send(
    new sdk.CreatePolicyCommand({ Name: mark, Type: "TAG_POLICY", Description: mark, Content: tagPolicy }),
  );
  await client.send(new sdk.AttachPolicyCommand({ PolicyId: tagging!.PolicySummary!.Id!, TargetId: unitId }));
  for (const ServicePrincipal of ["iam.amazonaws.com", "access-analyzer.amazonaws.com"]) {
    await client.send(new sdk.EnableAWSServiceAccessCommand({ ServicePrincipal }));
  }
  const service = "iam.amazonaws.com";
  await client.send(new sdk.RegisterDelegatedAdministratorCommand({ AccountId: delegate, ServicePrincipal: service }));
  const delegation = (principal: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: mark.replaceAll("-", ""),
          Effect: "Allow",
          Principal: { AWS: principal },
          Action: "organizations:ListPolicies",
          Resource: "*",
        },
      ],
    });
  const { ResourcePolicy } = await client.send(
    new sdk.PutResourcePolicyCommand({ Content: delegation(delegate), Tags }),
  );
  const resourcePolicyId = ResourcePolicy!.ResourcePolicySummary!.Id!;

  // IAM's part of it
  await client.send(new iam.EnableOrganizationsRootCredentialsManagementCommand({}));
  await client.send(new iam.EnableOrganizationsRootSessionsCommand({}));
  const EntityPath = `${organizationId}/${rootId}/${unitId}/${member}`;
  const { JobId } = await client.send(new iam.GenerateOrganizationsAccessReportCommand({ EntityPath }));

  const requestId = CreateAccountStatus!.Id!;
  secrets.push(organizationId, rootId, unitId, emptyUnitId, policyId, freePolicyId, requestId, resourcePolicyId);
  secrets.push(sent.Id!, received.Id!, JobId!, inbound.Id, outbound.Id);
  const of = (samples: Samples) =>
    Object.fromEntries(Object.entries(samples).map(([key, values]) => [`organizations.${key}`, values]));
  return {
    ...of({
      AccountId: [member],
      AccountName: ["fixture-other"],
      Email: ["other@example.com"],
      ChildId: [member, unitId],
      ChildType: ["ACCOUNT", "ORGANIZATIONAL_UNIT"],
      ParentId: [rootId, unitId],
      SourceParentId: [unitId],
      DestinationParentId: [rootId, emptyUnitId],
      RootId: [rootId],
      OrganizationalUnitId: [unitId],
      "DeleteOrganizationalUnit.OrganizationalUnitId": [emptyUnitId],
      "CreateOrganizationalUnit.Name": ["fixture-other"],
      "UpdateOrganizationalUnit.Name": ["fixture-renamed"],
      PolicyId: [policyId, freePolicyId],
      "AttachPolicy.PolicyId": [freePolicyId],
      "DetachPolicy.PolicyId": [policyId],
      "DeletePolicy.PolicyId": [freePolicyId],
      "CreatePolicy.Name": ["fixture-other"],
      "UpdatePolicy.Name": ["fixture-renamed"],
      TargetId: [unitId, member, rootId],
      "DescribeEffectivePolicy.TargetId": [member],
      PolicyType: ["BACKUP_POLICY"],
      "DisablePolicyType.PolicyType": ["TAG_POLICY"],
      "DescribeEffectivePolicy.PolicyType": ["TAG_POLICY"],
      "ListAccountsWithInvalidEffectivePolicy.PolicyType": ["TAG_POLICY"],
      "ListEffectivePolicyValidationErrors.PolicyType": ["TAG_POLICY"],
      Type: ["BILLING"],
      "CreatePolicy.Type": ["SERVICE_CONTROL_POLICY"],
      Content: [document("Deny").replaceAll(mark.replaceAll("-", ""), "Any")],
      "PutResourcePolicy.Content": [delegation("*").replaceAll(mark.replaceAll("-", ""), "Any")],
      "PutResourcePolicy.Tags": [],
      ResourceId: [unitId, member, rootId, policyId, resourcePolicyId, inbound.Id],
      Id: [inbound.Id, outbound.Id],
      "TerminateResponsibilityTransfer.Id": [inbound.Id],
      "TerminateResponsibilityTransfer.EndTimestamp": [],
      Name: ["fixture-renamed"],
      SourceName: ["fixture-other"],
      StartTimestamp: [StartTimestamp],
      CreateAccountRequestId: [requestId],
      HandshakeId: [sent.Id, received.Id],
      "CancelHandshake.HandshakeId": [sent.Id],
      "AcceptHandshake.HandshakeId": [received.Id],
      "DeclineHandshake.HandshakeId": [received.Id],
      Target: [{ Type: "ACCOUNT", Id: beside(5) }],
      ServicePrincipal: [service],
      "RegisterDelegatedAdministrator.ServicePrincipal": ["access-analyzer.amazonaws.com"],
      "RegisterDelegatedAdministrator.AccountId": [member],
      "DeregisterDelegatedAdministrator.AccountId": [delegate],
      "ListDelegatedServicesForAccount.AccountId": [delegate],
      "ListPolicies.Filter": ["SERVICE_CONTROL_POLICY"],
      "ListPoliciesForTarget.Filter": ["SERVICE_CONTROL_POLICY"],
      RoleName: ["OrganizationAccountAccessRole"],
    }),
    EntityPath: [EntityPath, `${organizationId}/${rootId}`],
    OrganizationsPolicyId: [policyId],
    "iam.GetOrganizationsAccessReport.JobId": [JobId],
    "sts.TargetPrincipal": [member],
    "sts.TaskPolicyArn": [{ arn: "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials" }],
  };
}
