/** Folders for work under way, all below one folder of the data folder: a start empties it of what a killed Slipway left. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

const parentOf = (dataDir: string) => join(dataDir, "tmp");

/** A new empty folder whose name begins with `name`. Whoever asked removes it. */
export async function temporaryFolder(dataDir: string, name: string): Promise<string> {
  await mkdir(parentOf(dataDir), { recursive: true, mode: 0o700 });
  return mkdtemp(join(parentOf(dataDir), `${name}-`));
}

/** Only before work begins. */
export async function removeTemporaryFolders(dataDir: string): Promise<void> {
  await rm(parentOf(dataDir), { recursive: true, force: true });
}
