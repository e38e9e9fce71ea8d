/** A second of what the fixture has one of, so that each list of it that comes in pages has two. */
import { generateKeyPairSync } from "node:crypto";
import * as iam from "@aws-sdk/client-iam";
import * as organizations from "@aws-sdk/client-organizations";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { newAuthority } from "#gateway/federation/testing.ts";
import { Authenticator } from "#services/iam/testing.ts";
import { REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { NAME } from "#tests/isolation/fixture/account.ts";
import type { Fixture } from "#tests/isolation/fixture/index.ts";

const SECOND = "fixture-second";

export async function more(system: TestSystem, client: Client, { accountId, samples }: Fixture): Promise<void> {
  const sample = (name: string) => samples[name]![0] as string;
  const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] };
  const inline = { PolicyName: SECOND, PolicyDocument: JSON.stringify(policy) };
  const managed = { PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" };
  const Tags = ["second", "third"].map((Key) => ({ Key, Value: "x" }));
  const [user, group, role] = [{ UserName: NAME }, { GroupName: NAME }, { RoleName: NAME }];

  await client.send(new iam.CreateUserCommand({ UserName: SECOND }));
  await client.send(new iam.AddUserToGroupCommand({ ...group, UserName: SECOND }));
  await client.send(new iam.CreateGroupCommand({ GroupName: SECOND }));
  await client.send(new iam.AddUserToGroupCommand({ ...user, GroupName: SECOND }));
  await client.send(new iam.PutUserPolicyCommand({ ...user, ...inline }));
  await client.send(new iam.PutGroupPolicyCommand({ ...group, ...inline }));
  await client.send(new iam.PutRolePolicyCommand({ ...role, ...inline }));
  await client.send(new iam.AttachUserPolicyCommand({ ...user, ...managed }));
  await client.send(new iam.AttachGroupPolicyCommand({ ...group, ...managed }));
  await client.send(new iam.AttachRolePolicyCommand({ ...role, ...managed }));
  await client.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: SECOND }));
  await client.send(new iam.AddRoleToInstanceProfileCommand({ ...role, InstanceProfileName: SECOND }));

  await client.send(new iam.TagUserCommand({ ...user, Tags }));
  await client.send(new iam.TagRoleCommand({ ...role, Tags }));
  await client.send(new iam.TagPolicyCommand({ PolicyArn: `arn:aws:iam::${accountId}:policy/${NAME}`, Tags }));
  await client.send(new iam.TagInstanceProfileCommand({ InstanceProfileName: NAME, Tags }));
  await client.send(new iam.TagMFADeviceCommand({ SerialNumber: sample("SerialNumber"), Tags }));
  await client.send(new iam.TagSAMLProviderCommand({ SAMLProviderArn: sample("SAMLProviderArn"), Tags }));
  const OpenIDConnectProviderArn = sample("OpenIDConnectProviderArn");
  await client.send(new iam.TagOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, Tags }));
  await client.send(new iam.TagServerCertificateCommand({ ServerCertificateName: NAME, Tags }));

  await client.send(new iam.CreateAccessKeyCommand(user));
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const SSHPublicKeyBody = publicKey.export({ type: "spki", format: "pem" }).toString();
  await client.send(new iam.UploadSSHPublicKeyCommand({ ...user, SSHPublicKeyBody }));
  const { certificatePem: CertificateBody } = await newAuthority();
  await client.send(new iam.UploadSigningCertificateCommand({ ...user, CertificateBody }));
  const ServiceName = "codecommit.amazonaws.com";
  await client.send(new iam.CreateServiceSpecificCredentialCommand({ ...user, ServiceName }));
  const created = await client.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: SECOND }));
  const device = new Authenticator(created.VirtualMFADevice!);
  const [AuthenticationCode1, AuthenticationCode2] = device.codes(system.clock.now(), -1, 2);
  const SerialNumber = device.serialNumber;
  const codes = { SerialNumber, AuthenticationCode1, AuthenticationCode2 };
  await client.send(new iam.EnableMFADeviceCommand({ ...user, ...codes }));

  const report = new iam.GenerateServiceLastAccessedDetailsCommand({
    Arn: `arn:aws:iam::${accountId}:policy/${NAME}`,
    Granularity: "SERVICE_LEVEL",
  });
  const { JobId } = await client.send(report);
  samples["iam.GetServiceLastAccessedDetailsWithEntities.JobId"] = [JobId];
  samples["iam.GetServiceLastAccessedDetailsWithEntities.ServiceNamespace"] = ["s3"];
  samples["iam.ActionNames"] = [["s3:GetObject", "s3:PutObject"]];
  await inOrganization(client, samples);
}

async function inOrganization(client: Client, samples: Fixture["samples"]): Promise<void> {
  const { accountId } = client.scope;
  const sample = (name: string) => samples[`organizations.${name}`]![0] as string;
  const email = { AccountName: SECOND, Email: `${SECOND}-${accountId}@example.com` };
  await client.send(new organizations.CreateAccountCommand(email));
  const delegate = sample("ListDelegatedServicesForAccount.AccountId");
  for (const [AccountId, ServicePrincipal] of [
    [delegate, "access-analyzer.amazonaws.com"],
    [sample("AccountId"), "iam.amazonaws.com"],
  ] as const) {
    await client.send(new organizations.RegisterDelegatedAdministratorCommand({ AccountId, ServicePrincipal }));
  }
  const [PolicyId, TargetId] = [sample("PolicyId"), sample("AccountId")];
  await client.send(new organizations.AttachPolicyCommand({ PolicyId, TargetId }));
}

/** Whoever is in an organization is not invited into another, so this comes before the fixture. */
export async function earlier(system: TestSystem, accountId: string): Promise<void> {
  const founderId = `${accountId.slice(0, 8)}0009`;
  const founder = system.client(rootPrincipal(founderId), { accountId: founderId, region: REGION });
  await founder.send(new organizations.CreateOrganizationCommand({}));
  const Target = { Type: "ACCOUNT", Id: accountId } as const;
  await founder.send(new organizations.InviteAccountToOrganizationCommand({ Target }));
}
