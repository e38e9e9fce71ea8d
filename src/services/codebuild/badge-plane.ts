/**
 * `GET /badges?uuid=…&branch=…`: how the newest build of a branch ended, as an SVG. Without a branch, of any.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-badges.html
 */
import type { System } from "#gateway/context.ts";
import type { DataPlane } from "#gateway/service.ts";
import { type BadgeSubject, badgeSubject } from "./badge-token.ts";
import { latestBuildStatus } from "./store/builds.ts";
import { findProject } from "./store/projects.ts";

const LOOKS = {
  passing: "brightgreen",
  failing: "red",
  "in progress": "blue",
  unknown: "lightgrey",
} as const;

/** Builds without a source version are of the repository's default branch, which has one of these names. */
const DEFAULT_BRANCHES: readonly string[] = ["main", "master"];

export const badgePlane: DataPlane = {
  matches: ({ path, method }) => path === "/badges" && (method === "GET" || method === "HEAD"),
  async handle(request, response, system) {
    const { searchParams } = new URL(request.url ?? "", "http://badges");
    const subject = badgeSubject(system.cipher, searchParams.get("uuid") ?? "");
    const project = subject && (await findProject(system.db, subject, subject.projectName));
    if (!subject || project?.createdAt !== subject.createdAt || !project.settings.badgeEnabled) {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("There is no such badge\n");
      return;
    }
    const message = await badgeMessage(system, subject, searchParams.get("branch"));
    response.writeHead(200, {
      "content-type": "image/svg+xml;charset=utf-8",
      // Sites that proxy images would otherwise show an old state for long.
      "cache-control": "no-cache, no-store, must-revalidate, max-age=0",
      expires: "0",
    });
    // Loaded here: the widths of all characters are megabytes that most Slipways never need.
    const { makeBadge } = await import("badge-maker");
    response.end(request.method === "HEAD" ? undefined : makeBadge({ label: "build", message, color: LOOKS[message] }));
  },
};

async function badgeMessage(system: System, subject: BadgeSubject, branch: string | null): Promise<keyof typeof LOOKS> {
  const branches = branch === null ? [] : DEFAULT_BRANCHES.includes(branch) ? [branch, null] : [branch];
  const status = await latestBuildStatus(system.db, subject, subject.projectName, branches);
  if (status === undefined) return "unknown";
  if (status === "IN_PROGRESS") return "in progress";
  return status === "SUCCEEDED" ? "passing" : "failing";
}
