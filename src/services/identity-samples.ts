/** As authorization-samples.ts: what IAM, Organizations and STS are asked about, and proofs of federated users. */
import type { webcrypto } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as iam from "@aws-sdk/client-iam";
import * as organizations from "@aws-sdk/client-organizations";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { newAuthority, samlIssuer, samlMetadata, signedSaml } from "#gateway/federation/testing.ts";
import { newLeaf } from "#gateway/tls-certificates.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { policy, trust } from "./iam/testing.ts";
import { anOrganization, document, rootOf } from "./organizations/testing.ts";
import { IssuerKeys, useIssuerKeys } from "./sts/web-identity/issuer-keys.ts";

export type Samples = Readonly<Record<string, unknown>>;

export const NAME = "sample";
export const Tags = [{ Key: "team", Value: "red" }];

const TEMPLATE = `arn:aws:iam:::delegation-template/${NAME}`;
const TOPIC = `arn:aws:sns:us-east-1:${ACCOUNT}:${NAME}`;
const ISSUER = "token.actions.githubusercontent.com";
const idp = await samlIssuer();

export async function iamResources(system: TestSystem): Promise<Samples> {
  const { root } = system;
  const { Policy } = await root.send(
    new iam.CreatePolicyCommand({ PolicyName: NAME, PolicyDocument: policy("Allow", "s3:*"), Tags }),
  );
  const bounded = { PermissionsBoundary: Policy!.Arn!, Tags };
  const trusted = trust("codebuild.amazonaws.com").replace(
    `"codebuild.amazonaws.com"`,
    `["codebuild.amazonaws.com","codepipeline.amazonaws.com"]`,
  );
  await root.send(new iam.CreateUserCommand({ UserName: NAME, ...bounded }));
  const { AccessKey } = await root.send(new iam.CreateAccessKeyCommand({ UserName: NAME }));
  const { Role } = await root.send(
    new iam.CreateRoleCommand({ RoleName: NAME, AssumeRolePolicyDocument: trusted, ...bounded }),
  );
  const account = trust(`arn:aws:iam::${ACCOUNT}:root`);
  const assumable = await root.send(
    new iam.CreateRoleCommand({ RoleName: "assumable", AssumeRolePolicyDocument: account }),
  );
  await root.send(new iam.CreateGroupCommand({ GroupName: NAME }));
  await root.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: NAME, Tags }));
  const device = await root.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: NAME, Tags }));
  const credential = new iam.CreateServiceSpecificCredentialCommand({
    UserName: NAME,
    ServiceName: "codecommit.amazonaws.com",
  });
  const { ServiceSpecificCredential } = await root.send(credential);
  const certificate = await newLeaf("example.test", await newAuthority());
  await root.send(
    new iam.UploadServerCertificateCommand({
      ServerCertificateName: NAME,
      CertificateBody: certificate.certificatePem,
      PrivateKey: certificate.privateKeyPem,
      Tags,
    }),
  );
  const oidc = { Url: `https://${ISSUER}`, ClientIDList: [NAME], ThumbprintList: ["0".repeat(40)], Tags };
  const { OpenIDConnectProviderArn } = await root.send(new iam.CreateOpenIDConnectProviderCommand(oidc));
  const saml = { Name: NAME, SAMLMetadataDocument: samlMetadata(idp), Tags };
  const { SAMLProviderArn } = await root.send(new iam.CreateSAMLProviderCommand(saml));
  const DelegationRequestId = await delegationRequest(system);
  return {
    DelegationRequestId,
    EntityArn: `arn:aws:iam::${ACCOUNT}:delegation-request/${DelegationRequestId}`,
    Arn: Role!.Arn,
    SerialNumber: device.VirtualMFADevice!.SerialNumber,
    ServiceSpecificCredentialId: ServiceSpecificCredential!.ServiceSpecificCredentialId,
    // All users, or the one that is named.
    "ListServiceSpecificCredentials.AllUsers": undefined,
    Url: oidc.Url,
    OpenIDConnectProviderArn,
    SAMLProviderArn,
    role: Role!.Arn,
    assumable: assumable.Role!.Arn,
    AccessKeyId: AccessKey!.AccessKeyId,
    PolicyArn: Policy!.Arn,
    PermissionsBoundary: Policy!.Arn,
    PolicySourceArn: Role!.Arn,
    AWSServiceName: "ecs.amazonaws.com",
    TemplateArn: "arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1",
    Properties: { "RoleManager/Enabled": "false" },
    DeletionTaskId: `task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/1b2c3d4e`,
    Path: "/",
    PathPrefix: "/",
    Tags,
    TagKeys: ["team"],
  };
}

/** The account is its own partner, and has taken the request. */
async function delegationRequest({ config, root }: TestSystem): Promise<string> {
  const templates = {
    [TEMPLATE]: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
  };
  const partners = JSON.stringify([{ name: NAME, accounts: [ACCOUNT], templates }]);
  await writeFile(join(config.dataDir, "delegation-partners.json"), partners);
  const create = new iam.CreateDelegationRequestCommand({
    Description: NAME,
    Permissions: { PolicyTemplateArn: TEMPLATE },
    RequestorWorkflowId: NAME,
    NotificationChannel: TOPIC,
    SessionDuration: 3600,
  });
  const { DelegationRequestId } = await root.send(create);
  await root.send(new iam.AssociateDelegationRequestCommand({ DelegationRequestId }));
  return DelegationRequestId!;
}

/** The account has an organization, with one member and another that is invited. */
export async function organizationsResources(system: TestSystem): Promise<Samples> {
  const { root } = system;
  const { rootId } = await anOrganization(system);
  await root.send(new organizations.TagResourceCommand({ ResourceId: rootId, Tags }));
  const unit = new organizations.CreateOrganizationalUnitCommand({ ParentId: rootId, Name: NAME, Tags });
  const { OrganizationalUnit } = await root.send(unit);
  const invite = async (Id: string) => {
    const command = new organizations.InviteAccountToOrganizationCommand({ Target: { Type: "ACCOUNT", Id }, Tags });
    return (await root.send(command)).Handshake!.Id!;
  };
  const member = "444455556666";
  await rootOf(system, member).send(new organizations.AcceptHandshakeCommand({ HandshakeId: await invite(member) }));
  const Type = "SERVICE_CONTROL_POLICY";
  const { Policy } = await root.send(
    new organizations.CreatePolicyCommand({
      Name: NAME,
      Description: NAME,
      Type,
      Content: document({ Effect: "Deny", Action: "s3:*", Resource: "*" }),
      Tags,
    }),
  );
  const PolicyId = Policy!.PolicySummary!.Id!;
  const delegating = document({
    Effect: "Allow",
    Principal: { AWS: member },
    Action: "organizations:ListRoots",
    Resource: "*",
  });
  await root.send(new organizations.PutResourcePolicyCommand({ Content: delegating, Tags }));
  const StartTimestamp = new Date("2100-01-01T00:00:00Z");
  const { Handshake } = await root.send(
    new organizations.InviteOrganizationToTransferResponsibilityCommand({
      Type: "BILLING",
      Target: { Type: "ACCOUNT", Id: "777788889999" },
      SourceName: NAME,
      StartTimestamp,
      Tags,
    }),
  );
  return {
    AccountId: member,
    ChildId: member,
    TargetId: member,
    ParentId: rootId,
    RootId: rootId,
    SourceParentId: rootId,
    DestinationParentId: OrganizationalUnit!.Id,
    OrganizationalUnitId: OrganizationalUnit!.Id,
    HandshakeId: await invite("777788889999"),
    Id: Handshake!.Resources!.find((resource) => resource.Type === "RESPONSIBILITY_TRANSFER")!.Value,
    Target: { Type: "ACCOUNT", Id: member },
    PolicyId,
    ResourceId: PolicyId,
    PolicyType: Type,
    "CreatePolicy.Type": Type,
    Tags,
    TagKeys: ["team"],
  };
}

export async function stsResources(
  system: TestSystem,
  { role, assumable, SAMLProviderArn }: Samples,
): Promise<Samples> {
  const keys = await generateKeyPair("RS256");
  const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: NAME, alg: "RS256" }] };
  useIssuerKeys(system, new IssuerKeys(async () => jwks));
  return {
    RoleArn: role,
    assumable,
    PrincipalArn: SAMLProviderArn,
    SAMLAssertion: assertion(system.clock.now(), role as string, SAMLProviderArn as string),
    WebIdentityToken: await token(keys.privateKey),
    // Only for providers with OAuth 2.0 access tokens.
    ProviderId: undefined,
    TargetPrincipal: ACCOUNT,
    // Proofs of a device supply global keys.
    SerialNumber: undefined,
    TokenCode: undefined,
    Tags,
    TagKeys: ["team"],
  };
}

const CLAIMS =
  "actor actor_id enterprise_id environment job_workflow_ref ref repository repository_id repository_owner_id workflow";

/** As of a GitHub workflow, with everything that AWS makes a condition key of. */
function token(key: webcrypto.CryptoKey): Promise<string> {
  return new SignJWT({
    ...Object.fromEntries(CLAIMS.split(" ").map((name) => [name, NAME])),
    "https://aws.amazon.com/tags": { principal_tags: { team: ["red"] }, transitive_tag_keys: ["team"] },
    "https://aws.amazon.com/source_identity": "alice",
  })
    .setProtectedHeader({ alg: "RS256", kid: NAME })
    .setIssuer(`https://${ISSUER}`)
    .setSubject("repo:octo-org/app")
    .setAudience(NAME)
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(key);
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml */
const ATTRIBUTES = [
  ...Array.from({ length: 11 }, (_, index) => `urn:oid:1.3.6.1.4.1.5923.1.1.1.${index + 1}`),
  ...Array.from({ length: 5 }, (_, index) => `urn:oid:1.3.6.1.4.1.5923.1.2.1.${index + 2}`),
  "urn:oid:2.5.4.3",
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
  "2.5.4.3",
  "2.5.4.4",
  "2.4.5.42",
  "2.5.4.45",
  "0.9.2342.19200300100.1.1",
  "0.9.2342.19200300100.1.3",
  "0.9.2342.19200300.100.1.45",
];

function assertion(now: Date, role: string, provider: string): string {
  const end = new Date(now.getTime() + 60_000).toISOString();
  const attributes: readonly (readonly [name: string, value: string])[] = [
    ["https://aws.amazon.com/SAML/Attributes/Role", `${role},${provider}`],
    ["https://aws.amazon.com/SAML/Attributes/RoleSessionName", "alice"],
    ["https://aws.amazon.com/SAML/Attributes/SourceIdentity", "alice"],
    ["https://aws.amazon.com/SAML/Attributes/PrincipalTag:team", "red"],
    ["https://aws.amazon.com/SAML/Attributes/TransitiveTagKeys", "team"],
    ...ATTRIBUTES.map((name) => [name, NAME] as const),
  ];
  const xml = [
    '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0">',
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
    '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" Version="2.0" ',
    `IssueInstant="${now.toISOString()}"><saml:Issuer>${idp.entityId}</saml:Issuer>`,
    "<saml:Subject><saml:NameID>alice</saml:NameID>",
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">',
    `<saml:SubjectConfirmationData NotOnOrAfter="${end}" Recipient="https://signin.aws.amazon.com/saml"/>`,
    `</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotOnOrAfter="${end}"><saml:AudienceRestriction>`,
    "<saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
    "<saml:AttributeStatement>",
    ...attributes.map(
      ([name, value]) =>
        `<saml:Attribute Name="${name}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`,
    ),
    "</saml:AttributeStatement></saml:Assertion></samlp:Response>",
  ].join("");
  return Buffer.from(signedSaml(xml, "_a", idp)).toString("base64");
}
