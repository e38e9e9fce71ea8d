/**
 * What a build adds to its commands: a project without source whose buildspec is one `echo`, from StartBuild to
 * `buildComplete`, less `docker run` of the same command on the same image and engine with the same limits. In turn.
 */
import { availableParallelism } from "node:os";
import { BatchGetBuildsCommand, CreateProjectCommand, StartBuildCommand } from "@aws-sdk/client-codebuild";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { type Clients, clientsOf } from "#demo/clients.ts";
import { until } from "#demo/until.ts";
import { run } from "#setup/command.ts";
import { imageReference } from "#setup/image-recipe.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";

const COMMAND = "echo hello";
const PROJECT = "bench";
/** BUILD_GENERAL1_SMALL, as far as the host has the processors. */
const LIMITS = ["--memory", "3g", "--memory-swap", "3g", "--cpus", String(Math.min(2, availableParallelism()))];

export const buildOverhead: Measurement = { name: "build-overhead", runs: 7, containers: true, measure };

async function measure({ runs, log }: Conditions): Promise<readonly Figure[]> {
  await using slipway = await SlipwayProcess.start();
  const clients = clientsOf(slipway.running);
  await createProject(clients);
  await trivialBuild(clients); // the first one makes the network and looks at the image
  await plainRun();
  const builds: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < runs; round++) {
    plain.push(await plainRun());
    builds.push(await trivialBuild(clients));
    log(`build ${builds.at(-1)!.toFixed(2)} s, docker run ${plain.at(-1)!.toFixed(2)} s`);
  }
  return [
    {
      name: "trivial build over docker run",
      unit: "s",
      values: builds.map((s, i) => s - plain[i]!),
      goal: { atMost: 0.7 },
    },
    { name: "  build, StartBuild to buildComplete", unit: "s", values: builds },
    { name: "  docker run", unit: "s", values: plain },
  ];
}

async function createProject({ iam, codebuild }: Clients): Promise<void> {
  const statement = { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" };
  const trust = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: PROJECT, AssumeRolePolicyDocument: trust }));
  const allowed = { Effect: "Allow", Action: "logs:*", Resource: "*" };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [allowed] });
  await iam.send(new PutRolePolicyCommand({ RoleName: PROJECT, PolicyName: "logs", PolicyDocument }));
  const buildspec = `version: 0.2\nphases:\n  build:\n    commands:\n      - ${COMMAND}\n`;
  await codebuild.send(
    new CreateProjectCommand({
      name: PROJECT,
      source: { type: "NO_SOURCE", buildspec },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: {
        type: "LINUX_CONTAINER",
        image: "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
        computeType: "BUILD_GENERAL1_SMALL",
      },
      serviceRole: Role!.Arn!,
    }),
  );
}

async function trivialBuild({ codebuild }: Clients): Promise<number> {
  const started = performance.now();
  const { build } = await codebuild.send(new StartBuildCommand({ projectName: PROJECT }));
  const ids = [build!.id!];
  const done = await until(
    async () => {
      const { builds } = await codebuild.send(new BatchGetBuildsCommand({ ids }));
      return builds?.[0]?.buildComplete ? builds[0] : undefined;
    },
    Boolean,
    { withinMs: 60_000, everyMs: 10 },
  );
  const seconds = (performance.now() - started) / 1000;
  if (done.buildStatus !== "SUCCEEDED")
    throw new Error(`The build is ${done.buildStatus}: ${JSON.stringify(done.phases)}`);
  return seconds;
}

async function plainRun(): Promise<number> {
  const started = performance.now();
  const output = await run("docker", ["run", "--rm", ...LIMITS, imageReference("standard"), "sh", "-c", COMMAND]);
  if (output.trim() !== "hello") throw new Error(`docker run printed ${output}`);
  return (performance.now() - started) / 1000;
}
