/** A folder of this machine as entries of a tar stream: as it is, links not followed, owned by root. */
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";

/** Adds everything under `folder` below `prefix`, which has no leading slash. Sockets and the like are left out. */
export async function addFolder(tar: Pack, folder: string, prefix: string): Promise<void> {
  tar.entry({ name: `${prefix}/`, type: "directory", mode: 0o755 });
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const name = `${prefix}/${entry.name}`;
    if (entry.isDirectory()) {
      await addFolder(tar, path, name);
    } else if (entry.isSymbolicLink()) {
      tar.entry({ name, type: "symlink", linkname: await readlink(path) });
    } else if (entry.isFile()) {
      const { size, mode, mtime } = await lstat(path);
      await pipeline(createReadStream(path), tar.entry({ name, size, mode: mode & 0o777, mtime }));
    }
  }
}
