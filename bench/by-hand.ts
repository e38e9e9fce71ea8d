/**
 * What a person types who has git, docker and a registry but no pipeline: clone the branch, build and push its image in a
 * container with a docker daemon of its own, pull it on the host, run it, wait until it is healthy. The registry is
 * Slipway's for both sides, and so are image, privileges, limits and network of the build's container, and the buildspec's
 * own commands in it.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { clientEnvironment, type RunningFile } from "#cli/options.ts";
import { servedVersion } from "#demo/caller.ts";
import type { Story } from "#demo/story.ts";
import { LONG, until } from "#demo/until.ts";
import type { HostConfig } from "#docker/types.ts";
import { DockerClient } from "#engines/docker/docker-client.ts";
import { gatewayAddress, networkName } from "#engines/docker/network.ts";
import { Privileges } from "#engines/docker/privileges.ts";
import { run } from "#setup/command.ts";
import { repositoryPath } from "#setup/cruddur-repository.ts";
import { imageReference } from "#setup/image-recipe.ts";

const CA_BUNDLE = "/etc/ssl/slipway.pem";
const APP_PORT = 4567;

/** In the build's container; the agent starts dockerd in the same way. */
const BUILD_SCRIPT = `set -e
dockerd >/tmp/dockerd.log 2>&1 &
until docker version >/dev/null 2>&1; do sleep 0.1; done
cd /src/backend-flask
aws ecr get-login-password --region $AWS_DEFAULT_REGION | docker login --username AWS --password-stdin $IMAGE_URL
docker build -t backend-flask .
docker tag backend-flask:latest $IMAGE_URL/backend-flask:latest
docker push $IMAGE_URL/backend-flask:latest
`;

export class ByHand implements AsyncDisposable {
  readonly #folder: string;
  readonly #repository: string;
  readonly #buildOptions: readonly string[];
  /** As the host's engine, which has no proxy, names it. */
  readonly #image: string;
  #container: string | undefined;

  private constructor(folder: string, repository: string, buildOptions: readonly string[], image: string) {
    this.#folder = folder;
    this.#repository = repository;
    this.#buildOptions = buildOptions;
    this.#image = image;
  }

  /** What a person has done once and for all: logged in on the host, found out which options a build needs. */
  static async prepare(story: Story, running: RunningFile): Promise<ByHand> {
    const folder = await mkdtemp(join(tmpdir(), "slipway-by-hand-"));
    const registry = `${running.account}.dkr.ecr.${running.region}.amazonaws.com`;
    const { authorizationData } = await story.clients.ecr.send(new GetAuthorizationTokenCommand({}));
    const auth = authorizationData![0]!.authorizationToken!;
    await writeFile(
      join(folder, "config.json"),
      JSON.stringify({ auths: { [`127.0.0.1:${running.port}`]: { auth } } }),
    );
    const privileges = await new Privileges(new DockerClient(story.options.socketPath)).hostConfig();
    return new ByHand(
      folder,
      repositoryPath({ folder: story.options.repositories, owner: story.options.owner }),
      [...privilegeOptions(privileges), ...environmentOptions(running, registry)],
      `127.0.0.1:${running.port}/${registry}/backend-flask:latest`,
    );
  }

  /** Seconds from the clone until the new version answers. `builds` run at once; the first one's image is deployed. */
  async delivery(version: string, builds: number): Promise<number> {
    const started = performance.now();
    const [first, ...others] = Array.from({ length: builds }, (_, number) => this.#build(`${version}-${number}`));
    await first;
    await this.#docker("pull", this.#image);
    const fresh = (await this.#docker("run", "--detach", "--network", networkName, this.#image)).trim();
    const address = await this.#docker(
      "inspect",
      "--format",
      "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
      fresh,
    );
    const target = { host: address.trim(), port: APP_PORT, name: "backend-flask" };
    const everyMs = 100;
    await until(
      () => servedVersion(target),
      (served) => served === version,
      { ...LONG, everyMs },
    );
    const seconds = (performance.now() - started) / 1000;
    await Promise.all(others);
    await this.#remove();
    this.#container = fresh;
    return seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #build(name: string): Promise<void> {
    const source = join(this.#folder, name);
    await run("git", ["clone", "--quiet", "--depth", "1", "--branch", "prod", `file://${this.#repository}`, source]);
    const mount = ["--volume", `${source}:/src`];
    await this.#docker(
      "run",
      "--rm",
      ...mount,
      ...this.#buildOptions,
      imageReference("standard"),
      "sh",
      "-c",
      BUILD_SCRIPT,
    );
  }

  async #remove(): Promise<void> {
    if (this.#container !== undefined) await this.#docker("rm", "--force", "--volumes", this.#container);
    this.#container = undefined;
  }

  #docker(...args: readonly string[]): Promise<string> {
    return run("docker", ["--config", this.#folder, ...args]);
  }
}

/** What lets a container run a daemon, as options of `docker run`. */
function privilegeOptions(config: HostConfig): readonly string[] {
  if (config.Privileged) return ["--privileged"];
  return [
    ...(config.CapAdd ?? []).flatMap((capability: string) => ["--cap-add", capability]),
    ...(config.SecurityOpt ?? []).flatMap((option: string) => ["--security-opt", option]),
    ...(config.MaskedPaths ? ["--security-opt", "systempaths=unconfined"] : []),
    ...(config.DeviceCgroupRules ?? []).flatMap((rule: string) => ["--device-cgroup-rule", rule]),
    ...(config.Binds ?? []).flatMap((bind: string) => ["--volume", bind]),
  ];
}

/** Limits of BUILD_GENERAL1_SMALL, a disk for the inner daemon, and the way to the registry. */
function environmentOptions(running: RunningFile, registry: string): readonly string[] {
  const gateway = `http://${gatewayAddress}:${running.port}`;
  const environment = {
    ...clientEnvironment(running),
    AWS_ENDPOINT_URL: gateway,
    AWS_CA_BUNDLE: CA_BUNDLE,
    SSL_CERT_FILE: CA_BUNDLE,
    HTTPS_PROXY: gateway,
    NO_PROXY: `localhost,127.0.0.1,${gatewayAddress}`,
    IMAGE_URL: registry,
  };
  return [
    ...["--network", networkName, "--volume", "/var/lib/docker", "--volume", `${running.caBundle}:${CA_BUNDLE}:ro`],
    ...["--memory", "3g", "--memory-swap", "3g", "--cpus", String(Math.min(2, availableParallelism()))],
    ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
  ];
}
