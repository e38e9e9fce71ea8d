/** A policy means the user or role that was there when it was put: neither its next name's bearer nor nobody. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as ecr from "@aws-sdk/client-ecr";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as organizations from "@aws-sdk/client-organizations";
import * as s3 from "@aws-sdk/client-s3";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr as ecrService } from "./ecr/index.ts";
import { IamIdentities, iam as iamService } from "./iam/index.ts";
import { aRole, aUser, clientOf, policy, roleArn, trust } from "./iam/testing.ts";
import { kms as kmsService } from "./kms/index.ts";
import { OrganizationMemberships, organizations as organizationsService } from "./organizations/index.ts";
import { s3 as s3Service } from "./s3/index.ts";
import { services } from "./services.ts";
import { sts as stsService } from "./sts/index.ts";

const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const ANA = userArn("ana");
const NEIGHBOUR = "444455556666";

interface Guarded {
  put(document: string): Promise<unknown>;
  get(): Promise<string>;
  /** What the policy allows whom it names; absent where it is more than a call. */
  use?(by: Client): Promise<unknown>;
}

interface Kind {
  readonly kind: string;
  make(owner: Client): Promise<Guarded>;
  /** A policy that allows its principal what `use` does. */
  readonly statement: object;
  readonly refusal: { readonly name: string; readonly message: string | RegExp };
}

const KINDS: readonly Kind[] = [
  {
    kind: "a role trust policy",
    async make(owner) {
      await owner.send(
        new iam.CreateRoleCommand({ RoleName: "guarded", AssumeRolePolicyDocument: trust("ecs.amazonaws.com") }),
      );
      const names = { RoleArn: roleArn("guarded"), RoleSessionName: "session" };
      return {
        put: (PolicyDocument) =>
          owner.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: "guarded", PolicyDocument })),
        get: async () => {
          const { Role } = await owner.send(new iam.GetRoleCommand({ RoleName: "guarded" }));
          return decodeURIComponent(Role!.AssumeRolePolicyDocument!);
        },
        use: (by) => by.send(new AssumeRoleCommand(names)),
      };
    },
    statement: { Action: "sts:AssumeRole" },
    refusal: { name: "MalformedPolicyDocumentException", message: /^Invalid principal in policy: "AWS":"/ },
  },
  {
    kind: "a bucket policy",
    async make(owner) {
      const Bucket = "guarded-bucket";
      await owner.send(new s3.CreateBucketCommand({ Bucket }));
      return {
        put: (Policy) => owner.send(new s3.PutBucketPolicyCommand({ Bucket, Policy })),
        get: async () => (await owner.send(new s3.GetBucketPolicyCommand({ Bucket }))).Policy!,
        use: (by) => by.send(new s3.ListObjectsV2Command({ Bucket })),
      };
    },
    statement: { Action: "s3:ListBucket", Resource: "arn:aws:s3:::guarded-bucket" },
    refusal: { name: "MalformedPolicy", message: "Invalid principal in policy" },
  },
  {
    kind: "a repository policy",
    async make(owner) {
      const repositoryName = "guarded";
      await owner.send(new ecr.CreateRepositoryCommand({ repositoryName }));
      return {
        put: (policyText) => owner.send(new ecr.SetRepositoryPolicyCommand({ repositoryName, policyText })),
        get: async () => (await owner.send(new ecr.GetRepositoryPolicyCommand({ repositoryName }))).policyText!,
        use: (by) => by.send(new ecr.DescribeImagesCommand({ repositoryName })),
      };
    },
    statement: { Action: "ecr:DescribeImages" },
    refusal: {
      name: "InvalidParameterException",
      message: "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    },
  },
  {
    kind: "a key policy",
    async make(owner) {
      const { KeyMetadata } = await owner.send(new kms.CreateKeyCommand({}));
      const KeyId = KeyMetadata!.KeyId!;
      const BypassPolicyLockoutSafetyCheck = true;
      return {
        put: (Policy) => owner.send(new kms.PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck })),
        get: async () => (await owner.send(new kms.GetKeyPolicyCommand({ KeyId }))).Policy!,
        use: (by) => by.send(new kms.DescribeKeyCommand({ KeyId })),
      };
    },
    statement: { Action: "kms:DescribeKey", Resource: "*" },
    refusal: {
      name: "MalformedPolicyDocumentException",
      message: "Policy contains a statement with one or more invalid principals.",
    },
  },
  {
    kind: "an organization's delegation policy",
    async make(owner) {
      await owner.send(new organizations.CreateOrganizationCommand({}));
      return {
        put: (Content) => owner.send(new organizations.PutResourcePolicyCommand({ Content })),
        get: async () =>
          (await owner.send(new organizations.DescribeResourcePolicyCommand({}))).ResourcePolicy!.Content!,
      };
    },
    statement: { Action: "organizations:ListAccounts", Resource: "*" },
    refusal: { name: "InvalidInputException", message: "You specified an invalid principal element in the policy." },
  },
];

function start(): Promise<TestSystem> {
  return testSystem({
    services: [iamService, stsService, s3Service, ecrService, kmsService, organizationsService],
    identities: (parts) => new IamIdentities(parts),
    organizations: (parts) => new OrganizationMemberships(parts),
    work: false,
  });
}

/** The owner goes on to be allowed everything, as a key policy must say. */
function naming(statement: object, ...principals: string[]): string {
  const own = { Action: "kms:*", Resource: "*", Principal: { AWS: [ACCOUNT] } };
  const statements = [{ ...statement, Principal: { AWS: principals } }];
  if (JSON.stringify(statement).includes("kms:")) statements.push(own);
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((one) => ({ Effect: "Allow", ...one })),
  });
}

async function principalsOf(guarded: Guarded): Promise<unknown> {
  return JSON.parse(await guarded.get()).Statement[0].Principal.AWS;
}

async function deleteUser({ root }: TestSystem, UserName: string): Promise<void> {
  const { AccessKeyMetadata } = await root.send(new iam.ListAccessKeysCommand({ UserName }));
  for (const { AccessKeyId } of AccessKeyMetadata!) {
    await root.send(new iam.DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  }
  await root.send(new iam.DeleteUserCommand({ UserName }));
}

const DENIED = /AccessDenied/;

for (const { kind, make, statement, refusal } of KINDS) {
  suite(kind, () => {
    test("keeps the id of a user who is deleted, and does not let a namesake in", async () => {
      await using system = await start();
      const ana = await aUser(system, "ana");
      const guarded = await make(system.root);
      await assert.doesNotReject(guarded.put(naming(statement, ANA)));
      await guarded.use?.(ana.client);
      await deleteUser(system, "ana");
      assert.deepEqual(await principalsOf(guarded), [ana.client.principal.userId]);
      const namesake = await aUser(system, "ana");
      if (guarded.use) await assert.rejects(guarded.use(namesake.client), { name: DENIED });
      // As on AWS, a policy that still has the id of somebody who is gone cannot be put, and one that names the namesake can.
      await assert.rejects(guarded.put(await guarded.get()), refusal);
      await guarded.put(naming(statement, ANA));
      await guarded.use?.(namesake.client);
    });

    test("keeps the id of a role that is deleted, and does not let sessions of a namesake in", async () => {
      await using system = await start();
      const dev = await aUser(system, "dev", policy("Allow", "sts:AssumeRole"));
      const session = async () => {
        const names = { RoleArn: roleArn("builder"), RoleSessionName: "session" };
        return clientOf(system, (await dev.client.send(new AssumeRoleCommand(names))).Credentials!);
      };
      const first = await aRole(system, "builder", userArn("dev"));
      const guarded = await make(system.root);
      await guarded.put(naming(statement, roleArn("builder")));
      await guarded.use?.(await session());
      await system.root.send(new iam.DeleteRoleCommand({ RoleName: "builder" }));
      assert.deepEqual(await principalsOf(guarded), [first.RoleId]);
      await aRole(system, "builder", userArn("dev"));
      if (guarded.use) await assert.rejects(guarded.use(await session()), { name: DENIED });
    });

    test("follows a user to another name, and takes ids for ARNs", async () => {
      await using system = await start();
      const { accessKeyId, client } = await aUser(system, "ana");
      const guarded = await make(system.root);
      await guarded.put(naming(statement, client.principal.userId));
      assert.deepEqual(await principalsOf(guarded), [ANA]);
      await system.root.send(new iam.UpdateUserCommand({ UserName: "ana", NewUserName: "anna", NewPath: "/people/" }));
      assert.deepEqual(await principalsOf(guarded), [userArn("people/anna")]);
      await guarded.use?.(await clientOf(system, { AccessKeyId: accessKeyId }));
    });

    test("finds an ARN again however JSON spelt it", async () => {
      await using system = await start();
      const { client } = await aUser(system, "ana");
      const guarded = await make(system.root);
      const spelt = naming(statement, ANA).replace("user/ana", "user\\/\\u0061na");
      assert.ok(!spelt.includes(ANA));
      await guarded.put(spelt);
      await deleteUser(system, "ana");
      assert.deepEqual(await principalsOf(guarded), [client.principal.userId]);
    });

    test("is refused where it names somebody who does not exist, and nothing is stored", async () => {
      await using system = await start();
      await aUser(system, "ana");
      const neighbour = system.client(rootPrincipal(NEIGHBOUR), { accountId: NEIGHBOUR, region: REGION });
      await neighbour.send(new iam.CreateUserCommand({ UserName: "ben" }));
      const guarded = await make(system.root);
      const elsewhere = "arn:aws:iam::999988887777:role/of-an-account-that-is-not-here";
      await guarded.put(naming(statement, ANA, `arn:aws:iam::${NEIGHBOUR}:user/ben`, elsewhere));
      const before = await guarded.get();
      for (const stranger of [
        userArn("bob"),
        userArn("Ana"),
        roleArn("ana"),
        `arn:aws:iam::${NEIGHBOUR}:user/bob`,
        "AIDACKCEVSQ6C2EXAMPLE",
      ]) {
        await assert.rejects(guarded.put(naming(statement, ANA, stranger)), refusal, stranger);
      }
      assert.equal(await guarded.get(), before);
    });
  });
}

test("accounts that have no users and roles yet are known: the administrator's, and those of organizations", async () => {
  await using system = await start();
  const [management, member] = [NEIGHBOUR, "555566667777"];
  const rootOf = (accountId: string) => system.client(rootPrincipal(accountId), { accountId, region: REGION });
  await rootOf(management).send(new organizations.CreateOrganizationCommand({ FeatureSet: "CONSOLIDATED_BILLING" }));
  const Target = { Id: member, Type: organizations.HandshakePartyType.ACCOUNT };
  const invited = await rootOf(management).send(new organizations.InviteAccountToOrganizationCommand({ Target }));
  const bucket = await KINDS[1]!.make(rootOf("666677778888"));
  const put = (accountId: string) =>
    bucket.put(naming(KINDS[1]!.statement, `arn:aws:iam::${accountId}:role/made-later`));
  // An invitation says nothing about whether the account is here.
  await put(member);
  await rootOf(member).send(new organizations.AcceptHandshakeCommand({ HandshakeId: invited.Handshake!.Id }));
  for (const accountId of [management, member]) {
    const { Roles } = await rootOf(accountId).send(new iam.ListRolesCommand({}));
    assert.deepEqual(Roles, [], accountId);
  }
  for (const accountId of [ACCOUNT, management, member]) {
    await assert.rejects(put(accountId), KINDS[1]!.refusal, accountId);
  }
});

test("NotPrincipal names its users likewise", async () => {
  await using system = await start();
  const { client } = await aUser(system, "ana");
  const Bucket = "guarded-bucket";
  await system.root.send(new s3.CreateBucketCommand({ Bucket }));
  const Statement = [
    {
      Effect: "Deny",
      NotPrincipal: { AWS: [ACCOUNT, `arn:aws:iam::${ACCOUNT}:root`, ANA] },
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${Bucket}/*`,
    },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await system.root.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  await deleteUser(system, "ana");
  const kept = JSON.parse((await system.root.send(new s3.GetBucketPolicyCommand({ Bucket }))).Policy!);
  assert.equal(kept.Statement[0].NotPrincipal.AWS[2], client.principal.userId);
});

test("other statements, and users whose name begins alike, are left alone", async () => {
  await using system = await start();
  await aUser(system, "ana");
  await aUser(system, "anabel");
  const guarded = await KINDS[1]!.make(system.root);
  const document = naming(KINDS[1]!.statement, userArn("anabel"), "arn:aws:iam::999988887777:role/elsewhere");
  await guarded.put(document);
  await deleteUser(system, "ana");
  assert.equal(await guarded.get(), document);
});

test("every service whose resources have policies hands them over", async () => {
  const puts =
    /^(?:Put|Set|Update)(?:\w*ResourcePolicy|BucketPolicy|RepositoryPolicy|RegistryPolicy|KeyPolicy|AssumeRolePolicy)$/;
  const having: string[] = [];
  for (const service of services) {
    await service.load();
    const built = [...service.operations.values()].filter(({ name, operation }) => operation && puts.test(name));
    if (built.length === 0) continue;
    having.push(service.name);
    assert.ok(service.rewritePolicies, `${service.name} has ${built.map(({ name }) => name)} but no rewritePolicies`);
  }
  assert.deepEqual(having.sort(), ["ecr", "iam", "kms", "organizations", "s3"]);
});
