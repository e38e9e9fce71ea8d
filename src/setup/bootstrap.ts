/** Makes images out of Debian packages, for machines that reach a Debian mirror but no container registry. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type DockerApi, jsonLines, type ProgressLine } from "#docker/docker-api.ts";
import { canInstallPackages, installPackages } from "./apt.ts";
import { CommandError, failure, isInstalled, run } from "./command.ts";
import { dpkgOptions, type ImageRecipe, imageSettings } from "./image-recipe.ts";
import type { Log } from "./progress.ts";

/** Settings of the machine's apt that its images are built with too: proxies, and mirrors frozen in time. */
const INHERITED_APT_SETTING = /^Acquire::(?:Check-Valid-Until|Check-Date|ForceIPv4|Retries|https?::[\w:.-]+) "[^"]+"/;

/** Whether this machine can carry a recipe out by itself: root on a Debian or Ubuntu. */
export function canBootstrap(): boolean {
  return process.getuid?.() === 0 && (isInstalled("mmdebstrap") || canInstallPackages());
}

/**
 * Builds the recipe's root file system with mmdebstrap and streams it into the engine. Returns the new image's id; nothing
 * is left in the engine when mmdebstrap fails, and nothing is written to this machine's disk. Takes 20 to 60 s.
 */
export async function bootstrapImage(
  docker: DockerApi,
  recipe: ImageRecipe,
  log: Log,
  atStep: (step: string) => void,
): Promise<string> {
  if (!isInstalled("mmdebstrap")) {
    await installPackages(["mmdebstrap", "debian-archive-keyring", "gpg", "mount"], log);
  }
  const args = mmdebstrapArguments(recipe, await run("apt-config", ["dump"]));
  const mmdebstrap = spawn("mmdebstrap", args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  let output = "";
  createInterface(mmdebstrap.stderr).on("line", (line) => {
    output += `${line}\n`;
    if (line.startsWith("I: ")) atStep(line.slice("I: ".length));
  });
  const ended = new Promise<void>((resolve, reject) => {
    mmdebstrap.on("error", (error) => reject(new CommandError(`mmdebstrap could not be started: ${error.message}`)));
    mmdebstrap.on("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new CommandError(failure("mmdebstrap", args, status ?? signal, output)));
    });
  });
  // A tar stream that breaks off between two files is a whole one to the engine, so the image counts only if both say so.
  const [imported, built] = await Promise.allSettled([
    importImage(docker, mmdebstrap.stdout, imageSettings(recipe)),
    ended,
  ]);
  if (built.status === "rejected") {
    if (imported.status === "fulfilled") await docker.delete(`/images/${imported.value}`);
    throw built.reason;
  }
  if (imported.status === "rejected") throw imported.reason;
  return imported.value;
}

/** The command line that writes the recipe's root file system to stdout as a tar archive. */
export function mmdebstrapArguments(recipe: ImageRecipe, aptConfiguration: string): string[] {
  const aptSettings = aptConfiguration.split("\n").flatMap((line) => INHERITED_APT_SETTING.exec(line)?.[0] ?? []);
  return [
    "--variant=apt",
    "--format=tar",
    `--include=${recipe.packages.join(",")}`,
    ...dpkgOptions(recipe).map((option) => `--dpkgopt=${option}`),
    ...aptSettings.map((setting) => `--aptopt=${setting}`),
    // mmdebstrap leaves these settings in the image, where a proxy of this machine has no business.
    '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    recipe.release,
    "-",
    ...debianSources(recipe.release, process.env.SLIPWAY_DEBIAN_MIRROR ?? "http://deb.debian.org/debian"),
  ];
}

/** A mirror keeps security updates in a sibling folder, as deb.debian.org does. */
function debianSources(release: string, mirror: string): string[] {
  return [
    `deb ${mirror} ${release} main`,
    `deb ${mirror} ${release}-updates main`,
    `deb ${mirror}-security ${release}-security main`,
  ];
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageCreate, `fromSrc=-`. */
async function importImage(docker: DockerApi, tar: Readable, changes: string): Promise<string> {
  const progress = await docker.open("POST", "/images/create", { query: { fromSrc: "-", changes }, body: tar });
  let last: ProgressLine | undefined;
  for await (const line of jsonLines<ProgressLine>(progress)) last = line;
  if (last?.status?.startsWith("sha256:") !== true) {
    throw new Error(`The engine did not import the image: ${last?.error ?? "it gave no id"}.`);
  }
  return last.status;
}
