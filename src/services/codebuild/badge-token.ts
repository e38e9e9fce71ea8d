/** The token in a badge's URL: it names one project and can be neither guessed nor changed. */
import type { Cipher } from "#gateway/cipher.ts";
import { branchOf, type ProjectRecord, type Scope } from "./model.ts";

const PURPOSE = "codebuild-badge";

export interface BadgeSubject extends Scope {
  readonly projectName: string;
  /** A project made anew under the same name has another badge. */
  readonly createdAt: number;
}

/** Made once a project, so that its badge's URL stays the same. */
export function newBadgeToken(cipher: Cipher, subject: BadgeSubject): string {
  const { accountId, region, projectName, createdAt } = subject;
  return cipher.seal(PURPOSE, JSON.stringify([accountId, region, projectName, createdAt]));
}

export function badgeRequestUrl(port: number, { settings }: ProjectRecord): string {
  return `http://127.0.0.1:${port}/badges?uuid=${settings.badgeToken}&branch=${badgeBranch(settings.sourceVersion)}`;
}

/** undefined for a token that is not ours. */
export function badgeSubject(cipher: Cipher, token: string): BadgeSubject | undefined {
  const opened = cipher.open(PURPOSE, token);
  if (!opened) return undefined;
  const [accountId, region, projectName, createdAt] = JSON.parse(opened.toString()) as [string, string, string, number];
  return { accountId, region, projectName, createdAt };
}

/** The branch that the project builds by itself; AWS's default is main. */
function badgeBranch(sourceVersion: string | undefined): string {
  return encodeURIComponent(branchOf(sourceVersion) || "main");
}
