/** The images of a task's containers, pulled as the task's execution role. */

import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import { type EngineImage, ImageUnavailableError, type RegistryCredentials } from "#engines/engine.ts";
import type { System } from "#gateway/context.ts";
import { type OwnImage, ownImage, pulledNames, pullReference } from "#gateway/own-registry.ts";
import type { Task } from "../model.ts";
import { listTasksWithImages } from "../store/tasks.ts";
import type { RoleSession } from "./role-session.ts";
import { isRefusal, refusalText } from "./service-errors.ts";
import { TaskStartError } from "./task-start-error.ts";

/** Whether the first part of the name can only be a registry's host. */
export function hasRegistryHost(image: string): boolean {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
}

/**
 * By container name. Throws TaskStartError with AWS's sentences:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
 */
export async function pulledImages(
  system: System,
  containers: readonly ContainerDefinition[],
  role: RoleSession | undefined,
  signal: AbortSignal,
): Promise<Map<string, EngineImage>> {
  const pulls = new Map<string, Promise<EngineImage>>();
  for (const { image = "" } of containers) {
    if (!pulls.has(image)) pulls.set(image, pulledImage(system, image, role, signal));
  }
  await Promise.all(pulls.values());
  const images = new Map<string, EngineImage>();
  for (const { name = "", image = "" } of containers) images.set(name, await pulls.get(image)!);
  return images;
}

/**
 * Takes from the engine what it pulled for a task whose group is removed: an image that no other task uses goes with its
 * last name. Images of other registries stay, for they may have been there before.
 */
export async function releaseImages(system: System, task: Task): Promise<void> {
  const { port } = system.config;
  const namesFor = ({ document }: Task) =>
    document.containers.flatMap(({ image, imageDigest }) => pulledNames(port, image, imageDigest));
  const own = new Set(namesFor(task));
  if (own.size === 0) return;
  const others = (await listTasksWithImages(system.db)).filter(({ id }) => id !== task.id);
  const used = new Set(others.flatMap(namesFor));
  for (const name of own) if (!used.has(name)) await system.engine.untag(name);
}

async function pulledImage(
  system: System,
  image: string,
  role: RoleSession | undefined,
  signal: AbortSignal,
): Promise<EngineImage> {
  const ecr = ownImage(image);
  try {
    if (!ecr) return await system.engine.pull(image, { signal });
    const credentials = await ecrCredentials(role, ecr);
    return await system.engine.pull(pullReference(system.config.port, image), { credentials, signal });
  } catch (error) {
    if (!(error instanceof ImageUnavailableError)) throw error;
    // A name without a host may be an image that was only ever built on the engine: AWS has no such thing.
    const local = ecr || hasRegistryHost(image) ? undefined : await system.engine.image(image);
    if (local) return local;
    throw new TaskStartError(
      `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${image}: ${error.message}`,
    );
  }
}

async function ecrCredentials(role: RoleSession | undefined, ecr: OwnImage): Promise<RegistryCredentials> {
  if (!role)
    throw new TaskStartError("CannotPullContainerError: the task definition has no execution role to pull images with");
  try {
    const client = await role.client(ecr.region);
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
    const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64").toString();
    const colon = token.indexOf(":");
    return { username: token.slice(0, colon), password: token.slice(colon + 1) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new TaskStartError(
      `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): ${refusalText(error)}`,
    );
  }
}
