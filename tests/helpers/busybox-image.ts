/** A small image with a shell for tests, made without a registry from Debian's statically linked busybox. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pack } from "tar-stream";
import type { ImageInfo } from "#docker/types.ts";
import { DockerClient, jsonLines } from "#engines/docker/docker-client.ts";

const run = promisify(execFile);
const repository = "slipway-test/busybox";
const tag = "1";

/** The image's reference, on the daemon of DOCKER_HOST. Built at first use. */
export async function busyboxImage(): Promise<string> {
  const reference = `${repository}:${tag}`;
  const client = new DockerClient(undefined);
  const images = await client.call((docker) =>
    docker.get<ImageInfo[]>("/images/json", { query: { filters: { reference: [reference] } } }),
  );
  if (images.length > 0) return reference;

  const root = pack();
  root.entry({ name: "bin", type: "directory" });
  root.entry({ name: "tmp", type: "directory", mode: 0o1777 });
  root.entry({ name: "bin/busybox", mode: 0o755 }, await busybox());
  // What busybox does depends on the name that it is called by; its shell finds the rest without one.
  root.entry({ name: "bin/sh", type: "symlink", linkname: "busybox" });
  root.finalize();
  const progress = await client.call((docker) =>
    docker.open("POST", "/images/create", {
      query: { fromSrc: "-", repo: repository, tag, changes: 'CMD ["/bin/sh"]' },
      body: root,
    }),
  );
  for await (const event of jsonLines(progress)) {
    if (event.error !== undefined) throw new Error(`The test image could not be imported: ${event.error}`);
  }
  return reference;
}

/** Fetched as a package rather than installed, so that no root is needed. */
async function busybox(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-busybox-"));
  try {
    await run("apt-get", ["download", "-q", "busybox-static"], { cwd: folder });
    const archive = (await readdir(folder)).find((file) => file.endsWith(".deb"));
    if (archive === undefined) throw new Error("apt-get downloaded no busybox-static package");
    await run("dpkg-deb", ["-x", archive, "root"], { cwd: folder });
    // Debian 12 has it in /bin, where /bin is not merged in the package, later ones in /usr/bin.
    return await readFile(join(folder, "root/bin/busybox")).catch(() => readFile(join(folder, "root/usr/bin/busybox")));
  } finally {
    await rm(folder, { recursive: true });
  }
}
