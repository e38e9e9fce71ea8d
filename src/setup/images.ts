import { join } from "node:path";
import { DockerApi, DockerApiError, jsonLines, type ProgressLine } from "#docker/docker-api.ts";
import { bootstrapImage, canBootstrap } from "./bootstrap.ts";
import { buildOnDebian } from "./build-on-debian.ts";
import { withFileLock } from "./file-lock.ts";
import { type ImageName, type ImageRecipe, imageRecipe, imageReference } from "./image-recipe.ts";
import { type Log, withProgress } from "./progress.ts";

/** A registry that has not begun to answer, or stops in the middle of it, for this long is given up. */
const REGISTRY_ANSWERS_WITHIN_MS = 10_000;

export interface ImagesOptions {
  /** The Unix socket of the engine that is to hold the images. */
  readonly socketPath: string;
  readonly dataDir: string;
  readonly names: readonly ImageName[];
  readonly log: Log;
}

/**
 * Makes sure that the engine holds these images and returns their references. An image is pulled where its recipe names a
 * public one and the registry answers, else built from Debian packages: by root on Debian or Ubuntu without any registry,
 * by others on top of Docker Hub's Debian. Built once per recipe; several processes may ask
 * at once. Throws with what failed and what to do.
 */
export async function ensureImages(options: ImagesOptions): Promise<ReadonlyMap<ImageName, string>> {
  const docker = new DockerApi(options.socketPath);
  const references = new Map(options.names.map((name) => [name, imageReference(name)]));
  for (const [name, reference] of references) {
    if (await holds(docker, reference)) continue;
    // One after the other: each keeps a whole processor and the network busy.
    await withFileLock(
      join(options.dataDir, "images.lock"),
      async () => {
        if (!(await holds(docker, reference))) await makeImage(docker, name, reference, options.log);
      },
      () => options.log("Waiting for another process that is building images"),
    );
  }
  return references;
}

/** Whether the engine holds an image of this reference or id. */
async function holds(docker: DockerApi, reference: string): Promise<boolean> {
  try {
    await docker.get(`/images/${reference}/json`);
    return true;
  } catch (error) {
    if (error instanceof DockerApiError && error.statusCode === 404) return false;
    throw error;
  }
}

async function makeImage(docker: DockerApi, name: ImageName, reference: string, log: Log): Promise<void> {
  const recipe = imageRecipe(name);
  const id =
    (await pulled(docker, recipe, log)) ??
    (await withProgress(log, `Building the image ${name} from Debian packages`, (atStep) =>
      canBootstrap() ? bootstrapImage(docker, recipe, log, atStep) : buildOnDebian(docker, recipe, atStep),
    ));
  const [repo = "", tag = ""] = reference.split(":");
  await docker.post(`/images/${id}/tag`, { query: { repo, tag } });
}

/** The recipe's public image, which the engine has or can pull; undefined where there is none or no registry answers. */
async function pulled(docker: DockerApi, recipe: ImageRecipe, log: Log): Promise<string | undefined> {
  const reference = recipe.pull;
  if (reference === undefined) return undefined;
  if (await holds(docker, reference)) return reference;
  try {
    await withProgress(log, `Pulling ${reference}`, () => pull(docker, reference));
    return reference;
  } catch (error) {
    log(`${reference} cannot be pulled: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** Pulls an image, for as long as its registry keeps sending something. */
async function pull(docker: DockerApi, reference: string): Promise<void> {
  const silence = new AbortController();
  const giveUp = () => silence.abort(new Error("the registry does not answer"));
  let timer = setTimeout(giveUp, REGISTRY_ANSWERS_WITHIN_MS);
  try {
    const [fromImage, tag] = reference.split(":");
    const progress = await docker.open("POST", "/images/create", {
      query: { fromImage, tag },
      signal: silence.signal,
    });
    for await (const line of jsonLines<ProgressLine>(progress)) {
      if (line.error !== undefined) throw new Error(line.error);
      clearTimeout(timer);
      timer = setTimeout(giveUp, REGISTRY_ANSWERS_WITHIN_MS);
    }
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
