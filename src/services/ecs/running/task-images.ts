/** The images of a task's containers, pulled as the task's execution role. */

import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import { type EngineImage, ImageUnavailableError, type RegistryCredentials } from "#engines/engine.ts";
import type { System } from "#gateway/context.ts";
import type { RoleSession } from "./role-session.ts";
import { isRefusal, refusalText } from "./service-errors.ts";
import { TaskStartError } from "./task-start-error.ts";

interface EcrReference {
  readonly accountId: string;
  readonly region: string;
  readonly host: string;
}

/** undefined for images of other registries. */
export function ecrReference(image: string): EcrReference | undefined {
  const match = /^((\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com)\//.exec(image);
  return match ? { host: match[1]!, accountId: match[2]!, region: match[3]! } : undefined;
}

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

async function pulledImage(
  system: System,
  image: string,
  role: RoleSession | undefined,
  signal: AbortSignal,
): Promise<EngineImage> {
  const ecr = ecrReference(image);
  try {
    if (!ecr) return await system.engine.pull(image, { signal });
    const credentials = await ecrCredentials(role, ecr);
    // The engine's host knows no registry by AWS's name; Slipway's own port serves it under any.
    const pulled = await system.engine.pull(`127.0.0.1:${system.config.port}/${image}`, { credentials, signal });
    if (!image.includes("@")) await system.engine.tag(pulled.id, image);
    return pulled;
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

async function ecrCredentials(role: RoleSession | undefined, ecr: EcrReference): Promise<RegistryCredentials> {
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
