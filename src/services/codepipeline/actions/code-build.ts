/**
 * Build and Test / AWS / CodeBuild: runs a project on the action's input artifacts.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
 */
import {
  BatchGetBuildsCommand,
  type Build,
  type ProjectArtifacts,
  StartBuildCommand,
  type StartBuildCommandInput,
} from "@aws-sdk/client-codebuild";
import type { ActionDetail, Artifact } from "../model.ts";
import { ActionFailure, type ActionJob, type ActionOutcome, type ActionProvider, after } from "./action-provider.ts";
import { failureOf, serviceSuffix } from "./service-errors.ts";

/** CodeBuild announces every change; this is for announcements that got lost. */
const POLL_MS = 5_000;

function provider(category: "Build" | "Test"): ActionProvider {
  return {
    type: {
      id: { category, owner: "AWS", provider: "CodeBuild", version: "1" },
      description: "Runs a build of a CodeBuild project",
      properties: [
        { name: "ProjectName", required: true, description: "The project" },
        {
          name: "PrimarySource",
          required: false,
          description: "The input artifact with the buildspec, where there are several",
        },
        { name: "EnvironmentVariables", required: false, description: "A JSON array of name, value and type" },
        {
          name: "BatchEnabled",
          required: false,
          description: "Batch builds are not built in this version of Slipway: false",
          values: ["false"],
        },
      ],
      inputs: { minimum: 1, maximum: 5 },
      outputs: { minimum: 0, maximum: 5 },
    },
    mistake: ({ EnvironmentVariables }) => environmentMistake(EnvironmentVariables),
    entityUrl: ({ ProjectName }, region) =>
      `https://console.aws.amazon.com/codebuild/home?region=${region}#/projects/${ProjectName}/view`,
    run: (job) => (job.detail.externalId === undefined ? start(job) : check(job, job.detail.externalId)),
  };
}

export const codeBuildBuild = provider("Build");
export const codeBuildTest = provider("Test");

/** The start and the note of the build's id are one transaction; the token is for a start whose answer got lost. */
async function start(job: ActionJob): Promise<ActionOutcome> {
  await job.atomically(async (client) => {
    const { build } = await client.send(new StartBuildCommand(startBuildInput(job))).catch((error: unknown) => {
      throw failureOf(
        error,
        (message) => `Error calling startBuild: ${message}`,
        (other) =>
          new ActionFailure(
            "JobFailed",
            `Error calling startBuild: ${other.message} ${serviceSuffix("AWSCodeBuild", other)}`,
          ),
      );
    });
    const externalId = build!.id!;
    const externalUrl = `https://console.aws.amazon.com/codebuild/home?region=${job.pipeline.region}#/builds/${externalId}/view/new`;
    return { progress: {}, detail: { externalId, externalUrl } };
  });
  return { status: "InProgress", again: after(job.now, POLL_MS) };
}

export function startBuildInput(job: ActionJob): StartBuildCommandInput {
  const { ProjectName, PrimarySource, EnvironmentVariables } = job.configuration;
  const [first] = job.inputs;
  const primary = PrimarySource === undefined ? first : job.inputs.find(({ name }) => name === PrimarySource);
  if (!primary) {
    throw new ActionFailure(
      "ConfigurationError",
      `PrimarySource '${PrimarySource}' is not an input artifact of the action`,
    );
  }
  const secondary = job.inputs.filter((input) => input !== primary);
  const [output, ...moreOutputs] = job.outputs;
  const several = moreOutputs.length > 0;
  return {
    projectName: ProjectName,
    idempotencyToken: job.id,
    sourceTypeOverride: "S3",
    sourceLocationOverride: `${primary.bucket}/${primary.key}`,
    secondarySourcesOverride: secondary.map(({ name, bucket, key }) => ({
      type: "S3",
      location: `${bucket}/${key}`,
      sourceIdentifier: name,
    })),
    artifactsOverride: output && !several ? artifactsIn(output) : { type: "NO_ARTIFACTS" },
    // With several outputs each is one of the buildspec's secondary artifacts, by its name.
    secondaryArtifactsOverride: several
      ? job.outputs.map((artifact) => ({ ...artifactsIn(artifact), artifactIdentifier: artifact.name }))
      : [],
    environmentVariablesOverride: environmentOf(EnvironmentVariables),
    ...(job.artifactStore.encryptionKey && { encryptionKeyOverride: job.artifactStore.encryptionKey.id }),
  };
}

/** Exactly the artifact's key: CodeBuild joins path and name. */
function artifactsIn({ bucket, key }: Artifact): ProjectArtifacts {
  const slash = key.lastIndexOf("/");
  return {
    type: "S3",
    location: bucket,
    path: key.slice(0, slash),
    name: key.slice(slash + 1),
    packaging: "ZIP",
    namespaceType: "NONE",
    overrideArtifactName: false,
  };
}

async function check(job: ActionJob, buildId: string): Promise<ActionOutcome> {
  const client = await job.role();
  const { builds } = await client.send(new BatchGetBuildsCommand({ ids: [buildId] })).catch((error: unknown) => {
    throw failureOf(error, (message) => `Error calling batchGetBuilds: ${message}`);
  });
  const build = builds?.[0];
  if (!build) throw new ActionFailure("JobFailed", `The build ${buildId} does not exist any more`);
  if (build.buildStatus === "IN_PROGRESS")
    return { status: "InProgress", again: after(job.now, POLL_MS), detail: job.detail };
  if (build.buildStatus !== "SUCCEEDED") {
    const message = terminated(build);
    return { status: "Failed", error: { code: "JobFailed", message }, detail: { ...job.detail, summary: message } };
  }
  const variables = Object.fromEntries(
    (build.exportedEnvironmentVariables ?? []).map(({ name, value }) => [name!, value ?? ""]),
  );
  const detail: ActionDetail = { ...job.detail, outputs: job.outputs, variables };
  return { status: "Succeeded", detail };
}

/** "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: …" */
function terminated({ buildStatus, phases }: Build): string {
  const state = `Build terminated with state: ${buildStatus}`;
  const failed = phases?.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== "SUCCEEDED");
  const context = failed?.contexts?.find(({ message }) => message);
  return failed && context
    ? `${state}. Phase: ${failed.phaseType}, Code: ${context.statusCode}, Message: ${context.message}`
    : state;
}

interface Variable {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
}

function environmentOf(json: string | undefined): StartBuildCommandInput["environmentVariablesOverride"] {
  if (json === undefined) return [];
  const mistake = environmentMistake(json);
  if (mistake !== undefined) throw new ActionFailure("ConfigurationError", mistake);
  return (JSON.parse(json) as Variable[]).map(({ name, value, type = "PLAINTEXT" }) => ({
    name,
    value,
    type: type as "PLAINTEXT",
  }));
}

const VARIABLE_TYPES: readonly unknown[] = ["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"];

function environmentMistake(json: string | undefined): string | undefined {
  if (json === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return "EnvironmentVariables is not valid JSON; write an array of objects with name, value and type";
  }
  const sound =
    Array.isArray(parsed) &&
    parsed.every(
      (item: Partial<Variable> | null) =>
        typeof item?.name === "string" &&
        typeof item.value === "string" &&
        (item.type === undefined || VARIABLE_TYPES.includes(item.type)),
    );
  return sound
    ? undefined
    : "EnvironmentVariables must be a JSON array of objects with name, value and type, all strings";
}
