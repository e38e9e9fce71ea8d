/** What a person does with `docker` on the host before there is a pipeline: push the base image and the first version. */
import Docker from "dockerode";
import { pack } from "tar-stream";

export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  /** "127.0.0.1:4566" */
  readonly serveraddress: string;
}

export class HostImages {
  readonly #docker: Docker;

  constructor(socketPath: string) {
    // `host: undefined` keeps DOCKER_HOST from overruling the socket.
    this.#docker = new Docker({ socketPath, host: undefined, protocol: "http" });
  }

  async tag(image: string, reference: string): Promise<void> {
    const [repo, tag] = split(reference);
    await this.#docker.getImage(image).tag({ repo, tag });
  }

  async push(reference: string, authconfig: RegistryLogin): Promise<void> {
    // dockerode's types know only the callback form for push.
    const stream: unknown = await this.#docker.getImage(reference).push({ authconfig });
    await this.#finished(stream as NodeJS.ReadableStream);
  }

  /** `docker build` of these files; names are relative to the context. */
  async build(files: ReadonlyMap<string, string>, tag: string): Promise<void> {
    const context = pack();
    for (const [name, content] of files) context.entry({ name, mode: 0o755 }, content);
    context.finalize();
    // tar-stream's streams are Node's in all but their type.
    const body = context as unknown as NodeJS.ReadableStream;
    await this.#finished(await this.#docker.buildImage(body, { t: tag }));
  }

  /** Takes the name away, and with its last name the image. What is not there, or what a container uses, is left. */
  async remove(reference: string): Promise<void> {
    try {
      await this.#docker.getImage(reference).remove();
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode !== 404 && statusCode !== 409) throw error;
    }
  }

  /** All tags and digests under which there is an image of the repository. */
  async namesOf(repository: string): Promise<string[]> {
    const images = await this.#docker.listImages();
    const names = images.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]);
    return names.filter((name) => name.startsWith(`${repository}:`) || name.startsWith(`${repository}@`));
  }

  /** The daemon reports errors in the stream, not in the status. */
  #finished(stream: NodeJS.ReadableStream): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#docker.modem.followProgress(stream, (error: Error | null, output: { error?: string }[]) => {
        const failure = error?.message ?? output.find((line) => line.error)?.error;
        if (failure === undefined) resolve();
        else reject(new Error(failure));
      });
    });
  }
}

function split(reference: string): [repo: string, tag: string] {
  const colon = reference.lastIndexOf(":");
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}
