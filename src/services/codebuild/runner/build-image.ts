/** The image of a build's environment, as the engine holds it. */
import type { Build } from "@aws-sdk/client-codebuild";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { type EngineImage, ImageUnavailableError } from "#engines/engine.ts";
import type { Client } from "#gateway/client.ts";
import { type System, servicePrincipal } from "#gateway/context.ts";
import { imageReference } from "#setup/image-recipe.ts";
import { managedImage } from "#setup/managed-image.ts";
import { CODEBUILD_PRINCIPAL } from "../service-role.ts";
import { isRefusal, PhaseFailure, refusalText } from "./phase-failure.ts";

const UNABLE_TO_PULL = "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE";
const ECR_IMAGE = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/.+$/;

/**
 * A managed image is the real one where the engine has it, else Slipway's standard image; an image of ECR is pulled anew
 * from this Slipway; any other is the engine's own, or pulled. `role` acts for the build's service role. Throws
 * PhaseFailure, with AWS's words, where there is no such image or it may not be read.
 */
export async function buildImage(
  system: System,
  build: Build,
  role: Client,
  signal: AbortSignal,
): Promise<EngineImage> {
  const name = build.environment!.image!;
  if (name.startsWith("aws/codebuild/")) return managed(system, name);
  try {
    if (ECR_IMAGE.test(name)) return await pulledFromEcr(system, build, role, signal);
    return (await system.engine.image(name)) ?? (await system.engine.pull(name, { signal }));
  } catch (error) {
    if (!(error instanceof ImageUnavailableError)) throw error;
    throw unableToPull(`Error response from daemon: ${error.message}`);
  }
}

async function managed(system: System, name: string): Promise<EngineImage> {
  const known = managedImage(name);
  if (!known) {
    throw unableToPull(
      `${name} is not a managed image that runs here; use aws/codebuild/amazonlinux2-x86_64-standard:5.0`,
    );
  }
  for (const reference of [...known.real, imageReference(known.standIn)]) {
    const image = await system.engine.image(reference);
    if (image) return image;
  }
  throw unableToPull(
    `the engine holds neither ${name} nor ${imageReference(known.standIn)}, which stands in for it; run "npm run setup" to build it`,
  );
}

/** The engine's daemon knows this Slipway's registry by its address; the image then gets the name that AWS has for it. */
async function pulledFromEcr(system: System, build: Build, role: Client, signal: AbortSignal): Promise<EngineImage> {
  const name = build.environment!.image!;
  const [, registryId = "", region = ""] = ECR_IMAGE.exec(name)!;
  const asRole = build.environment!.imagePullCredentialsType === "SERVICE_ROLE";
  const principal = asRole ? role.principal : servicePrincipal(CODEBUILD_PRINCIPAL, role.scope.accountId);
  const ecr = system.client(principal, { ...role.scope, region });
  try {
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({ registryIds: [registryId] }));
    const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64").toString();
    const credentials = { username: "AWS", password: token.slice(token.indexOf(":") + 1) };
    const image = await system.engine.pull(`127.0.0.1:${system.config.port}/${name}`, { credentials, signal });
    await system.engine.tag(image.id, name);
    return image;
  } catch (error) {
    if (isRefusal(error)) throw unableToPull(refusalText(error));
    throw error;
  }
}

function unableToPull(reason: string): PhaseFailure {
  return new PhaseFailure(
    UNABLE_TO_PULL,
    `Unable to pull customer's container image. CannotPullContainerError: ${reason}`,
  );
}
