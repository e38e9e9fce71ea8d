/** The image of a build's environment, as the engine holds it. */
import type { Build } from "@aws-sdk/client-codebuild";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { type EngineImage, ImageUnavailableError } from "#engines/engine.ts";
import type { Client } from "#gateway/client.ts";
import { type System, servicePrincipal } from "#gateway/context.ts";
import { ownImage, pulledNames, pullReference } from "#gateway/own-registry.ts";
import { imageReference } from "#setup/image-recipe.ts";
import { managedImage } from "#setup/managed-image.ts";
import { type BuildRecord, projectArn } from "../model.ts";
import { CODEBUILD_PRINCIPAL } from "../service-role.ts";
import { listRunningBuilds } from "../store/builds.ts";
import { isRefusal, PhaseFailure, refusalText } from "./phase-failure.ts";

const UNABLE_TO_PULL = "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE";

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
    if (ownImage(name)) return await pulledFromEcr(system, build, role, signal);
    return (await system.engine.image(name)) ?? (await system.engine.pull(name, { signal }));
  } catch (error) {
    if (!(error instanceof ImageUnavailableError)) throw error;
    throw unableToPull(`Error response from daemon: ${error.message}`);
  }
}

/**
 * Takes from the engine what it pulled from Slipway's own registry for a build that is over: an image that no other build
 * uses goes with its last name. Other images stay, for they may have been there before.
 */
export async function releaseImage(system: System, record: BuildRecord): Promise<void> {
  const namesFor = ({ build, run }: BuildRecord) =>
    pulledNames(system.config.port, build.environment?.image ?? "", run.imageDigest);
  const own = namesFor(record);
  if (own.length === 0) return;
  const others = (await listRunningBuilds(system.db)).filter(({ uuid }) => uuid !== record.uuid);
  const used = new Set(others.flatMap(namesFor));
  for (const name of own) if (!used.has(name)) await system.engine.untag(name);
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

async function pulledFromEcr(system: System, build: Build, role: Client, signal: AbortSignal): Promise<EngineImage> {
  const name = build.environment!.image!;
  const { accountId: registryId, region } = ownImage(name)!;
  const asRole = build.environment!.imagePullCredentialsType === "SERVICE_ROLE";
  const principal = asRole ? role.principal : servicePrincipal(CODEBUILD_PRINCIPAL, role.scope.accountId);
  const sourceArn = projectArn(role.scope, build.projectName!);
  const ecr = system.client(principal, { ...role.scope, region, ...(!asRole && { sourceArn }) });
  try {
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({ registryIds: [registryId] }));
    const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64").toString();
    const credentials = { username: "AWS", password: token.slice(token.indexOf(":") + 1) };
    return await system.engine.pull(pullReference(system.config.port, name), { credentials, signal });
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
