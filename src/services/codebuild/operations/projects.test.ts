import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-codebuild";
import { CreateRoleCommand, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { rootPrincipal } from "#gateway/context.ts";
import { aProject, codebuildSystem, makeProject, makeRole, ROLE_ARN } from "#tests/helpers/codebuild-system.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const ARN = `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/demo`;

async function system() {
  const made = await codebuildSystem({ work: false });
  made.setNow(NOW);
  await makeRole(made);
  return made;
}

async function project(slipway: TestSystem, name = "demo"): Promise<sdk.Project> {
  const { projects } = await slipway.root.send(new sdk.BatchGetProjectsCommand({ names: [name] }));
  return projects![0]!;
}

test("a project is made once, with AWS's defaults", async () => {
  await using slipway = await system();
  const input = aProject({ description: "d", tags: [{ key: "team", value: "blue" }] });
  const { project: made } = await slipway.root.send(new sdk.CreateProjectCommand(input));
  assert.deepEqual(await project(slipway), made);
  const expected = {
    name: "demo",
    arn: ARN,
    description: "d",
    source: input.source,
    artifacts: { type: "NO_ARTIFACTS" },
    environment: {
      ...input.environment!,
      environmentVariables: [],
      privilegedMode: false,
      imagePullCredentialsType: "CODEBUILD",
    },
    cache: { type: "NO_CACHE" },
    serviceRole: ROLE_ARN,
    timeoutInMinutes: 60,
    queuedTimeoutInMinutes: 480,
    encryptionKey: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/s3`,
    tags: [{ key: "team", value: "blue" }],
    projectVisibility: "PRIVATE",
    created: NOW,
    lastModified: NOW,
    badge: { badgeEnabled: false },
  };
  assert.deepEqual(made, expected);
  await assert.rejects(slipway.root.send(new sdk.CreateProjectCommand(input)), {
    name: "ResourceAlreadyExistsException",
    message: `Project already exists: ${ARN}`,
  });
});

test("projects that cannot work are refused, each with a sentence that says why", async () => {
  await using slipway = await system();
  const environment = aProject().environment!;
  const inline = aProject().source!;
  const refused: [Partial<sdk.CreateProjectInput>, RegExp][] = [
    [{ name: "a b" }, /regular expression pattern/],
    [{ name: "my project" }, /regular expression pattern/],
    [{ name: "x" }, /length greater than or equal to 2/],
    [{ serviceRole: "nonsense" }, /^Invalid service role$/],
    [{ source: { type: "NO_SOURCE" } }, /NO_SOURCE requires an inline buildspec/],
    [{ source: { ...inline, location: "x" } }, /location must be empty/],
    [{ source: { type: "GITHUB", location: "owner/repo" } }, /valid GITHUB repository URL/],
    [{ source: { type: "S3", location: "no-key" } }, /valid S3 source/],
    [{ source: { type: "CODECOMMIT", location: "https://x/y" } }, /CODECOMMIT is not available/],
    [{ source: { type: "CODEPIPELINE" } }, /both .*CODEPIPELINE/],
    [{ artifacts: { type: "S3" } }, /name of a bucket/],
    [{ artifacts: { type: "CODEPIPELINE" } }, /both .*CODEPIPELINE/],
    [{ environment: { ...environment, computeType: "HUGE" as never } }, /enum value set/],
    [{ environment: { ...environment, computeType: "BUILD_LAMBDA_1GB" } }, /Compute type BUILD_LAMBDA_1GB/],
    [{ environment: { ...environment, type: "WINDOWS_CONTAINER" } }, /WINDOWS_CONTAINER is not available/],
    [
      {
        environment: {
          ...environment,
          environmentVariables: [
            { name: "A", value: "1" },
            { name: "A", value: "2" },
          ],
        },
      },
      /A is given more than once/,
    ],
    [{ timeoutInMinutes: 4 }, /greater than or equal to 5/],
    [{ vpcConfig: { vpcId: "vpc-1", subnets: ["s"], securityGroupIds: ["g"] } }, /remove vpcConfig/],
    [{ fileSystemLocations: [{ type: "EFS" }] }, /no Amazon EFS/],
    [{ concurrentBuildLimit: 0 }, /concurrentBuildLimit/],
    [{ logsConfig: { s3Logs: { status: "ENABLED", location: "b/p" } } }, /s3Logs/],
    [{ tags: [{ key: "a" }, { key: "a" }] }, /Duplicate tag keys/],
    [{ tags: [{ key: "aws:x" }] }, /must not begin with aws:/],
    [{ secondarySources: [{ ...inline }] }, /each needs an identifier/],
    [
      {
        secondaryArtifacts: ["a", "a"].map((artifactIdentifier) => ({
          type: "S3" as const,
          location: "b",
          artifactIdentifier,
        })),
      },
      /identifiers must be unique/,
    ],
  ];
  for (const [overrides, message] of refused) {
    const create = slipway.root.send(new sdk.CreateProjectCommand(aProject(overrides)));
    await assert.rejects(create, { name: "InvalidInputException", message }, JSON.stringify(overrides));
  }
  assert.deepEqual((await slipway.root.send(new sdk.ListProjectsCommand({}))).projects, []);
});

test("the service role must be assumable by CodeBuild and passable by the caller", async () => {
  await using slipway = await system();
  const other = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  await slipway.root.send(new CreateRoleCommand({ RoleName: "other", AssumeRolePolicyDocument: other }));
  for (const name of ["other", "missing"]) {
    const serviceRole = `arn:aws:iam::${ACCOUNT}:role/${name}`;
    await assert.rejects(slipway.root.send(new sdk.CreateProjectCommand(aProject({ serviceRole }))), {
      name: "InvalidInputException",
      message: `CodeBuild is not authorized to perform: sts:AssumeRole on ${serviceRole}`,
    });
  }
  const { user, arn } = await aUser(slipway, ["codebuild:CreateProject"]);
  await assert.rejects(user.send(new sdk.CreateProjectCommand(aProject())), {
    name: "AccessDenied",
    message: new RegExp(`^User: ${arn} is not authorized to perform: iam:PassRole on resource: ${ROLE_ARN}`),
  });
  await slipway.root.send(policy(["codebuild:CreateProject", "iam:PassRole"]));
  await user.send(new sdk.CreateProjectCommand(aProject()));
});

test("an update changes what it names and nothing else", async () => {
  await using slipway = await system();
  await makeProject(slipway, { description: "before", sourceVersion: "main", concurrentBuildLimit: 3 });
  slipway.setNow(new Date("2026-03-02T12:00:00Z"));
  const update = new sdk.UpdateProjectCommand({
    name: "demo",
    description: "after",
    badgeEnabled: true,
    sourceVersion: "",
    concurrentBuildLimit: -1,
  });
  await slipway.root.send(update);
  const { description, lastModified, created, badge, timeoutInMinutes, ...rest } = await project(slipway);
  assert.deepEqual([description, created, timeoutInMinutes], ["after", NOW, 60]);
  assert.deepEqual(lastModified, new Date("2026-03-02T12:00:00Z"));
  assert.equal("sourceVersion" in rest, false);
  assert.equal("concurrentBuildLimit" in rest, false);
  assert.match(badge!.badgeRequestUrl!, /^http:\/\/127\.0\.0\.1:4566\/badges\?uuid=[\w-]+&branch=main$/);
  assert.deepEqual((await project(slipway)).badge, badge, "a badge's URL stays the same");
  await assert.rejects(slipway.root.send(new sdk.UpdateProjectCommand({ name: "other", description: "x" })), {
    name: "ResourceNotFoundException",
    message: `Project cannot be found: ${ARN.replace("demo", "other")}`,
  });
  const wrong = new sdk.UpdateProjectCommand({ name: "demo", source: { type: "S3", location: "x" } });
  await assert.rejects(slipway.root.send(wrong), { name: "InvalidInputException" });
});

test("visibility, cache and deletion", async () => {
  await using slipway = await system();
  await makeProject(slipway);
  const visible = new sdk.UpdateProjectVisibilityCommand({ projectArn: ARN, projectVisibility: "PUBLIC_READ" });
  assert.equal((await slipway.root.send(visible)).projectVisibility, "PUBLIC_READ");
  assert.equal((await project(slipway)).projectVisibility, "PUBLIC_READ");
  await slipway.root.send(new sdk.InvalidateProjectCacheCommand({ projectName: "demo" }));
  await slipway.root.send(new sdk.DeleteProjectCommand({ name: ARN }));
  await slipway.root.send(new sdk.DeleteProjectCommand({ name: "demo" }));
  await assert.rejects(slipway.root.send(new sdk.InvalidateProjectCacheCommand({ projectName: "demo" })), {
    name: "ResourceNotFoundException",
  });
});

test("projects are listed by name and by time, page by page", async () => {
  await using slipway = await system();
  const names = Array.from({ length: 103 }, (_, index) => `p-${String((index * 37) % 103).padStart(3, "0")}`);
  for (const [index, name] of names.entries()) {
    // Pairs with equal times, which are in the order of their names.
    slipway.setNow(new Date(NOW.getTime() + Math.floor(index / 2)));
    await makeProject(slipway, { name });
  }
  const all = async (input: sdk.ListProjectsInput) => {
    const pages: string[][] = [];
    let nextToken: string | undefined;
    do {
      const page: sdk.ListProjectsCommandOutput = (await slipway.root.send(
        new sdk.ListProjectsCommand({ ...input, ...(nextToken && { nextToken }) }),
      )) as sdk.ListProjectsCommandOutput;
      pages.push(page.projects!);
      nextToken = page.nextToken;
    } while (nextToken);
    return pages;
  };
  const byName = await all({});
  assert.deepEqual(
    byName.map((page) => page.length),
    [100, 3],
  );
  assert.deepEqual(byName.flat(), [...names].sort());
  assert.deepEqual((await all({ sortOrder: "DESCENDING" })).flat(), [...names].sort().reverse());
  const inPairs = Array.from({ length: 52 }, (_, pair) => names.slice(pair * 2, pair * 2 + 2).sort()).flat();
  assert.deepEqual((await all({ sortBy: "CREATED_TIME" })).flat(), inPairs);
  assert.deepEqual((await all({ sortBy: "LAST_MODIFIED_TIME", sortOrder: "DESCENDING" })).flat(), inPairs.reverse());

  const { nextToken } = await slipway.root.send(new sdk.ListProjectsCommand({}));
  for (const token of ["forged", nextToken!.slice(2)]) {
    await assert.rejects(slipway.root.send(new sdk.ListProjectsCommand({ nextToken: token })), {
      name: "InvalidInputException",
      message: "Invalid nextToken",
    });
  }
  const elsewhere = new sdk.ListProjectsCommand({ nextToken: nextToken!, sortBy: "CREATED_TIME" });
  await assert.rejects(slipway.root.send(elsewhere), { name: "InvalidInputException" });
});

test("projects of another account or region are not there", async () => {
  await using slipway = await system();
  await makeProject(slipway);
  const elsewhere = slipway.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: "eu-west-1" });
  const other = slipway.client(rootPrincipal("999988887777"), { accountId: "999988887777", region: REGION });
  for (const client of [elsewhere, other]) {
    assert.deepEqual((await client.send(new sdk.ListProjectsCommand({}))).projects, []);
    const { projects, projectsNotFound } = await client.send(new sdk.BatchGetProjectsCommand({ names: ["demo"] }));
    assert.deepEqual([projects, projectsNotFound], [[], ["demo"]]);
  }
  await assert.rejects(other.send(new sdk.BatchGetProjectsCommand({ names: [ARN] })), { name: "AccessDenied" });
  const { projects, projectsNotFound } = await slipway.root.send(
    new sdk.BatchGetProjectsCommand({ names: ["demo", ARN, "missing", "demo"] }),
  );
  assert.deepEqual([projects!.map(({ name }) => name), projectsNotFound], [["demo"], ["missing"]]);
});

const policy = (actions: string[]) =>
  new PutUserPolicyCommand({
    UserName: "dev",
    PolicyName: "p",
    PolicyDocument: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
    }),
  });

async function aUser(slipway: TestSystem, actions: string[]) {
  const { CreateAccessKeyCommand, CreateUserCommand } = await import("@aws-sdk/client-iam");
  await slipway.root.send(new CreateUserCommand({ UserName: "dev" }));
  await slipway.root.send(policy(actions));
  const { AccessKey } = await slipway.root.send(new CreateAccessKeyCommand({ UserName: "dev" }));
  const principal = await slipway.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! });
  const user = slipway.client(principal, { accountId: ACCOUNT, region: REGION });
  return { user, arn: principal.arn };
}
