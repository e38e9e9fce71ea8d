import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../identities.ts";
import { iam } from "../index.ts";
import { aRole, aUser, iamSystem, policy, roleArn } from "../testing.ts";

const DEV = `arn:aws:iam::${ACCOUNT}:user/dev`;
const OTHER_ACCOUNT = "444455556666";
const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";

type Custom = Partial<sdk.SimulateCustomPolicyCommandInput>;

async function custom(system: TestSystem, input: Custom): Promise<sdk.EvaluationResult[]> {
  const command = new sdk.SimulateCustomPolicyCommand({
    PolicyInputList: [policy("Allow", "s3:*")],
    ActionNames: ["s3:GetObject"],
    ...input,
  });
  return (await system.root.send(command)).EvaluationResults!;
}

async function principal(
  system: TestSystem,
  input: Partial<sdk.SimulatePrincipalPolicyCommandInput>,
): Promise<sdk.EvaluationResult[]> {
  const command = new sdk.SimulatePrincipalPolicyCommand({
    PolicySourceArn: DEV,
    ActionNames: ["s3:GetObject"],
    ...input,
  });
  return (await system.root.send(command)).EvaluationResults!;
}

const sources = (result: sdk.EvaluationResult | sdk.ResourceSpecificResult | undefined) =>
  result?.MatchedStatements?.map(({ SourcePolicyId }) => SourcePolicyId);

test("the statement that decides is named, with its place in the document", async () => {
  await using system = await iamSystem();
  const date = (value: string): sdk.ContextEntry => ({
    ContextKeyName: "aws:CurrentTime",
    ContextKeyValues: [value],
    ContextKeyType: "date",
  });
  const after2018 =
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}';
  const at = (time: string) =>
    custom(system, {
      PolicyInputList: [after2018],
      ActionNames: ["dynamodb:CreateBackup"],
      ContextEntries: [date(time)],
    });
  // https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html#examples
  assert.deepEqual(await at("2019-04-25T11:00:00Z"), [
    {
      EvalActionName: "dynamodb:CreateBackup",
      EvalResourceName: "*",
      EvalDecision: "allowed",
      MatchedStatements: [
        {
          SourcePolicyId: "PolicyInputList.1",
          SourcePolicyType: "IAM Policy",
          StartPosition: { Line: 1, Column: 38 },
          EndPosition: { Line: 1, Column: 167 },
        },
      ],
      MissingContextValues: [],
    },
  ]);
  const [before] = await at("2014-04-25T11:00:00Z");
  assert.deepEqual([before?.EvalDecision, before?.MatchedStatements], ["implicitDeny", []]);
});

test("a deny is the only statement that counts", async () => {
  await using system = await iamSystem();
  const [put, get] = await custom(system, {
    PolicyInputList: [policy("Allow", "*"), policy("Deny", "s3:PutObject"), policy("Allow", "s3:Get*")],
    ActionNames: ["s3:PutObject", "s3:GetObject"],
  });
  assert.deepEqual([put?.EvalDecision, sources(put)], ["explicitDeny", ["PolicyInputList.2"]]);
  assert.deepEqual([get?.EvalDecision, sources(get)], ["allowed", ["PolicyInputList.1", "PolicyInputList.3"]]);
});

test("a user's policies are named as AWS names them", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await aUser(system, "dev", policy("Allow", "s3:GetObject"));
  await root.send(new sdk.CreateGroupCommand({ GroupName: "Readers" }));
  await root.send(new sdk.AddUserToGroupCommand({ GroupName: "Readers", UserName: "dev" }));
  const put = { PolicyName: "get", PolicyDocument: policy("Allow", "s3:Get*") };
  await root.send(new sdk.PutGroupPolicyCommand({ GroupName: "Readers", ...put }));
  await root.send(new sdk.AttachGroupPolicyCommand({ GroupName: "Readers", PolicyArn: ADMINISTRATOR }));

  const [all] = await principal(system, { PolicyInputList: [policy("Allow", "s3:*")] });
  const named = ["user_dev_own", "group_Readers_get", "AdministratorAccess", "PolicyInputList.1"];
  assert.deepEqual(sources(all), named);
  const administrator = all!.MatchedStatements![2]!;
  assert.deepEqual(administrator.StartPosition, { Line: 3, Column: 17 });
  assert.deepEqual(administrator.EndPosition, { Line: 8, Column: 6 });

  const without = async (...PolicyExclusionList: sdk.PolicyIdentifier[]) =>
    sources((await principal(system, { PolicyExclusionList }))[0]);
  assert.deepEqual(await without({ PolicyType: "inline" }), ["AdministratorAccess"]);
  assert.deepEqual(await without({ PolicyArn: "arn:aws:iam::aws:policy/Admin*" }), named.slice(0, 2));
  const ofReaders = { PolicyName: "get", AttachmentType: "group", AttachmentName: "Read?rs" } as const;
  assert.deepEqual(await without({ InlinePolicyIdentifier: ofReaders }), ["user_dev_own", "AdministratorAccess"]);
  await assert.rejects(without({ PolicyArn: "arn:aws:iam::aws:policy/*A*" }), { name: "InvalidInputException" });
});

test("resources are decided on one by one, and together under the template of their ARNs", async () => {
  await using system = await iamSystem();
  const allow = policy("Allow", "s3:Get*", "arn:aws:s3:::mine/*");
  const ResourceArns = ["arn:aws:s3:::mine/a", "arn:aws:s3:::theirs/a"];
  const [get, list] = await custom(system, {
    PolicyInputList: [allow],
    ActionNames: ["s3:GetObject", "s3:ListBucket"],
    ResourceArns,
  });
  assert.equal(get?.EvalResourceName, "arn:${Partition}:s3:::${BucketName}/${ObjectName}");
  assert.deepEqual([get?.EvalDecision, get?.MatchedStatements], ["implicitDeny", []]);
  assert.deepEqual(get?.EvalDecisionDetails, {});
  assert.deepEqual(
    get?.ResourceSpecificResults?.map((one) => [one.EvalResourceName, one.EvalResourceDecision, sources(one)]),
    [
      [ResourceArns[0], "allowed", ["PolicyInputList.1"]],
      [ResourceArns[1], "implicitDeny", []],
    ],
  );
  assert.equal(list?.EvalResourceName, "arn:${Partition}:s3:::${BucketName}");

  const [both] = await custom(system, {
    PolicyInputList: [allow, policy("Deny", "s3:*", ResourceArns[1])],
    ResourceArns,
  });
  assert.deepEqual([both?.EvalDecision, sources(both)], ["explicitDeny", ["PolicyInputList.2"]]);
});

test("keys without values are told where a statement would apply with them", async () => {
  await using system = await iamSystem();
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::home/${aws:username}/*",
        Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" }, StringEquals: { "s3:Prefix": "${aws:userid}" } },
      },
      { Effect: "Allow", Action: "s3:PutObject", Resource: "*", Condition: { Null: { "s3:x-amz-acl": "true" } } },
    ],
  });
  const [unknown] = await custom(system, { PolicyInputList: [document], ResourceArns: ["arn:aws:s3:::home/ana/x"] });
  assert.deepEqual(unknown?.MissingContextValues, ["aws:username"]);
  const ContextEntries: sdk.ContextEntry[] = [
    { ContextKeyName: "aws:username", ContextKeyValues: ["ana"], ContextKeyType: "string" },
    { ContextKeyName: "aws:sourceip", ContextKeyValues: ["10.1.2.3"], ContextKeyType: "ip" },
  ];
  const known = { PolicyInputList: [document], ResourceArns: ["arn:aws:s3:::home/ana/x"], ContextEntries };
  const [some] = await custom(system, known);
  assert.deepEqual(some?.ResourceSpecificResults?.[0]?.MissingContextValues, ["s3:Prefix", "aws:userid"]);
});

/** The second example of https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html */
test("within an account a resource-based policy goes over a boundary that leaves it unsaid", async () => {
  await using system = await iamSystem();
  const [result] = await custom(system, {
    PolicyInputList: [policy("Allow", "iam:*")],
    PermissionsBoundaryPolicyInputList: [policy("Allow", "iam:*")],
    ActionNames: ["s3:PutObject"],
    CallerArn: DEV,
    ResourceOwner: `arn:aws:iam::${ACCOUNT}:root`,
    ResourceArns: ["arn:aws:s3:::production/Test"],
    ResourcePolicy: bucketPolicy(DEV, "arn:aws:s3:::production/*"),
  });
  const { ResourceSpecificResults, EvalDecision, EvalDecisionDetails, PermissionsBoundaryDecisionDetail } = result!;
  assert.deepEqual(
    { EvalDecision, EvalDecisionDetails, PermissionsBoundaryDecisionDetail, sources: sources(result) },
    {
      EvalDecision: "allowed",
      EvalDecisionDetails: {},
      PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
      sources: ["ResourcePolicy"],
    },
  );
  assert.equal(result?.MatchedStatements?.[0]?.SourcePolicyType as string, "Resource Policy");
  assert.deepEqual(sources(ResourceSpecificResults?.[0]), ["ResourcePolicy"]);
});

test("a resource-based policy that names the account decides nothing within it", async () => {
  await using system = await iamSystem();
  const [result] = await custom(system, {
    ActionNames: ["s3:PutObject"],
    CallerArn: DEV,
    ResourceArns: ["arn:aws:s3:::production/Test"],
    ResourcePolicy: bucketPolicy(`arn:aws:iam::${ACCOUNT}:root`, "arn:aws:s3:::production/*"),
  });
  assert.deepEqual([result?.EvalDecision, sources(result)], ["allowed", ["PolicyInputList.1"]]);
});

/** The third example of https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
test("between accounts each type of policy is told", async () => {
  await using system = await iamSystem();
  await aUser(system, "dev");
  const [result] = await principal(system, {
    ActionNames: ["s3:PutObject"],
    ResourceArns: ["arn:aws:s3:::mary/Test"],
    ResourceOwner: OTHER_ACCOUNT,
    PermissionsBoundaryPolicyInputList: [policy("Allow", "iam:*")],
    ResourcePolicy: bucketPolicy(DEV, "arn:aws:s3:::mary/*"),
  });
  const details = {
    "IAM Policy": "implicitDeny",
    "Resource Policy": "allowed",
    "Permissions Boundary Policy": "implicitDeny",
  };
  assert.deepEqual([result?.EvalDecision, result?.MatchedStatements], ["implicitDeny", []]);
  assert.deepEqual(result?.EvalDecisionDetails, details);
  const [specific] = result!.ResourceSpecificResults!;
  assert.deepEqual([specific?.EvalDecisionDetails, sources(specific)], [details, ["ResourcePolicy"]]);
});

test("a role's own boundary counts, and one that is passed stands for it", async () => {
  await using system = await iamSystem();
  await aRole(system, "builder");
  const boundary = { RoleName: "builder", PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" };
  await system.root.send(new sdk.PutRolePermissionsBoundaryCommand(boundary));
  await system.root.send(new sdk.AttachRolePolicyCommand({ RoleName: "builder", PolicyArn: ADMINISTRATOR }));
  const simulate = async (more: Partial<sdk.SimulatePrincipalPolicyCommandInput> = {}) => {
    const [result] = await principal(system, {
      PolicySourceArn: roleArn("builder"),
      ActionNames: ["s3:PutObject"],
      ...more,
    });
    return [result?.EvalDecision, result?.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary];
  };
  assert.deepEqual(await simulate(), ["implicitDeny", false]);
  assert.deepEqual(await simulate({ PermissionsBoundaryPolicyInputList: [policy("Allow", "s3:*")] }), [
    "allowed",
    true,
  ]);
  assert.deepEqual(await simulate({ PolicyExclusionList: [{ PolicyType: "permission-boundary" }] }), [
    "allowed",
    undefined,
  ]);
});

test("actions come in pages", async () => {
  await using system = await iamSystem();
  const input = { PolicyInputList: [policy("Allow", "*")], ActionNames: ["a:a", "b:b", "c:c"], MaxItems: 2 };
  const first = await system.root.send(new sdk.SimulateCustomPolicyCommand(input));
  assert.deepEqual([first.EvaluationResults?.length, first.IsTruncated], [2, true]);
  const second = await system.root.send(new sdk.SimulateCustomPolicyCommand({ ...input, Marker: first.Marker }));
  assert.deepEqual(
    second.EvaluationResults?.map(({ EvalActionName }) => EvalActionName),
    ["c:c"],
  );
});

test("a page of many resources has few actions", async () => {
  await using system = await iamSystem();
  const input = {
    PolicyInputList: [policy("Allow", "s3:*", "arn:aws:s3:::b/1*")],
    ActionNames: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    ResourceArns: Array.from({ length: 1500 }, (_, index) => `arn:aws:s3:::b/${index}`),
  };
  const page = await system.root.send(new sdk.SimulateCustomPolicyCommand(input));
  assert.deepEqual([page.EvaluationResults?.length, page.IsTruncated], [2, true]);
  assert.equal(page.EvaluationResults?.[0]?.ResourceSpecificResults?.length, 1500);
  const last = await system.root.send(new sdk.SimulateCustomPolicyCommand({ ...input, Marker: page.Marker }));
  assert.deepEqual(
    last.EvaluationResults?.map(({ EvalActionName }) => EvalActionName),
    ["s3:DeleteObject"],
  );
});

test("what cannot be simulated is refused", async () => {
  await using system = await iamSystem();
  const entry = (ContextKeyValues: string[], ContextKeyType: sdk.ContextKeyTypeEnum): Custom => ({
    ContextEntries: [{ ContextKeyName: "aws:some", ContextKeyValues, ContextKeyType }],
  });
  const refused: Custom[] = [
    { PolicyInputList: ["{"] },
    { ActionNames: ["GetObject"] },
    { ResourcePolicy: bucketPolicy(DEV, "*") },
    { CallerArn: `arn:aws:sts::${ACCOUNT}:assumed-role/builder/session` },
    { ResourceOwner: "me" },
    { PermissionsBoundaryPolicyInputList: [policy("Allow", "*"), policy("Allow", "*")] },
    { ResourceHandlingOption: "EC2-VPC-EBS", ResourceArns: ["arn:aws:ec2:us-east-1:111122223333:instance/i-1"] },
    { ResourceHandlingOption: "EC2-Moon" },
    entry(["abc"], "numeric"),
    entry(["1", "2"], "numeric"),
    entry(["maybe"], "boolean"),
    entry(["1.2.3"], "ip"),
    entry(["yesterday"], "date"),
  ];
  for (const input of refused) {
    await assert.rejects(custom(system, input), { name: "InvalidInputException" }, JSON.stringify(input));
  }
  await assert.rejects(principal(system, {}), { name: "NoSuchEntityException" });
  await assert.rejects(principal(system, { PolicySourceArn: ADMINISTRATOR }), { name: "InvalidInputException" });
});

test("context keys are listed as they are written, each once", async () => {
  await using system = await iamSystem();
  const document =
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}${*}","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}';
  const { ContextKeyNames } = await system.root.send(
    new sdk.GetContextKeysForCustomPolicyCommand({
      PolicyInputList: [document, document.replace("username", "UserName")],
    }),
  );
  assert.deepEqual(ContextKeyNames, ["aws:username", "aws:CurrentTime"]);
  await aUser(system, "dev", policy("Allow", "s3:*", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}"));
  const ofPrincipal = await system.root.send(
    new sdk.GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn: DEV, PolicyInputList: [document] }),
  );
  assert.deepEqual(ofPrincipal.ContextKeyNames, ["aws:PrincipalTag/team", "aws:username", "aws:CurrentTime"]);
  const malformed = new sdk.GetContextKeysForCustomPolicyCommand({ PolicyInputList: ["{}"] });
  await assert.rejects(system.root.send(malformed), { name: "InvalidInputException" });
});

function bucketPolicy(principal: string, resource: string): string {
  const statement = { Effect: "Allow", Principal: { AWS: principal }, Action: ["s3:List*", "s3:Put*"] };
  return JSON.stringify({ Version: "2012-10-17", Statement: { ...statement, Resource: resource } });
}

/** "SCPs do not affect any service-linked role": https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html */
test("service control policies count for roles, not for service-linked ones", async () => {
  const scp = compilePolicy(parsePolicy(policy("Deny", "*"), "identity"));
  const membership = {
    organizationId: "o-a1b2c3d4e5",
    managementAccountId: OTHER_ACCOUNT,
    path: "o-a1b2c3d4e5/r-ab12/",
  };
  await using system = await testSystem({
    services: [iam, sts],
    identities: (wired) => new IamIdentities(wired),
    organizations: () => ({
      membershipOf: () => ({ ...membership, scps: [[scp]] }),
      isClosed: () => false,
      knows: async () => true,
    }),
  });
  await aRole(system, "build");
  await system.root.send(
    new sdk.PutRolePolicyCommand({ RoleName: "build", PolicyName: "own", PolicyDocument: policy("Allow", "*") }),
  );
  const command = new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName: "ecs.amazonaws.com" });
  const { Role } = await system.root.send(command);
  const decided = async (PolicySourceArn: string) => {
    const [result] = await principal(system, { PolicySourceArn, ActionNames: ["ec2:DescribeNetworkInterfaces"] });
    return [result!.EvalDecision, result!.OrganizationsDecisionDetail?.AllowedByOrganizations];
  };
  assert.deepEqual(await decided(roleArn("build")), ["explicitDeny", false]);
  assert.deepEqual(await decided(Role!.Arn!), ["allowed", undefined]);
});

test("a hierarchy of service control policies can be given with the policies", async () => {
  await using system = await iamSystem();
  const level = (...ServiceControlPolicyInputList: string[]) => ({ ServiceControlPolicyInputList });
  const all = policy("Allow", "*");
  const decided = async (...OrderedOrganizationPolicyInputList: sdk.OrderedOrganizationPolicyType[]) => {
    const [result] = await custom(system, { OrderedOrganizationPolicyInputList });
    return [result!.EvalDecision, result!.OrganizationsDecisionDetail?.AllowedByOrganizations, sources(result)];
  };
  const own = ["PolicyInputList.1"];
  assert.deepEqual(await decided(), ["allowed", undefined, own]);
  assert.deepEqual(await decided(level(all), level(all)), ["allowed", true, own]);
  assert.deepEqual(await decided(level(all, policy("Deny", "s3:Get*")), level(all)), ["explicitDeny", false, []]);
  assert.deepEqual(await decided(level(all), level(policy("Allow", "ec2:*")), level(all)), ["implicitDeny", false, []]);
  await assert.rejects(decided(level("{}")), { name: "InvalidInputException" });
});
