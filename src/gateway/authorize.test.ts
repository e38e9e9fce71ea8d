import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { type AccessRequest, requireAccess } from "./authorize.ts";
import { type CompiledPolicy, compilePolicy } from "./authz/compile.ts";
import { parsePolicy } from "./authz/policy-document.ts";
import { type Call, type Principal, rootPrincipal, servicePrincipal } from "./context.ts";

const USER: Principal = {
  type: "User",
  arn: `arn:aws:iam::${ACCOUNT}:user/team/alice`,
  accountId: ACCOUNT,
  userId: "AIDAEXAMPLE",
  accessKeyId: "AKIAEXAMPLE",
  tags: { Team: "cruddur" },
};
const SESSION: Principal = {
  type: "AssumedRole",
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/run`,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/ci/deployer`,
  accountId: ACCOUNT,
  userId: "AROAEXAMPLE:run",
  accessKeyId: "ASIAEXAMPLE",
  sourceIdentity: "alice",
};
const SERVICE = servicePrincipal("codebuild.amazonaws.com", ACCOUNT);
const OTHER = "999999999999";

function callOf(system: TestSystem, principal: Principal): Call {
  return {
    system,
    db: system.db,
    principal,
    accountId: ACCOUNT,
    region: REGION,
    requestId: "1",
    now: new Date("2026-01-02T03:04:05Z"),
    sourceIp: "192.0.2.7",
    secureTransport: true,
    userAgent: "aws-cli/2.9.19",
    http: {
      method: "GET",
      host: "s3",
      path: "/",
      query: "",
      tlsVersion: undefined,
      headers: { referer: "https://example.com/" },
    },
  };
}

function allowing(Action: string, Condition?: object): CompiledPolicy {
  const Statement = { Effect: "Allow", Action, Resource: "*", ...(Condition && { Condition }) };
  return compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement }), "identity"));
}

/** Which value a key has, or that it is absent. */
const KEYS: readonly [who: Principal, key: string, operator: string, value: string][] = [
  [USER, "aws:PrincipalArn", "ArnEquals", USER.arn],
  [SESSION, "aws:PrincipalArn", "ArnEquals", SESSION.roleArn!],
  [USER, "aws:PrincipalAccount", "StringEquals", ACCOUNT],
  [USER, "aws:PrincipalType", "StringEquals", "User"],
  [SESSION, "aws:PrincipalType", "StringEquals", "AssumedRole"],
  [rootPrincipal(ACCOUNT), "aws:PrincipalType", "StringEquals", "Account"],
  [USER, "aws:PrincipalTag/team", "StringEquals", "cruddur"],
  [USER, "aws:PrincipalTag/other", "Null", "true"],
  [USER, "aws:username", "StringEquals", "alice"],
  [SESSION, "aws:username", "Null", "true"],
  [USER, "aws:userid", "StringEquals", "AIDAEXAMPLE"],
  [SESSION, "aws:userid", "StringLike", "AROAEXAMPLE:*"],
  [SESSION, "aws:SourceIdentity", "StringEquals", "alice"],
  [USER, "aws:SourceIdentity", "Null", "true"],
  [USER, "aws:PrincipalIsAWSService", "Bool", "false"],
  [SERVICE, "aws:PrincipalIsAWSService", "Bool", "true"],
  [SERVICE, "aws:PrincipalServiceName", "StringEquals", "codebuild.amazonaws.com"],
  [SERVICE, "aws:PrincipalServiceNamesList", "ForAnyValue:StringEquals", "codebuild.amazonaws.com"],
  [USER, "aws:PrincipalServiceName", "Null", "true"],
  [SERVICE, "aws:SourceArn", "ArnLike", "arn:aws:codebuild:*:*:project/cruddur"],
  [SERVICE, "aws:SourceAccount", "StringEquals", ACCOUNT],
  [USER, "aws:CurrentTime", "DateEquals", "2026-01-02T03:04:05Z"],
  [USER, "aws:EpochTime", "NumericEquals", "1767323045"],
  [USER, "aws:EpochTime", "DateEquals", "2026-01-02T03:04:05Z"],
  [USER, "aws:SourceIp", "IpAddress", "192.0.2.0/24"],
  [USER, "aws:SecureTransport", "Bool", "true"],
  [USER, "aws:UserAgent", "StringLike", "aws-cli/*"],
  [USER, "aws:Referer", "StringEquals", "https://example.com/"],
  [USER, "aws:RequestedRegion", "StringEquals", REGION],
  [USER, "aws:ViaAWSService", "Bool", "false"],
  [USER, "aws:ResourceAccount", "StringEquals", OTHER],
];

suite("global condition keys", () => {
  for (const [principal, key, operator, value] of KEYS) {
    test(`${key} of ${principal.type}: ${operator} ${value}`, async () => {
      await using system = await testSystem({ services: [] });
      const Condition = { [operator]: { [key]: value } };
      const Statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*", Condition };
      const resourcePolicy = compilePolicy(
        parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement }), "resource"),
      );
      system.policies.set(principal.arn, [allowing("*")]);
      const call: Call = {
        ...callOf(system, principal),
        ...(principal.type === "Service" && { sourceArn: `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/cruddur` }),
      };
      const request = {
        action: "s3:GetObject",
        resource: "arn:aws:s3:::shared/k",
        resourceAccountId: OTHER,
        resourcePolicy,
      };
      await assert.doesNotReject(requireAccess(call, request));
    });
  }
});

suite("keys that cost something", () => {
  const REPOSITORY = `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/web`;
  const OF_TAG = { StringEquals: { "aws:ResourceTag/Team": "red" } };
  const OF_OWN_TAG = { StringEquals: { "ECR:ResourceTag/team": "red" } };
  const OF_REQUEST = { StringEquals: { "aws:RequestTag/Stage": "dev" } };
  const OF_VALUE = { StringEquals: { "aws:RequestedRegion": "${aws:RequestTag/Region}" } };
  const OF_KNOWN = { Bool: { "aws:SecureTransport": "true" } };
  const PASS_ROLE = { action: "iam:PassRole", resource: `arn:aws:iam::${ACCOUNT}:role/web` };
  const CASES: [
    name: string,
    policies: CompiledPolicy[],
    allowed: boolean,
    tags: number,
    own: number,
    request?: object,
  ][] = [
    ["are not read where no policy asks", [allowing("ecr:*")], true, 0, 0],
    ["nor for what is known", [allowing("ecr:*", OF_KNOWN)], true, 0, 0],
    ["nor for another action", [allowing("ecr:Describe*"), allowing("kms:*", OF_TAG)], true, 0, 0],
    ["are read for the request's own", [allowing("ecr:*", OF_REQUEST)], true, 0, 1],
    ["are read for a variable", [allowing("ecr:*", OF_VALUE)], true, 0, 1],
    ["are read for tags of the resource", [allowing("ecr:*", OF_TAG)], true, 1, 1],
    ["are read for them by the service's name", [allowing("ecr:*", OF_OWN_TAG)], true, 1, 1],
    ["are read once for all policies", [allowing("ecr:*", OF_TAG), allowing("*", OF_REQUEST)], true, 1, 1],
    ["are not the tags of a role that is passed", [allowing("*", OF_TAG)], false, 0, 1, PASS_ROLE],
  ];
  for (const [name, policies, allowed, tags, own, request] of CASES) {
    test(name, async () => {
      await using system = await testSystem({ services: [] });
      system.policies.set(USER.arn, policies);
      const reads = { tags: 0, own: 0 };
      system.resourceTags = async () => {
        reads.tags++;
        return { Team: "red" };
      };
      const asked: AccessRequest = {
        action: "ecr:DescribeImages",
        resource: REPOSITORY,
        context() {
          reads.own++;
          return { "aws:requesttag/stage": "dev", "aws:requesttag/region": REGION };
        },
        ...request,
      };
      const access = requireAccess(callOf(system, USER), asked);
      await (allowed ? assert.doesNotReject(access) : assert.rejects(access, { code: "AccessDenied" }));
      assert.deepEqual(reads, { tags, own });
    });
  }
});
