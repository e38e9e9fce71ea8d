import type { ImageInspectInfo } from "#docker/types.ts";
import { type EngineImage, ImageUnavailableError, type RegistryCredentials } from "#engines/engine.ts";
import { type DockerClient, jsonLines, refusalStatus } from "./docker-client.ts";

export class Images {
  readonly #client: DockerClient;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  async find(reference: string): Promise<EngineImage | undefined> {
    try {
      return toEngineImage(
        reference,
        await this.#client.call((docker) => docker.get<ImageInspectInfo>(`/images/${reference}/json`)),
      );
    } catch (error) {
      if (refusalStatus(error) === 404) return undefined;
      throw error;
    }
  }

  async pull(
    reference: string,
    options: { credentials?: RegistryCredentials; signal?: AbortSignal } = {},
  ): Promise<EngineImage> {
    const { credentials, signal } = options;
    signal?.throwIfAborted();
    const auth = credentials && { ...credentials, serveraddress: registryOf(reference) };
    try {
      const progress = await this.#client.call((docker) =>
        docker.open("POST", "/images/create", { query: pullParameters(reference), auth, signal }),
      );
      // A registry's refusal can come as a line of a response that began with 200.
      for await (const event of jsonLines(progress)) {
        if (typeof event.error === "string") throw new ImageUnavailableError(event.error);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (refusalStatus(error) === undefined) throw error;
      throw new ImageUnavailableError((error as Error).message, { cause: error });
    }
    const image = await this.find(reference);
    if (image === undefined) throw new ImageUnavailableError(`No such image: ${reference}`);
    return image;
  }

  /** The daemon refuses to take the last name of an image that a container uses (409), unless forced: then only the name goes. */
  async untag(reference: string): Promise<void> {
    for (const force of [false, true]) {
      try {
        await this.#client.call((docker) => docker.delete(`/images/${reference}`, { query: { force } }));
        return;
      } catch (error) {
        const status = refusalStatus(error);
        if (status === 404) return;
        if (force || status !== 409) throw error;
      }
    }
  }
}

/** `repository[:tag][@digest]`; a colon before the last slash belongs to a port. */
export function referenceParts(reference: string): {
  repository: string;
  tag: string | undefined;
  digest: string | undefined;
} {
  const [name = "", digest] = reference.split("@", 2);
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  if (colon === -1) return { repository: name, tag: undefined, digest };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

/** Without a tag, the Engine API would fetch every tag of the repository. */
function pullParameters(reference: string): { fromImage: string; tag: string } {
  const { repository, tag, digest } = referenceParts(reference);
  return { fromImage: repository, tag: digest ?? tag ?? "latest" };
}

/** The first part of a name is a registry if it can only be a host; else the name is Docker Hub's. */
function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "https://index.docker.io/v1/";
}

function toEngineImage(reference: string, image: ImageInspectInfo): EngineImage {
  const { repository } = referenceParts(reference);
  const digests = image.RepoDigests ?? [];
  const own = digests.find((digest) => digest.startsWith(`${repository}@`)) ?? digests[0];
  const { Cmd: command, Entrypoint: entrypoint, Env: environment, WorkingDir: workingDirectory } = image.Config;
  return {
    id: image.Id,
    digest: own?.split("@")[1],
    command: command ?? [],
    entrypoint: typeof entrypoint === "string" ? [entrypoint] : (entrypoint ?? []),
    environment: Object.fromEntries((environment ?? []).map(toVariable)),
    workingDirectory: workingDirectory ?? "",
  };
}

function toVariable(assignment: string): [string, string] {
  const equals = assignment.indexOf("=");
  return equals === -1 ? [assignment, ""] : [assignment.slice(0, equals), assignment.slice(equals + 1)];
}
