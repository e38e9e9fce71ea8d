import { Readable } from "node:stream";
import { CA_BUNDLE_PATH } from "#gateway/container-environment.ts";
import type { System } from "#gateway/context.ts";

/** The certificate bundle as the only file of its own folder: for a volume that is mounted there. */
export async function certificateFolderTar(system: System): Promise<Readable> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  tar.entry({ name: CA_BUNDLE_PATH.slice(CA_BUNDLE_PATH.lastIndexOf("/") + 1), mode: 0o644 }, system.caBundle());
  tar.finalize();
  return Readable.from(tar);
}
