/** A stored policy that was damaged in the database denies whatever it would have been asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateRepositoryCommand, DescribeImagesCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { ListUsersCommand, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, DescribeKeyCommand } from "@aws-sdk/client-kms";
import { ListAccountsCommand, PutResourcePolicyCommand } from "@aws-sdk/client-organizations";
import { CreateBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { type RawBuilder, sql } from "kysely";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "./ecr/index.ts";
import { aRole, roleArn } from "./iam/testing.ts";
import { kms } from "./kms/index.ts";
import {
  anAccount,
  anOrganization,
  aUser,
  document,
  organizationsSystem,
  restrict,
  rootOf,
} from "./organizations/testing.ts";
import { s3 } from "./s3/index.ts";

const ALL = { Effect: "Allow", Action: "*", Resource: "*" };
const EVERYBODY = { Effect: "Allow", Principal: "*", Action: "*" };

/** What tells IAM and Organizations to read again. */
const CACHED = ["iam", "organizations"];

interface Case {
  readonly policy: string;
  readonly damage: RawBuilder<unknown>;
  readonly action: string;
  /** Makes what the policy is for; what it gives is the call that the policy is asked about. */
  prepare(system: TestSystem): Promise<() => Promise<unknown>>;
}

const CASES: readonly Case[] = [
  {
    policy: "a user's inline policy",
    damage: sql`update iam_inline_policies set document = '{"Statement":'`,
    action: "iam:ListUsers",
    async prepare(system) {
      const client = await aUser(system, "ana", ALL);
      return () => client.send(new ListUsersCommand({}));
    },
  },
  {
    policy: "a role's trust policy",
    damage: sql`update iam_entities set trust_policy = 'no policy' where kind = 'role'`,
    action: "sts:AssumeRole",
    async prepare(system) {
      await aRole(system, "worker");
      const PolicyDocument = document({ ...EVERYBODY, Action: "sts:AssumeRole" });
      await system.root.send(new UpdateAssumeRolePolicyCommand({ RoleName: "worker", PolicyDocument }));
      const client = await aUser(system, "ana", ALL);
      const names = { RoleArn: roleArn("worker"), RoleSessionName: "session" };
      return () => client.send(new AssumeRoleCommand(names));
    },
  },
  {
    policy: "a service control policy",
    damage: sql`update organizations_policies set content = '{"Version":"2012-10-17","Statement":[{"Effect":"Forbid"}]}'`,
    action: "iam:ListUsers",
    async prepare(system) {
      const { rootId } = await anOrganization(system);
      const account = await anAccount(system, "member");
      await restrict(system, rootId, "all", document(ALL));
      return () => rootOf(system, account).send(new ListUsersCommand({}));
    },
  },
  {
    policy: "an organization's delegation policy",
    damage: sql`update organizations_resource_policies set content = '{}'`,
    action: "organizations:ListAccounts",
    async prepare(system) {
      await anOrganization(system);
      const account = await anAccount(system, "member");
      const Principal = { AWS: account };
      const Content = document({ ...ALL, Principal, Action: "organizations:ListAccounts" });
      await system.root.send(new PutResourcePolicyCommand({ Content }));
      return () => rootOf(system, account).send(new ListAccountsCommand({}));
    },
  },
  {
    policy: "a bucket policy",
    damage: sql`update s3_bucket_settings set value = '"[]"' where kind = 'policy'`,
    action: "s3:ListBucket",
    async prepare(system) {
      const Bucket = "guarded-bucket";
      await system.root.send(new CreateBucketCommand({ Bucket }));
      const Principal = { AWS: ACCOUNT };
      const Policy = document({ ...ALL, Principal, Action: "s3:*", Resource: `arn:aws:s3:::${Bucket}` });
      await system.root.send(new PutBucketPolicyCommand({ Bucket, Policy }));
      return () => system.root.send(new ListObjectsV2Command({ Bucket }));
    },
  },
  {
    policy: "a repository policy",
    damage: sql`update ecr_repositories set policy = '?'`,
    action: "ecr:DescribeImages",
    async prepare(system) {
      const repositoryName = "guarded";
      await system.root.send(new CreateRepositoryCommand({ repositoryName }));
      const policyText = document({ ...EVERYBODY, Action: "ecr:*" });
      await system.root.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }));
      return () => system.root.send(new DescribeImagesCommand({ repositoryName }));
    },
  },
  {
    policy: "a key policy",
    damage: sql`update kms_keys set policy = ''`,
    action: "kms:DescribeKey",
    async prepare(system) {
      const { KeyMetadata } = await system.root.send(new CreateKeyCommand({}));
      const KeyId = KeyMetadata!.KeyId!;
      return () => system.root.send(new DescribeKeyCommand({ KeyId }));
    },
  },
];

for (const { policy, damage, action, prepare } of CASES) {
  test(`${policy} that cannot be read is a denial, audited and logged`, async () => {
    await using system = await organizationsSystem({ services: [s3, ecr, kms] });
    const errors: string[] = [];
    system.log = (level, message) => void (level === "error" && errors.push(message));
    const call = await prepare(system);
    await call();
    await damage.execute(system.db);
    for (const topic of CACHED) system.bus.publish(topic, ACCOUNT);
    await assert.rejects(call(), (error: Error) => {
      assert.match(error.name, /^AccessDenied/);
      assert.ok(
        error.message.endsWith(`to perform: ${action} because a policy that applies cannot be read`),
        error.message,
      );
      return true;
    });
    assert.match(system.audited.at(-1)!, / AccessDenied/);
    assert.deepEqual(errors, ["a stored policy cannot be read"]);
    await system.root.send(new GetCallerIdentityCommand({}));
  });
}
