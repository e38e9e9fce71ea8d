import { existsSync } from "node:fs";
import { CommandError, isInstalled, run } from "./command.ts";
import { type Log, withProgress } from "./progress.ts";

/** Whether this process may install the distribution's packages: root on Debian, Ubuntu or a relative. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && isInstalled("apt-get");
}

/**
 * Installs packages of the distribution, nothing they merely recommend. The package lists are fetched only when the
 * machine has none or they turn out to be too old. Throws CommandError with apt's own words.
 */
export async function installPackages(packages: readonly string[], log: Log): Promise<void> {
  await withProgress(log, `Installing ${packages.join(", ")} from the distribution`, async (atStep) => {
    try {
      await install(packages);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      atStep("apt-get update");
      await aptGet(["update"]);
      atStep("apt-get install");
      await install(packages);
    }
  });
}

function install(packages: readonly string[]): Promise<string> {
  return aptGet(["install", "--yes", "--no-install-recommends", ...packages]);
}

function aptGet(args: readonly string[]): Promise<string> {
  // Several set-ups at once, or unattended upgrades: wait for dpkg's lock instead of failing.
  return run("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-q", ...args], {
    environment: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Where a program comes from when it is missing: its package on Debian. */
const PACKAGES = { git: "git", aws: "awscli", curl: "curl", openssl: "openssl" } as const;
export type Tool = keyof typeof PACKAGES;

/** Makes sure that these programs can be run, installing them where that is possible; else throws one sentence. */
export async function ensureTools(tools: readonly Tool[], log: Log): Promise<void> {
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length === 0) return;
  if (!canInstallPackages()) throw new Error(`Please install ${missing.join(" and ")} and run this again.`);
  await installPackages([...missing.map((tool) => PACKAGES[tool]), "ca-certificates"], log);
}
