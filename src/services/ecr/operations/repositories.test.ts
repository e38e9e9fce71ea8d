import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
} from "@aws-sdk/client-ecr";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "../index.ts";
import { anImage, pushed } from "../testing.ts";

const OTHER_ACCOUNT = "444455556666";

test("CreateRepository answers the repository with AWS's defaults", async () => {
  await using system = await testSystem({ services: [ecr] });
  system.setNow(new Date("2024-05-01T10:00:00Z"));
  const { repository } = await system.root.send(new CreateRepositoryCommand({ repositoryName: "team/app" }));
  assert.deepEqual(repository, {
    repositoryArn: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/team/app`,
    registryId: ACCOUNT,
    repositoryName: "team/app",
    repositoryUri: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/team/app`,
    createdAt: new Date("2024-05-01T10:00:00Z"),
    imageTagMutability: "MUTABLE",
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: "AES256" },
  });
});

test("a name is taken once per account and region", async () => {
  await using system = await testSystem({ services: [ecr] });
  const create = new CreateRepositoryCommand({ repositoryName: "app" });
  await system.root.send(create);
  await assert.rejects(system.root.send(create), {
    name: "RepositoryAlreadyExistsException",
    message: `The repository with name 'app' already exists in the registry with id '${ACCOUNT}'`,
  });
  const elsewhere = [
    system.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: "eu-west-1" }),
    system.client(rootPrincipal(OTHER_ACCOUNT), { accountId: OTHER_ACCOUNT, region: REGION }),
  ];
  for (const client of elsewhere) {
    assert.deepEqual((await client.send(new DescribeRepositoriesCommand({}))).repositories, []);
    await client.send(create);
  }
});

test("names are checked in ECR's words", async () => {
  await using system = await testSystem({ services: [ecr] });
  const pattern = "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*";
  for (const repositoryName of ["MyRepo", "-app", "team//app", "app/"]) {
    await assert.rejects(system.root.send(new CreateRepositoryCommand({ repositoryName })), {
      name: "InvalidParameterException",
      message: `Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '${pattern}''`,
    });
  }
  await assert.rejects(system.root.send(new CreateRepositoryCommand({ repositoryName: "a" })), {
    message:
      "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must have length greater than or equal to 2'",
  });
});

test("DescribeRepositories pages by name, and finds by name", async () => {
  await using system = await testSystem({ services: [ecr] });
  for (const repositoryName of ["cc", "aa", "bb", "dd", "ee"]) {
    await system.root.send(new CreateRepositoryCommand({ repositoryName }));
  }
  const seen: (string | undefined)[][] = [];
  let nextToken: string | undefined;
  do {
    const found = await system.root.send(new DescribeRepositoriesCommand({ maxResults: 2, nextToken }));
    seen.push((found.repositories ?? []).map(({ repositoryName }) => repositoryName));
    nextToken = found.nextToken;
  } while (nextToken !== undefined);
  assert.deepEqual(seen, [["aa", "bb"], ["cc", "dd"], ["ee"]]);

  const named = await system.root.send(new DescribeRepositoriesCommand({ repositoryNames: ["dd", "aa"] }));
  assert.deepEqual(
    named.repositories?.map(({ repositoryName }) => repositoryName),
    ["dd", "aa"],
  );
  await assert.rejects(system.root.send(new DescribeRepositoriesCommand({ repositoryNames: ["aa", "zz"] })), {
    name: "RepositoryNotFoundException",
    message: `The repository with name 'zz' does not exist in the registry with id '${ACCOUNT}'`,
  });
  await assert.rejects(system.root.send(new DescribeRepositoriesCommand({ nextToken: "made-up" })), {
    name: "InvalidParameterException",
  });
});

test("another account's registry is closed to a caller without its policies' word", async () => {
  await using system = await testSystem({ services: [ecr] });
  await system.root.send(new CreateRepositoryCommand({ repositoryName: "app" }));
  const stranger = system.client(rootPrincipal(OTHER_ACCOUNT), { accountId: OTHER_ACCOUNT, region: REGION });
  const describe = new DescribeRepositoriesCommand({ registryId: ACCOUNT, repositoryNames: ["app"] });
  await assert.rejects(stranger.send(describe), { name: "AccessDenied" });
});

test("DeleteRepository keeps a repository with images unless forced", async () => {
  await using system = await testSystem({ services: [ecr] });
  await system.root.send(new CreateRepositoryCommand({ repositoryName: "app" }));
  await pushed(system.root, "app", anImage(), "v1");
  await assert.rejects(system.root.send(new DeleteRepositoryCommand({ repositoryName: "app" })), {
    name: "RepositoryNotEmptyException",
    message: `The repository with name 'app' in registry with id '${ACCOUNT}' cannot be deleted because it still contains images`,
  });
  const { repository } = await system.root.send(new DeleteRepositoryCommand({ repositoryName: "app", force: true }));
  assert.equal(repository?.repositoryName, "app");
  await assert.rejects(system.root.send(new DeleteRepositoryCommand({ repositoryName: "app" })), {
    name: "RepositoryNotFoundException",
  });
});

test("settings are stored and described", async () => {
  await using system = await testSystem({ services: [ecr] });
  const repositoryName = "app";
  await system.root.send(new CreateRepositoryCommand({ repositoryName }));
  const imageScanningConfiguration = { scanOnPush: true };
  await system.root.send(new PutImageScanningConfigurationCommand({ repositoryName, imageScanningConfiguration }));
  const imageTagMutabilityExclusionFilters = [{ filterType: "WILDCARD" as const, filter: "dev-*" }];
  const mutability = { imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" as const, imageTagMutabilityExclusionFilters };
  await system.root.send(new PutImageTagMutabilityCommand({ repositoryName, ...mutability }));
  const { repositories } = await system.root.send(
    new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }),
  );
  assert.deepEqual(repositories?.[0]?.imageScanningConfiguration, imageScanningConfiguration);
  assert.equal(repositories?.[0]?.imageTagMutability, "IMMUTABLE_WITH_EXCLUSION");
  assert.deepEqual(repositories?.[0]?.imageTagMutabilityExclusionFilters, imageTagMutabilityExclusionFilters);
  await assert.rejects(
    system.root.send(
      new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" }),
    ),
    { name: "InvalidParameterException" },
  );
});

test("DescribeRegistry", async () => {
  await using system = await testSystem({ services: [ecr] });
  assert.deepEqual(await system.root.send(new DescribeRegistryCommand({})), {
    registryId: ACCOUNT,
    replicationConfiguration: { rules: [] },
  });
});
