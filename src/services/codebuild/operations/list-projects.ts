/** Reading build projects. Both are asked for often: one query each. */
import type * as sdk from "@aws-sdk/client-codebuild";
import type { OperationOf } from "#gateway/operation.ts";
import { projectNameOf } from "../model.ts";
import { PAGE_SIZE, pageToken, parsedPageToken } from "../paging.ts";
import { toProject } from "../project-view.ts";
import { findProjects, listProjects, type ProjectOrder } from "../store/projects.ts";
import { namedArn } from "./projects.ts";

const ORDERS: Readonly<Record<string, ProjectOrder>> = {
  NAME: "name",
  CREATED_TIME: "created_at",
  LAST_MODIFIED_TIME: "modified_at",
};

export const ListProjects: OperationOf<sdk.ListProjectsCommand> = {
  authorize: { action: "codebuild:ListProjects", resources: () => ["*"] },
  async run({ sortBy = "NAME", sortOrder = "ASCENDING", nextToken }, call) {
    const purpose = `projects ${sortBy} ${sortOrder}`;
    const place = parsedPageToken(purpose, nextToken);
    const rows = await listProjects(call.db, call, {
      orderBy: ORDERS[sortBy]!,
      descending: sortOrder === "DESCENDING",
      after: place && { value: place[0]!, name: String(place[1]) },
      limit: PAGE_SIZE + 1,
    });
    const page = rows.slice(0, PAGE_SIZE);
    const last = page.at(-1);
    return {
      projects: page.map(({ name }) => name),
      nextToken: rows.length > PAGE_SIZE && last ? pageToken(purpose, [last.value, last.name]) : undefined,
    };
  },
};

export const BatchGetProjects: OperationOf<sdk.BatchGetProjectsCommand> = {
  authorize: {
    action: "codebuild:BatchGetProjects",
    resources: (input, call) => input.names!.map((name) => namedArn(call, name)),
  },
  async run({ names }, call) {
    const wanted = new Map(names!.map((given) => [given, projectNameOf(call, given)]));
    const known = [...new Set(wanted.values())].filter((name) => name !== undefined);
    const records = new Map((await findProjects(call.db, call, known)).map((record) => [record.name, record]));
    const projects = new Set([...wanted.values()].map((name) => records.get(name ?? "")));
    return {
      projects: [...projects]
        .filter((record) => record !== undefined)
        .map((record) => toProject(record, call.system.config)),
      projectsNotFound: [...wanted].filter(([, name]) => !records.has(name ?? "")).map(([given]) => given),
    };
  },
};
