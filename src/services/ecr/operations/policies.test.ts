import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteLifecyclePolicyCommand,
  DeleteRepositoryPolicyCommand,
  DescribeRepositoriesCommand,
  GetLifecyclePolicyCommand,
  GetLifecyclePolicyPreviewCommand,
  GetRepositoryPolicyCommand,
  ListImagesCommand,
  ListTagsForResourceCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
  StartLifecyclePolicyPreviewCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-ecr";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "../index.ts";
import { applyLifecyclePolicy } from "../runner.ts";
import { findRepository } from "../store.ts";
import { anImage, pushed } from "../testing.ts";

const OTHER_ACCOUNT = "444455556666";
const repositoryName = "app";
const resourceArn = `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${repositoryName}`;

async function withRepository(): Promise<TestSystem> {
  const system = await testSystem({ services: [ecr], work: false });
  await system.root.send(new CreateRepositoryCommand({ repositoryName }));
  return system;
}

function user(system: TestSystem, accountId: string, name: string, ...statements: object[]) {
  const arn = `arn:aws:iam::${accountId}:user/${name}`;
  const principal: Principal = { type: "User", arn, accountId, userId: "AIDAEXAMPLE", accessKeyId: undefined };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  if (statements.length > 0) system.policies.set(arn, [compilePolicy(parsePolicy(policy, "identity"))]);
  return system.client(principal, { accountId, region: REGION });
}

suite("repository policies", () => {
  const allowOther = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AllowPull",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` },
        Action: ["ecr:BatchGetImage"],
      },
    ],
  });

  test("let another account in, and keep people out", async () => {
    await using system = await withRepository();
    await pushed(system.root, repositoryName, anImage(), "v1");
    const pull = new BatchGetImageCommand({ registryId: ACCOUNT, repositoryName, imageIds: [{ imageTag: "v1" }] });
    const everything = { Effect: "Allow", Action: "ecr:*", Resource: "*" };
    const stranger = user(system, OTHER_ACCOUNT, "ann", everything);
    await assert.rejects(stranger.send(pull), { name: "AccessDenied" });
    await system.root.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: allowOther }));
    assert.equal((await stranger.send(pull)).images?.length, 1);
    await assert.rejects(stranger.send(new ListImagesCommand({ registryId: ACCOUNT, repositoryName })), {
      name: "AccessDenied",
    });

    const own = user(system, ACCOUNT, "bob", everything);
    assert.equal((await own.send(pull)).images?.length, 1);
    const statement = { Effect: "Deny", Principal: "*", Action: "ecr:BatchGetImage" };
    const policyText = JSON.stringify({ Version: "2012-10-17", Statement: statement });
    await system.root.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }));
    await assert.rejects(own.send(pull), {
      name: "AccessDenied",
      message: /with an explicit deny in a resource-based policy/,
    });
  });

  test("are answered as they were set, until deleted", async () => {
    await using system = await withRepository();
    const missing = {
      name: "RepositoryPolicyNotFoundException",
      message: `Repository policy does not exist for the repository with name 'app' in the registry with id '${ACCOUNT}'`,
    };
    await assert.rejects(system.root.send(new GetRepositoryPolicyCommand({ repositoryName })), missing);
    await system.root.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: allowOther }));
    const found = await system.root.send(new GetRepositoryPolicyCommand({ repositoryName }));
    assert.deepEqual(found, { registryId: ACCOUNT, repositoryName, policyText: allowOther });
    await system.root.send(new DeleteRepositoryPolicyCommand({ repositoryName }));
    await assert.rejects(system.root.send(new DeleteRepositoryPolicyCommand({ repositoryName })), missing);
  });

  test("are refused where IAM does not understand them", async () => {
    await using system = await withRepository();
    for (const policyText of ["{", '{"Statement":[{"Effect":"Allow","Action":"ecr:*"}]}']) {
      await assert.rejects(system.root.send(new SetRepositoryPolicyCommand({ repositoryName, policyText })), {
        name: "InvalidParameterException",
        message: /^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided/,
      });
    }
  });
});

suite("lifecycle policies", () => {
  const keepOne = JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        description: "keep one image",
        selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 },
        action: { type: "expire" },
      },
    ],
  });

  async function withImages(): Promise<{ system: TestSystem; digests: string[] }> {
    const system = await withRepository();
    const digests: string[] = [];
    for (let day = 1; day <= 3; day++) {
      system.setNow(new Date(`2024-05-0${day}T00:00:00Z`));
      digests.push(await pushed(system.root, repositoryName, anImage(), `v${day}`));
    }
    return { system, digests };
  }

  test("a preview shows what would expire, and expires nothing", async () => {
    const { system, digests } = await withImages();
    await using _ = system;
    const get = (more: object = {}) =>
      system.root.send(new GetLifecyclePolicyPreviewCommand({ repositoryName, ...more }));
    await assert.rejects(get(), { name: "LifecyclePolicyPreviewNotFoundException" });
    const started = await system.root.send(
      new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText: keepOne }),
    );
    assert.equal(started.status, "IN_PROGRESS");
    const preview = await get();
    assert.equal(preview.status, "COMPLETE");
    assert.deepEqual(preview.summary, { expiringImageTotalCount: 2 });
    const expected = [digests[0]!, digests[1]!].sort();
    assert.deepEqual(
      preview.previewResults?.map(({ imageDigest }) => imageDigest),
      expected,
    );
    const [first] = (await get({ imageIds: [{ imageTag: "v1" }] })).previewResults ?? [];
    assert.deepEqual(first, {
      imageDigest: digests[0],
      imageTags: ["v1"],
      imagePushedAt: new Date("2024-05-01T00:00:00Z"),
      action: { type: "EXPIRE" },
      appliedRulePriority: 1,
    });
    assert.equal((await system.root.send(new ListImagesCommand({ repositoryName }))).imageIds?.length, 3);
  });

  test("a policy that is put is applied", async () => {
    const { system, digests } = await withImages();
    await using _ = system;
    await system.root.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: keepOne }));
    const repository = await findRepository(system.db, { accountId: ACCOUNT, region: REGION, name: repositoryName });
    assert.equal(await applyLifecyclePolicy(system, repository!.id), true);
    const { imageIds } = await system.root.send(new ListImagesCommand({ repositoryName }));
    assert.deepEqual(imageIds, [{ imageDigest: digests[2], imageTag: "v3" }]);
    const { lastEvaluatedAt } = await system.root.send(new GetLifecyclePolicyCommand({ repositoryName }));
    assert.deepEqual(lastEvaluatedAt, new Date("2024-05-03T00:00:00Z"));
    await system.root.send(new DeleteLifecyclePolicyCommand({ repositoryName }));
    assert.equal(await applyLifecyclePolicy(system, repository!.id), false);
    const missing = {
      name: "LifecyclePolicyNotFoundException",
      message: `Lifecycle policy does not exist for the repository with name 'app' in the registry with id '${ACCOUNT}'`,
    };
    await assert.rejects(system.root.send(new GetLifecyclePolicyCommand({ repositoryName })), missing);
    await assert.rejects(system.root.send(new DeleteLifecyclePolicyCommand({ repositoryName })), missing);
    await assert.rejects(system.root.send(new StartLifecyclePolicyPreviewCommand({ repositoryName })), missing);
  });
});

suite("tags", () => {
  test("are added, replaced, listed and removed", async () => {
    await using system = await withRepository();
    const tags = [
      { Key: "team", Value: "a" },
      { Key: "stage", Value: "dev" },
    ];
    await system.root.send(new TagResourceCommand({ resourceArn, tags }));
    await system.root.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "team", Value: "b" }] }));
    await system.root.send(new UntagResourceCommand({ resourceArn, tagKeys: ["stage"] }));
    const listed = await system.root.send(new ListTagsForResourceCommand({ resourceArn }));
    assert.deepEqual(listed.tags, [{ Key: "team", Value: "b" }]);
  });

  test("decide over access where a policy asks for them", async () => {
    await using system = await withRepository();
    const Condition = { StringEquals: { "aws:ResourceTag/team": "a" } };
    const client = user(system, ACCOUNT, "carl", {
      Effect: "Allow",
      Action: "ecr:ListImages",
      Resource: "*",
      Condition,
    });
    await assert.rejects(client.send(new ListImagesCommand({ repositoryName })), { name: "AccessDenied" });
    await system.root.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "team", Value: "a" }] }));
    assert.deepEqual((await client.send(new ListImagesCommand({ repositoryName }))).imageIds, []);
  });

  test("are each repository's own where a request names several", async () => {
    await using system = await withRepository();
    await system.root.send(new CreateRepositoryCommand({ repositoryName: "other" }));
    await system.root.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "team", Value: "a" }] }));
    const Condition = { StringEquals: { "ecr:ResourceTag/team": "a" } };
    const allowed = { Effect: "Allow", Action: "ecr:DescribeRepositories", Resource: "*", Condition };
    const client = user(system, ACCOUNT, "dora", allowed);
    const describe = (...repositoryNames: string[]) =>
      client.send(new DescribeRepositoriesCommand({ repositoryNames }));
    assert.equal((await describe(repositoryName)).repositories?.length, 1);
    await assert.rejects(describe(repositoryName, "other"), { name: "AccessDenied", message: /repository\/other/ });
  });

  test("have limits", async () => {
    await using system = await withRepository();
    const tag = (...tags: { Key: string; Value: string }[]) =>
      system.root.send(new TagResourceCommand({ resourceArn, tags }));
    const many = Array.from({ length: 51 }, (_, i) => ({ Key: `key${i}`, Value: "" }));
    await assert.rejects(tag(...many), { name: "TooManyTagsException" });
    await assert.rejects(tag({ Key: "k".repeat(129), Value: "" }), { name: "InvalidTagParameterException" });
    await assert.rejects(tag({ Key: "aws:own", Value: "" }), { name: "InvalidTagParameterException" });
    await assert.rejects(system.root.send(new ListTagsForResourceCommand({ resourceArn: "app" })), {
      name: "InvalidParameterException",
      message: "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
    });
    const missing = resourceArn.replace("/app", "/none");
    await assert.rejects(system.root.send(new ListTagsForResourceCommand({ resourceArn: missing })), {
      name: "RepositoryNotFoundException",
    });
    const other = system.client(rootPrincipal(OTHER_ACCOUNT), { accountId: OTHER_ACCOUNT, region: REGION });
    await assert.rejects(other.send(new ListTagsForResourceCommand({ resourceArn })), { name: "AccessDenied" });
  });
});
