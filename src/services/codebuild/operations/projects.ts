/** Making, changing and deleting build projects. */
import type * as sdk from "@aws-sdk/client-codebuild";
import type { Call } from "#gateway/context.ts";
import type { OperationOf, PassedRole } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { newBadgeToken } from "../badge-token.ts";
import { memberKeys, projectKeys } from "../condition-keys.ts";
import { alreadyExists, limitExceeded, projectNotFound } from "../errors.ts";
import { type ProjectRecord, type ProjectSettings, projectArn, projectNameOf } from "../model.ts";
import { requireValidProject } from "../project-rules.ts";
import { toProject } from "../project-view.ts";
import { CODEBUILD_PRINCIPAL, requireAssumable } from "../service-role.ts";
import { countProjects, deleteProject, findProject, insertProject, updateProject } from "../store/projects.ts";

/** https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html */
const MAX_PROJECTS = 5_000;
const DEFAULT_TIMEOUT_MINUTES = 60;
const DEFAULT_QUEUED_TIMEOUT_MINUTES = 480;

export const CreateProject: OperationOf<sdk.CreateProjectCommand> = {
  authorize: {
    action: "codebuild:CreateProject",
    resources: (input, call) => [projectArn(call, input.name!)],
    context: (input) => ({ ...projectKeys(input), ...tagKeys(input.tags) }),
    passedRoles,
  },
  async run({ name, badgeEnabled, ...input }, call) {
    const createdAt = call.now.getTime();
    const badgeToken = newBadgeToken(call.system.cipher, {
      accountId: call.accountId,
      region: call.region,
      projectName: name!,
      createdAt,
    });
    const settings = withDefaults(
      { ...input, badgeEnabled: badgeEnabled ?? false, badgeToken } as ProjectSettings,
      call,
    );
    requireValidProject(settings, call.accountId);
    const arn = projectArn(call, name!);
    await requireAssumable(call.system, roleScope(call, arn), settings.serviceRole!);
    const record: ProjectRecord = {
      accountId: call.accountId,
      region: call.region,
      name: name!,
      settings,
      webhook: undefined,
      createdAt,
      modifiedAt: createdAt,
    };
    await inTransaction(call.db, async (trx) => {
      if ((await countProjects(trx, call)) >= MAX_PROJECTS) {
        throw limitExceeded(`Cannot have more than ${MAX_PROJECTS} projects for the account`);
      }
      if (!(await insertProject(trx, record))) throw alreadyExists(`Project already exists: ${arn}`);
    });
    return { project: toProject(record, call.system.config) };
  },
};

export const UpdateProject: OperationOf<sdk.UpdateProjectCommand> = {
  authorize: {
    action: "codebuild:UpdateProject",
    resources: (input, call) => [namedArn(call, input.name!)],
    context: (input) => ({ ...projectKeys(input), ...tagKeys(input.tags) }),
    passedRoles,
  },
  async run({ name, ...input }, call) {
    const project = await existingProject(call, name!);
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    const settings = { ...project.settings, ...given, ...emptied(given) } as ProjectSettings;
    requireValidProject(settings, call.accountId);
    if (input.serviceRole !== undefined) {
      await requireAssumable(call.system, roleScope(call, projectArn(call, project.name)), input.serviceRole);
    }
    const modifiedAt = call.now.getTime();
    await updateProject(call.db, call, project.name, settings, modifiedAt);
    return { project: toProject({ ...project, settings, modifiedAt }, call.system.config) };
  },
};

export const UpdateProjectVisibility: OperationOf<sdk.UpdateProjectVisibilityCommand> = {
  authorize: {
    action: "codebuild:UpdateProjectVisibility",
    resources: (input) => [input.projectArn!],
    context: (input) => memberKeys(input, ["projectVisibility"]),
    passedRoles: ({ resourceAccessRole }) =>
      resourceAccessRole === undefined ? [] : [{ roleArn: resourceAccessRole, service: CODEBUILD_PRINCIPAL }],
  },
  async run({ projectArn: arn, projectVisibility, resourceAccessRole }, call) {
    const project = await existingProject(call, arn!);
    const settings = {
      ...project.settings,
      projectVisibility,
      ...(resourceAccessRole !== undefined && { resourceAccessRole }),
    };
    await updateProject(call.db, call, project.name, settings, call.now.getTime());
    return { projectArn: projectArn(call, project.name), projectVisibility };
  },
};

/** Succeeds where there is no such project, as on AWS. */
export const DeleteProject: OperationOf<sdk.DeleteProjectCommand> = {
  authorize: { action: "codebuild:DeleteProject", resources: (input, call) => [namedArn(call, input.name!)] },
  async run(input, call) {
    const name = projectNameOf(call, input.name!);
    if (name !== undefined) await deleteProject(call.db, call, name);
    return {};
  },
};

/** There is no cache that lasts from build to build, so there is nothing to forget. */
export const InvalidateProjectCache: OperationOf<sdk.InvalidateProjectCacheCommand> = {
  authorize: {
    action: "codebuild:InvalidateProjectCache",
    resources: (input, call) => [namedArn(call, input.projectName!)],
  },
  async run(input, call) {
    await existingProject(call, input.projectName!);
    return {};
  },
};

/** By name or ARN. Throws ResourceNotFoundException. */
export async function existingProject(call: Call, nameOrArn: string): Promise<ProjectRecord> {
  const name = projectNameOf(call, nameOrArn);
  const project = name === undefined ? undefined : await findProject(call.db, call, name);
  if (!project) throw projectNotFound(namedArn(call, nameOrArn));
  return project;
}

export function namedArn(call: Call, nameOrArn: string): string {
  return nameOrArn.startsWith("arn:") ? nameOrArn : projectArn(call, nameOrArn);
}

/** The service role, and the one that builds of batches are started with. */
function passedRoles({
  serviceRole,
  buildBatchConfig,
}: Pick<sdk.UpdateProjectCommandInput, "serviceRole" | "buildBatchConfig">): PassedRole[] {
  return [serviceRole, buildBatchConfig?.serviceRole]
    .filter((roleArn) => roleArn !== undefined)
    .map((roleArn) => ({ roleArn, service: CODEBUILD_PRINCIPAL }));
}

function withDefaults(settings: ProjectSettings, { accountId, region }: Call): ProjectSettings {
  return {
    ...settings,
    artifacts: withArtifactDefaults(settings.artifacts!),
    environment: {
      ...settings.environment!,
      environmentVariables: settings.environment!.environmentVariables ?? [],
      privilegedMode: settings.environment!.privilegedMode ?? false,
      imagePullCredentialsType: settings.environment!.imagePullCredentialsType ?? "CODEBUILD",
    },
    cache: settings.cache ?? { type: "NO_CACHE" },
    timeoutInMinutes: settings.timeoutInMinutes ?? DEFAULT_TIMEOUT_MINUTES,
    queuedTimeoutInMinutes: settings.queuedTimeoutInMinutes ?? DEFAULT_QUEUED_TIMEOUT_MINUTES,
    encryptionKey: settings.encryptionKey ?? `arn:aws:kms:${region}:${accountId}:alias/aws/s3`,
    tags: settings.tags ?? [],
    projectVisibility: "PRIVATE",
  };
}

function withArtifactDefaults(artifacts: sdk.ProjectArtifacts): sdk.ProjectArtifacts {
  if (artifacts.type !== "S3") return artifacts;
  return { namespaceType: "NONE", packaging: "NONE", encryptionDisabled: false, ...artifacts };
}

/** Members that a caller takes back by giving them empty. */
function emptied(given: Readonly<Record<string, unknown>>): Partial<Record<string, undefined>> {
  const limit = given.concurrentBuildLimit;
  return {
    ...(limit === -1 && { concurrentBuildLimit: undefined }),
    ...(given.sourceVersion === "" && { sourceVersion: undefined }),
  };
}

function roleScope({ accountId, region, db }: Call, sourceArn: string) {
  return { accountId, region, db, sourceArn };
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html */
function tagKeys(tags: readonly sdk.Tag[] | undefined) {
  if (!tags?.length) return {};
  return {
    "aws:tagkeys": tags.map(({ key }) => key ?? ""),
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:requesttag/${key?.toLowerCase()}`, value])),
  };
}
