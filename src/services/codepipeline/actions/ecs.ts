/**
 * Deploy / AWS / ECS: a new revision of the service's task definition with the images of `imagedefinitions.json`, and a
 * rolling deployment of it. https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
 */
import {
  type ContainerDefinition,
  type Deployment,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  type Service,
  type Tag,
  type TaskDefinition,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import type { Client } from "#gateway/client.ts";
import { readArtifact } from "../artifacts.ts";
import type { ActionDetail } from "../model.ts";
import { ActionFailure, type ActionJob, type ActionOutcome, type ActionProvider, after } from "./action-provider.ts";
import { type ImageDefinition, imageDefinitions } from "./image-definitions.ts";
import { failureOf } from "./service-errors.ts";

const POLL_MS = 1_000;
const MAX_ARTIFACT_BYTES = 256 * 1024 * 1024;
const DEFAULT_TIMEOUT_MINUTES = 60;

interface Progress {
  /** The revision that this action registered and gave to the service. */
  readonly taskDefinition: string;
}

export const ecs: ActionProvider = {
  type: {
    id: { category: "Deploy", owner: "AWS", provider: "ECS", version: "1" },
    description: "Deploys images to an Amazon ECS service",
    properties: [
      { name: "ClusterName", required: true, description: "The cluster" },
      { name: "ServiceName", required: true, description: "The service" },
      {
        name: "FileName",
        required: false,
        description: "The image definitions file; imagedefinitions.json by default",
      },
      { name: "DeploymentTimeout", required: false, description: "Minutes, 60 by default and at most" },
    ],
    inputs: { minimum: 1, maximum: 1 },
    outputs: { minimum: 0, maximum: 0 },
  },
  mistake({ DeploymentTimeout }) {
    const minutes = Number(DeploymentTimeout ?? DEFAULT_TIMEOUT_MINUTES);
    const sound = Number.isInteger(minutes) && minutes >= 1 && minutes <= DEFAULT_TIMEOUT_MINUTES;
    return sound ? undefined : `DeploymentTimeout '${DeploymentTimeout}' must be a number of minutes from 1 to 60`;
  },
  entityUrl: ({ ClusterName, ServiceName }, region) =>
    `https://console.aws.amazon.com/ecs/home?region=${region}#/clusters/${ClusterName}/services/${ServiceName}`,
  run: (job) => (job.progress === undefined ? deploy(job) : check(job, job.progress as Progress)),
};

/** The revision, the service's change and the note of both are one transaction, so a crash leaves all or nothing. */
async function deploy(job: ActionJob): Promise<ActionOutcome> {
  const { ClusterName: cluster, ServiceName: service, FileName = "imagedefinitions.json" } = job.configuration;
  const client = await job.role();
  const [input] = job.inputs;
  const zip = await readArtifact(client, input!, MAX_ARTIFACT_BYTES);
  const images = await imageDefinitions(zip, FileName, input!);
  const { taskDefinition: current } = await activeService(client, job);
  const { taskDefinition, tags = [] } = await client
    .send(new DescribeTaskDefinitionCommand({ taskDefinition: current, include: ["TAGS"] }))
    .catch(rethrown);
  const revision = nextRevision(taskDefinition!, tags, images);
  await job.atomically(async (ours) => {
    const registered = await ours.send(new RegisterTaskDefinitionCommand(revision)).catch(rethrown);
    const arn = registered.taskDefinition!.taskDefinitionArn!;
    const updated = await ours
      .send(new UpdateServiceCommand({ cluster, service, taskDefinition: arn }))
      .catch(rethrown);
    const id = updated.service?.deployments?.find((candidate) => candidate.taskDefinition === arn)?.id;
    const progress: Progress = { taskDefinition: arn };
    return {
      progress,
      detail: { ...shown(job, id), summary: `Deployment of ${arn.slice(arn.lastIndexOf("/") + 1)} started` },
    };
  });
  return { status: "InProgress", again: after(job.now, 0) };
}

async function check(job: ActionJob, { taskDefinition }: Progress): Promise<ActionOutcome> {
  const service = await activeService(await job.role(), job);
  const deployments = service.deployments ?? [];
  const ours = deployments.find((deployment) => deployment.taskDefinition === taskDefinition);
  const primary = deployments.find(({ status }) => status === "PRIMARY");
  const detail: ActionDetail = { ...job.detail, ...shown(job, ours?.id) };
  if (ours?.rolloutState === "FAILED" || !ours || ours !== primary) {
    const reason = ours?.rolloutStateReason ?? `The deployment was replaced by one of ${primary?.taskDefinition}`;
    return { status: "Failed", error: { code: "JobFailed", message: `Deployment failed. ${reason}` }, detail };
  }
  if (isComplete(ours, deployments)) {
    return { status: "Succeeded", detail: { ...detail, summary: "Deployment Succeeded" } };
  }
  const minutes = Number(job.configuration.DeploymentTimeout ?? DEFAULT_TIMEOUT_MINUTES);
  if (job.now.getTime() >= job.startedAt.getTime() + minutes * 60_000) {
    const message = `The deployment did not complete within ${minutes} minutes: ${ours.runningCount} of ${ours.desiredCount} tasks run. ${service.events?.[0]?.message ?? ""}`;
    return { status: "Failed", error: { code: "JobFailed", message: message.trim() }, detail };
  }
  return { status: "InProgress", again: after(job.now, POLL_MS), detail, progress: job.progress };
}

/** ECS counts a rollout as complete when the new tasks are steady and the old ones gone. */
function isComplete(ours: Deployment, deployments: readonly Deployment[]): boolean {
  return ours.rolloutState === "COMPLETED" && ours.runningCount === ours.desiredCount && deployments.length === 1;
}

async function activeService(client: Client, { configuration }: ActionJob): Promise<Service> {
  const { ClusterName: cluster, ServiceName: name } = configuration;
  const { services } = await client
    .send(new DescribeServicesCommand({ cluster, services: [name!] }))
    .catch((error: unknown) => {
      if ((error as Error).name === "ClusterNotFoundException") {
        throw new ActionFailure("ConfigurationError", `The Amazon ECS cluster '${cluster}' does not exist.`);
      }
      return rethrown(error);
    });
  const service = services?.[0];
  if (!service) throw new ActionFailure("ConfigurationError", `The Amazon ECS service '${name}' does not exist.`);
  if (service.status !== "ACTIVE") {
    throw new ActionFailure("ConfigurationError", `The Amazon ECS service '${name}' is not active.`);
  }
  return service;
}

/** Members of a description that registering does not take. */
type Derived =
  | "taskDefinitionArn"
  | "revision"
  | "status"
  | "requiresAttributes"
  | "compatibilities"
  | "registeredAt"
  | "registeredBy"
  | "deregisteredAt"
  | "deleteRequestedAt";

/** The same task definition with new images. Throws ActionFailure for a container that it does not have. */
export function nextRevision(
  current: TaskDefinition,
  tags: readonly Tag[],
  images: readonly ImageDefinition[],
): RegisterTaskDefinitionCommandInput {
  const {
    taskDefinitionArn,
    revision,
    status,
    requiresAttributes,
    compatibilities,
    registeredAt,
    registeredBy,
    deregisteredAt,
    deleteRequestedAt,
    ...kept
  }: TaskDefinition & Partial<Record<Derived, unknown>> = current;
  const containers: ContainerDefinition[] = (current.containerDefinitions ?? []).map((container) => ({ ...container }));
  for (const { name, imageUri } of images) {
    const container = containers.find((candidate) => candidate.name === name);
    if (!container) throw new ActionFailure("ConfigurationError", `The AWS ECS container ${name} does not exist`);
    container.image = imageUri;
  }
  return {
    ...kept,
    family: current.family!,
    containerDefinitions: containers,
    ...(tags.length > 0 && { tags: [...tags] }),
  };
}

function shown(job: ActionJob, deploymentId: string | undefined): ActionDetail {
  if (deploymentId === undefined) return {};
  const { ClusterName, ServiceName } = job.configuration;
  return {
    externalId: deploymentId,
    externalUrl: `https://console.aws.amazon.com/ecs/home?region=${job.pipeline.region}#/clusters/${ClusterName}/services/${ServiceName}/deployments/${deploymentId}`,
  };
}

function rethrown(error: unknown): never {
  throw failureOf(
    error,
    (message) => `The provided role does not have sufficient permissions to access ECS. ${message}`,
  );
}
