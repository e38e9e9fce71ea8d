import type { Call } from "#gateway/context.ts";
import type { ResourceTags } from "#gateway/service.ts";
import { findProject } from "./store/projects.ts";

/** `aws:ResourceTag/…` of a project; builds have no tags of their own. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const [, region, accountId, name] = /^arn:aws:codebuild:([^:]+):(\d{12}):project\/(.+)$/.exec(arn) ?? [];
  if (name === undefined) return undefined;
  const project = await findProject(call.db, { region: region!, accountId: accountId! }, name);
  return project && Object.fromEntries((project.settings.tags ?? []).map(({ key, value }) => [key ?? "", value ?? ""]));
}
