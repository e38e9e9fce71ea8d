/** A system with CodeBuild and the services that builds need, a service role, and short ways to make projects and wait. */

import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  BatchGetBuildsCommand,
  type Build,
  CreateProjectCommand,
  type CreateProjectInput,
  StartBuildCommand,
  type StartBuildInput,
} from "@aws-sdk/client-codebuild";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { codebuild } from "#services/codebuild/index.ts";
import { BUILD_TOPIC } from "#services/codebuild/submit-build.ts";
import { codestarConnections } from "#services/codestar-connections/index.ts";
import { ecr } from "#services/ecr/index.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { kms } from "#services/kms/index.ts";
import { logs } from "#services/logs/index.ts";
import { s3 } from "#services/s3/index.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, type TestSystem, type TestSystemOptions, testSystem } from "./test-system.ts";

export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/build-role`;
/** Of the fake engine; the standard image's reference stands in for all managed ones. */
export const MANAGED_IMAGE = "aws/codebuild/standard:7.0";

const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

export async function codebuildSystem(options: Omit<TestSystemOptions, "services"> = {}): Promise<TestSystem> {
  const system = await testSystem({
    services: [codebuild, codestarConnections, ecr, iam, kms, logs, s3, sts],
    identities: (parts) => new IamIdentities(parts),
    ...options,
  });
  return system;
}

/** A role that CodeBuild may assume and that may do these things, everything by default. */
export async function makeRole(system: TestSystem, actions: string[] = ["*"], name = "build-role"): Promise<string> {
  await system.root.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] };
  await system.root.send(
    new PutRolePolicyCommand({ RoleName: name, PolicyName: "access", PolicyDocument: JSON.stringify(policy) }),
  );
  return `arn:aws:iam::${ACCOUNT}:role/${name}`;
}

export const BUILDSPEC = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n";

export function aProject(overrides: Partial<CreateProjectInput> = {}): CreateProjectInput {
  return {
    name: "demo",
    source: { type: "NO_SOURCE", buildspec: BUILDSPEC },
    artifacts: { type: "NO_ARTIFACTS" },
    environment: { type: "LINUX_CONTAINER", image: MANAGED_IMAGE, computeType: "BUILD_GENERAL1_SMALL" },
    serviceRole: ROLE_ARN,
    ...overrides,
  };
}

export async function makeProject(system: TestSystem, overrides: Partial<CreateProjectInput> = {}): Promise<void> {
  await system.root.send(new CreateProjectCommand(aProject(overrides)));
}

export async function start(system: TestSystem, input: Partial<StartBuildInput> = {}): Promise<Build> {
  const { build } = await system.root.send(new StartBuildCommand({ projectName: "demo", ...input }));
  return build!;
}

export async function current(system: TestSystem, { id }: Pick<Build, "id">): Promise<Build> {
  const { builds } = await system.root.send(new BatchGetBuildsCommand({ ids: [id!] }));
  return builds![0]!;
}

/** The build, once it is as asked. */
export async function reached(
  system: TestSystem,
  { id }: Pick<Build, "id">,
  isReached: (build: Build) => boolean,
): Promise<Build> {
  for (;;) {
    const changed = new Promise<void>((resolve) => {
      const unsubscribe = system.bus.subscribe(BUILD_TOPIC, () => {
        unsubscribe();
        resolve();
      });
    });
    const build = await current(system, { id: id! });
    if (isReached(build)) return build;
    await changed;
  }
}

export function completed(system: TestSystem, build: Pick<Build, "id">): Promise<Build> {
  return reached(system, build, ({ buildComplete }) => buildComplete === true);
}

/** The log's lines, without the agent's clock. */
export async function logLines(system: TestSystem, { logs: place }: Build): Promise<string[]> {
  const { events } = await system.root.send(
    new GetLogEventsCommand({
      logGroupName: place!.groupName!,
      logStreamName: place!.streamName!,
      startFromHead: true,
    }),
  );
  return events!.map(({ message }) =>
    message!.replace(/\n$/, "").replace(/^\[Container\] [\d/]+ [\d:.]+ /, "[Container] "),
  );
}

/** Phase and status of all phases, `BUILD FAILED`. */
export function phasesOf({ phases }: Build): string[] {
  return phases!.map(({ phaseType, phaseStatus }) => [phaseType, phaseStatus].filter(Boolean).join(" "));
}

export function contextOf(build: Build, phase: string) {
  return build.phases!.find(({ phaseType }) => phaseType === phase)?.contexts?.[0];
}
