/** A project as the API shows it. */
import type { Project, Webhook } from "@aws-sdk/client-codebuild";
import type { Config } from "#gateway/context.ts";
import { badgeRequestUrl } from "./badge-token.ts";
import { type ProjectRecord, projectArn, type StoredWebhook } from "./model.ts";

export function toProject(record: ProjectRecord, config: Config): Project {
  const { badgeEnabled, badgeToken, ...settings } = record.settings;
  return {
    name: record.name,
    arn: projectArn(record, record.name),
    ...settings,
    created: new Date(record.createdAt),
    lastModified: new Date(record.modifiedAt),
    badge: badgeEnabled
      ? { badgeEnabled, badgeRequestUrl: badgeRequestUrl(config.port, record) }
      : { badgeEnabled: false },
    ...(record.webhook && { webhook: toWebhook(record, record.webhook, config) }),
  };
}

/** Without its secret, which only its creation and rotation show. */
export function toWebhook(project: ProjectRecord, webhook: StoredWebhook, config: Config): Webhook {
  return {
    url: `${project.settings.source?.location?.replace(/(\.git)?\/?$/, "")}/settings/hooks`,
    payloadUrl: `http://127.0.0.1:${config.port}/webhooks/codebuild/${webhook.id}`,
    ...(webhook.branchFilter !== undefined && { branchFilter: webhook.branchFilter }),
    filterGroups: webhook.filterGroups.map((group) => [...group]),
    buildType: "BUILD",
    manualCreation: webhook.manualCreation,
    lastModifiedSecret: new Date(webhook.lastModifiedSecret),
    status: "ACTIVE",
  };
}
