/** A project's webhook: GitHub calls it at `payloadUrl`, signed with `secret`. */
import { randomBytes, randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-codebuild";
import type { OperationOf } from "#gateway/operation.ts";
import { repositoryIdOf } from "#git/repository.ts";
import { webhookKeys } from "../condition-keys.ts";
import { alreadyExists, invalidInput, notFound } from "../errors.ts";
import type { ProjectRecord, StoredWebhook } from "../model.ts";
import { GIT_PROVIDERS } from "../project-rules.ts";
import { toWebhook } from "../project-view.ts";
import { updateWebhook } from "../store/projects.ts";
import { requireValidFilters } from "../webhooks/filters.ts";
import { sealedSecret } from "../webhooks/signature.ts";
import { existingProject, namedArn } from "./projects.ts";

/**
 * Slipway cannot be reached from GitHub by itself, so that every webhook is as with `manualCreation`: the caller enters
 * the URL and the secret at GitHub. Only this answer, and that of a rotation, has the secret.
 */
export const CreateWebhook: OperationOf<sdk.CreateWebhookCommand> = {
  authorize: {
    action: "codebuild:CreateWebhook",
    resources: (input, call) => [namedArn(call, input.projectName!)],
    context: webhookKeys,
  },
  async run(input, call) {
    const project = await existingProject(call, input.projectName!);
    requireGitHub(project);
    requireAvailable(input);
    requireValidFilters(input.filterGroups ?? [], input.branchFilter);
    if (project.webhook) throw alreadyExists(`Webhook already exists for project ${project.name}`);
    const secret = newSecret();
    const webhook: StoredWebhook = {
      id: randomUUID(),
      sealedSecret: sealedSecret(call.system, secret),
      branchFilter: input.branchFilter,
      filterGroups: input.filterGroups ?? [],
      manualCreation: input.manualCreation ?? false,
      lastModifiedSecret: call.now.getTime(),
    };
    await updateWebhook(call.db, call, project.name, webhook);
    return { webhook: { ...toWebhook(project, webhook, call.system.config), secret } };
  },
};

export const UpdateWebhook: OperationOf<sdk.UpdateWebhookCommand> = {
  authorize: {
    action: "codebuild:UpdateWebhook",
    resources: (input, call) => [namedArn(call, input.projectName!)],
    context: webhookKeys,
  },
  async run(input, call) {
    const project = await existingProject(call, input.projectName!);
    const webhook = existingWebhook(project);
    requireAvailable(input);
    requireValidFilters(input.filterGroups ?? [], input.branchFilter);
    const secret = input.rotateSecret ? newSecret() : undefined;
    const updated: StoredWebhook = {
      ...webhook,
      ...(input.branchFilter !== undefined && { branchFilter: input.branchFilter }),
      ...(input.filterGroups !== undefined && { filterGroups: input.filterGroups }),
      ...(secret !== undefined && {
        sealedSecret: sealedSecret(call.system, secret),
        lastModifiedSecret: call.now.getTime(),
      }),
    };
    await updateWebhook(call.db, call, project.name, updated);
    return { webhook: { ...toWebhook(project, updated, call.system.config), ...(secret !== undefined && { secret }) } };
  },
};

export const DeleteWebhook: OperationOf<sdk.DeleteWebhookCommand> = {
  authorize: {
    action: "codebuild:DeleteWebhook",
    resources: (input, call) => [namedArn(call, input.projectName!)],
  },
  async run(input, call) {
    const project = await existingProject(call, input.projectName!);
    existingWebhook(project);
    await updateWebhook(call.db, call, project.name, undefined);
    return {};
  },
};

function existingWebhook(project: ProjectRecord): StoredWebhook {
  if (!project.webhook) throw notFound(`Webhook cannot be found for project ${project.name}`);
  return project.webhook;
}

function requireGitHub({ settings }: ProjectRecord): void {
  const { type, location } = settings.source!;
  if (type !== "GITHUB" && type !== "GITHUB_ENTERPRISE") {
    throw invalidInput(
      `Webhooks are available for source types GITHUB and GITHUB_ENTERPRISE; the project's is ${type}`,
    );
  }
  if (type === "GITHUB" && repositoryIdOf(location!, GIT_PROVIDERS.GITHUB!) === undefined) {
    throw invalidInput(`The project's source ${location} is not a repository of https://github.com`);
  }
}

function requireAvailable(input: { buildType?: string | undefined; scopeConfiguration?: unknown }): void {
  if (input.buildType !== undefined && input.buildType !== "BUILD") {
    throw invalidInput(`Webhooks of build type ${input.buildType} are not available; use BUILD`);
  }
  if (input.scopeConfiguration) throw invalidInput("Organization and global webhooks are not available");
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}
