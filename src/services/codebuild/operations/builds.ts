/** Reading, stopping and deleting builds. */
import type * as sdk from "@aws-sdk/client-codebuild";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { buildIdOf, projectArn, uuidOf } from "../model.ts";
import { PAGE_SIZE, pageToken, parsedPageToken } from "../paging.ts";
import { deleteBuild, findBuilds, listBuilds, requestStop } from "../store/builds.ts";
import { BUILD_TOPIC, BUILD_WORK } from "../submit-build.ts";
import { existingProject, namedArn } from "./projects.ts";
import { existingBuild, projectArnOfBuild } from "./start-build.ts";

export const BatchGetBuilds: OperationOf<sdk.BatchGetBuildsCommand> = {
  authorize: {
    action: "codebuild:BatchGetBuilds",
    resources: (input, call) => input.ids!.map((id) => projectArnOfBuild(call, id)),
  },
  async run({ ids }, call) {
    const wanted = new Map(ids!.map((given) => [given, buildIdOf(call, given)]));
    const uuids = [...wanted.values()].filter((id) => id !== undefined).map(uuidOf);
    const records = new Map((await findBuilds(call.db, call, uuids)).map(({ build }) => [build.id, build]));
    const builds = new Set([...wanted.values()].map((id) => records.get(id)));
    return {
      builds: [...builds].filter((build) => build !== undefined),
      buildsNotFound: [...wanted].filter(([, id]) => !records.has(id)).map(([given]) => given),
    };
  },
};

export const ListBuilds: OperationOf<sdk.ListBuildsCommand> = {
  authorize: { action: "codebuild:ListBuilds", resources: () => ["*"] },
  run: ({ sortOrder, nextToken }, call) => listedBuilds(call, undefined, sortOrder, nextToken),
};

export const ListBuildsForProject: OperationOf<sdk.ListBuildsForProjectCommand> = {
  authorize: {
    action: "codebuild:ListBuildsForProject",
    resources: (input, call) => [namedArn(call, input.projectName!)],
  },
  async run({ projectName, sortOrder, nextToken }, call) {
    const project = await existingProject(call, projectName!);
    return listedBuilds(call, project.name, sortOrder, nextToken);
  },
};

/** Stops what runs; a build that is over stays as it is. The answer shows the build at that moment. */
export const StopBuild: OperationOf<sdk.StopBuildCommand> = {
  authorize: { action: "codebuild:StopBuild", resources: (input, call) => [projectArnOfBuild(call, input.id!)] },
  async run(input, call) {
    const record = await existingBuild(call, input.id!);
    if (!record.build.buildComplete) {
      await requestStop(call.db, record.uuid);
      await call.system.work.schedule(call.db, BUILD_WORK, record.uuid);
      call.system.work.wake();
      call.system.bus.publish(BUILD_TOPIC, record.uuid);
    }
    return { build: record.build };
  },
};

export const BatchDeleteBuilds: OperationOf<sdk.BatchDeleteBuildsCommand> = {
  authorize: {
    action: "codebuild:BatchDeleteBuilds",
    resources: (input, call) => input.ids!.map((id) => projectArnOfBuild(call, id)),
  },
  async run({ ids }, call) {
    const buildsDeleted: string[] = [];
    const buildsNotDeleted: sdk.BuildNotDeleted[] = [];
    for (const given of new Set(ids!)) {
      const id = buildIdOf(call, given);
      const [record] = id === undefined ? [] : await findBuilds(call.db, call, [uuidOf(id)]);
      if (record?.build.id !== id || !record) buildsNotDeleted.push({ id: given, statusCode: "BUILD_NOT_FOUND" });
      else if (!record.build.buildComplete) buildsNotDeleted.push({ id: given, statusCode: "BUILD_IN_PROGRESS" });
      else {
        await deleteBuild(call.db, record.uuid);
        buildsDeleted.push(record.build.arn!);
      }
    }
    return { buildsDeleted, buildsNotDeleted };
  },
};

/** Newest first unless asked otherwise. */
async function listedBuilds(
  call: Call,
  projectName: string | undefined,
  sortOrder: sdk.SortOrderType = "DESCENDING",
  nextToken?: string,
) {
  const purpose = `builds ${projectName === undefined ? "*" : projectArn(call, projectName)} ${sortOrder}`;
  const place = parsedPageToken(purpose, nextToken);
  const rows = await listBuilds(call.db, call, {
    projectName,
    descending: sortOrder === "DESCENDING",
    after: place && { startedAt: Number(place[0]), uuid: String(place[1]) },
    limit: PAGE_SIZE + 1,
  });
  const page = rows.slice(0, PAGE_SIZE);
  const last = page.at(-1);
  return {
    ids: page.map((build) => `${build.projectName}:${build.uuid}`),
    nextToken: rows.length > PAGE_SIZE && last ? pageToken(purpose, [last.startedAt, last.uuid]) : undefined,
  };
}
