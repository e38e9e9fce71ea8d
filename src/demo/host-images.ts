/** What a person does with `docker` on the host before there is a pipeline: push the base image and the first version. */
import { pack } from "tar-stream";
import {
  DockerApi,
  DockerApiError,
  type DockerRequest,
  jsonLines,
  type ProgressLine,
  type RegistryAuth,
} from "#docker/docker-api.ts";
import type { ImageInfo } from "#docker/types.ts";

export class HostImages {
  readonly #docker: DockerApi;

  constructor(socketPath: string) {
    this.#docker = new DockerApi(socketPath);
  }

  async tag(image: string, reference: string): Promise<void> {
    const [repo, tag] = split(reference);
    await this.#docker.post(`/images/${image}/tag`, { query: { repo, tag } });
  }

  async push(reference: string, auth: RegistryAuth): Promise<void> {
    const [repository, tag] = split(reference);
    await this.#finished(`/images/${repository}/push`, { query: { tag }, auth });
  }

  /** `docker build` of these files; names are relative to the context. */
  async build(files: ReadonlyMap<string, string>, tag: string): Promise<void> {
    const context = pack();
    for (const [name, content] of files) context.entry({ name, mode: 0o755 }, content);
    context.finalize();
    await this.#finished("/build", { query: { t: tag }, body: context });
  }

  /** Takes the name away, and with its last name the image. What is not there, or what a container uses, is left. */
  async remove(reference: string): Promise<void> {
    try {
      await this.#docker.delete(`/images/${reference}`);
    } catch (error) {
      if (!(error instanceof DockerApiError) || (error.statusCode !== 404 && error.statusCode !== 409)) throw error;
    }
  }

  /** All tags and digests under which there is an image of the repository. */
  async namesOf(repository: string): Promise<string[]> {
    const images = await this.#docker.get<ImageInfo[]>("/images/json");
    const names = images.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]);
    return names.filter((name) => name.startsWith(`${repository}:`) || name.startsWith(`${repository}@`));
  }

  /** The daemon reports errors in the stream, not in the status. */
  async #finished(path: string, request: DockerRequest): Promise<void> {
    const progress = await this.#docker.open("POST", path, request);
    for await (const { error } of jsonLines<ProgressLine>(progress)) if (error !== undefined) throw new Error(error);
  }
}

function split(reference: string): [repo: string, tag: string] {
  const colon = reference.lastIndexOf(":");
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}
