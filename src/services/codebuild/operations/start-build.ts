/** https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html */
import { hash } from "node:crypto";
import type * as sdk from "@aws-sdk/client-codebuild";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { startBuildKeys } from "../condition-keys.ts";
import { buildNotFound } from "../errors.ts";
import { type BuildRecord, buildArn, buildIdOf, initiatorOf, projectArn, uuidOf } from "../model.ts";
import { artifactKey, newBuild } from "../new-build.ts";
import { requireEnvironmentVariables } from "../project-rules.ts";
import { CODEBUILD_PRINCIPAL } from "../service-role.ts";
import { submittedPhases } from "../states.ts";
import { findBuilds } from "../store/builds.ts";
import { submitBuild } from "../submit-build.ts";
import { existingProject, namedArn } from "./projects.ts";

export const StartBuild: OperationOf<sdk.StartBuildCommand> = {
  authorize: {
    action: "codebuild:StartBuild",
    resources: (input, call) => [namedArn(call, input.projectName!)],
    context: startBuildKeys,
    passedRoles: ({ serviceRoleOverride }) =>
      serviceRoleOverride === undefined ? [] : [{ roleArn: serviceRoleOverride, service: CODEBUILD_PRINCIPAL }],
  },
  async run({ projectName, idempotencyToken, ...input }, call) {
    const project = await existingProject(call, projectName!);
    requireEnvironmentVariables(input.environmentVariablesOverride ?? []);
    const request = tokenRequest(idempotencyToken, [project.name, input]);
    const { settings } = project;
    const build = await submitBuild(call.system, call.db, call, call.now, {
      project,
      initiator: callInitiator(call),
      artifacts: [
        input.artifactsOverride ?? settings.artifacts!,
        ...(input.secondaryArtifactsOverride ?? settings.secondaryArtifacts ?? []),
      ],
      request,
      toBuild: (identity) => newBuild(project, input, identity),
    });
    return { build };
  },
};

/** The same build once more: what the project has become since does not count. */
export const RetryBuild: OperationOf<sdk.RetryBuildCommand> = {
  authorize: {
    action: "codebuild:RetryBuild",
    resources: (input, call) => [projectArnOfBuild(call, input.id ?? "")],
  },
  async run({ id, idempotencyToken }, call) {
    const original = await existingBuild(call, id ?? "");
    const project = await existingProject(call, original.build.projectName!);
    const request = tokenRequest(idempotencyToken, [original.uuid]);
    const build = await submitBuild(call.system, call.db, call, call.now, {
      project,
      initiator: callInitiator(call),
      artifacts: original.run.artifactSettings,
      webhookVariables: original.run.webhookVariables,
      request,
      toBuild: (identity) => retriedBuild(original, identity.uuid, identity.number, call, callInitiator(call)),
    });
    return { build };
  },
};

/** By id or ARN. Throws ResourceNotFoundException. */
export async function existingBuild(call: Call, idOrArn: string): Promise<BuildRecord> {
  const id = buildIdOf(call, idOrArn);
  const [record] = id === undefined ? [] : await findBuilds(call.db, call, [uuidOf(id)]);
  if (record?.build.id !== id || !record)
    throw buildNotFound(idOrArn.startsWith("arn:") ? idOrArn : buildArn(call, idOrArn));
  return record;
}

/** Builds are authorized by the project that they are of. */
export function projectArnOfBuild(call: Call, idOrArn: string): string {
  const [, scope, id] = /^(arn:[^/]*:)build\/(.*)$/.exec(idOrArn) ?? [undefined, undefined, idOrArn];
  const name = (id ?? "").split(":")[0]!;
  return scope === undefined ? projectArn(call, name) : `${scope}project/${name}`;
}

/** `codepipeline/NAME` for a call that a pipeline makes with its role. */
function callInitiator(call: Call): string {
  const pipeline = /^arn:aws:codepipeline:[^:]*:\d{12}:([^/:]+)/.exec(call.sourceArn ?? "")?.[1];
  return pipeline === undefined ? initiatorOf(call.principal) : `codepipeline/${pipeline}`;
}

function tokenRequest(token: string | undefined, request: unknown) {
  return token === undefined ? undefined : { token, hash: hash("sha256", JSON.stringify(request), "hex") };
}

function retriedBuild(
  { build: original, run }: BuildRecord,
  uuid: string,
  number: number,
  call: Call,
  initiator: string,
): sdk.Build {
  const { endTime, phases, resolvedSourceVersion, exportedEnvironmentVariables, logs, ...kept } = original;
  const id = `${original.projectName}:${uuid}`;
  const [primary, ...secondary] = run.artifactSettings;
  const located = (settings: sdk.ProjectArtifacts | undefined, artifacts: sdk.BuildArtifacts): sdk.BuildArtifacts => {
    const { md5sum, sha256sum, ...rest } = artifacts;
    if (settings?.type !== "S3") return rest;
    return { ...rest, location: `arn:aws:s3:::${settings.location}/${artifactKey(settings, id)}` };
  };
  return {
    ...kept,
    id,
    arn: buildArn(call, id),
    buildNumber: number,
    startTime: call.now,
    ...submittedPhases(call.now),
    initiator,
    artifacts: located(primary, original.artifacts!),
    secondaryArtifacts: (original.secondaryArtifacts ?? []).map((one, index) => located(secondary[index], one)),
    logs: { cloudWatchLogs: logs!.cloudWatchLogs!, s3Logs: logs!.s3Logs! },
  };
}
