/** Files into and out of a container, as the Engine API's archive endpoints move them, in whatever state it is. */
import { posix } from "node:path";
import { PassThrough, pipeline, type Readable } from "node:stream";
import type { Pack } from "tar-stream";
import type { DockerApi } from "#docker/docker-api.ts";
import { type DockerClient, refusalStatus } from "./docker-client.ts";

/** os.FileMode's bits (https://pkg.go.dev/io/fs#FileMode). */
const modeDirectory = 2 ** 31;
const modeSymlink = 2 ** 27;

interface PathStat {
  readonly mode: number;
  /** Resolved to its end; "" where the path is no symbolic link. */
  readonly linkTarget: string;
}

function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

/** undefined where the container or the path is missing: the answer to a HEAD request has no room to say which. */
async function pathStat(client: DockerClient, container: string, path: string): Promise<PathStat | undefined> {
  try {
    const response = await client.call((docker) =>
      docker.open("HEAD", `/containers/${container}/archive`, { query: { path } }),
    );
    response.resume();
    const encoded = String(response.headers["x-docker-container-path-stat"]);
    return JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch (error) {
    if (refusalStatus(error) === 404) return undefined;
    throw error;
  }
}

/** Unpacks the tar stream at `path`, which must be absolute. Throws DockerApiError 404 where the container is missing. */
export async function putFiles(client: DockerClient, container: string, path: string, tar: Readable): Promise<void> {
  const target = absolute(path);
  // A source that breaks off must fail the request, which a bare pipe would leave open for ever; and it may break off
  // before there is a request.
  const body = new PassThrough();
  pipeline(tar, body, (error) => {
    if (error) body.destroy(error);
  });
  body.on("error", () => {});
  if ((await pathStat(client, container, target)) === undefined) await makeDirectory(client, container, target);
  if (body.errored) throw body.errored;
  await client.call((docker) => unpack(docker, container, target, body));
}

/** Docker makes the parents of what it unpacks and leaves those that exist as they are. */
async function makeDirectory(client: DockerClient, container: string, path: string): Promise<void> {
  const { pack } = await import("tar-stream");
  const directory = pack();
  directory.entry({ name: path.slice(1), type: "directory", mode: 0o755 });
  directory.finalize();
  await client.call((docker) => unpack(docker, container, "/", directory));
}

/** undefined where the container or the path is missing. */
export async function takeFiles(client: DockerClient, container: string, path: string): Promise<Readable | undefined> {
  let source = absolute(path);
  let stat = await pathStat(client, container, source);
  if (stat !== undefined && hasBit(stat.mode, modeSymlink)) {
    source = stat.linkTarget;
    stat = await pathStat(client, container, source);
  }
  if (stat === undefined) return undefined;
  // "/." makes the entries relative to the folder instead of carrying its name.
  if (hasBit(stat.mode, modeDirectory)) source = posix.join(source, "/").concat(".");
  return await client.call((docker) =>
    docker.open("GET", `/containers/${container}/archive`, { query: { path: source } }),
  );
}

async function unpack(docker: DockerApi, container: string, path: string, body: Readable | Pack): Promise<void> {
  (await docker.open("PUT", `/containers/${container}/archive`, { query: { path }, body })).resume();
}

function absolute(path: string): string {
  if (!posix.isAbsolute(path)) throw new Error(`${path} is not an absolute path`);
  const normal = posix.normalize(path);
  return normal === "/" ? normal : normal.replace(/\/$/, "");
}
