/** The operations under either name of the service. */
import type { Operation } from "#gateway/operation.ts";
import {
  CreateConnection,
  connectionList,
  createConnection,
  DeleteConnection,
  GetConnection,
  ListConnections,
} from "./connections.ts";
import { CreateHost, createHost, DeleteHost, GetHost, ListHosts, UpdateHost } from "./hosts.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./tags.ts";

export const codestarOperations = {
  CreateConnection,
  CreateHost,
  DeleteConnection,
  DeleteHost,
  GetConnection,
  GetHost,
  ListConnections,
  ListHosts,
  ListTagsForResource,
  TagResource,
  UntagResource,
  UpdateHost,
};

/** Called as codeconnections, an operation is authorised as `codeconnections:…` and makes ARNs of that name. */
export const codeconnectionsOperations = {
  CreateConnection: createConnection("codeconnections"),
  CreateHost: createHost("codeconnections"),
  DeleteConnection: renamed(DeleteConnection),
  DeleteHost: renamed(DeleteHost),
  GetConnection: renamed(GetConnection),
  GetHost: renamed(GetHost),
  ListConnections: connectionList("codeconnections"),
  ListHosts: renamed(ListHosts),
  ListTagsForResource: renamed(ListTagsForResource),
  TagResource: renamed(TagResource),
  UntagResource: renamed(UntagResource),
  UpdateHost: renamed(UpdateHost),
};

function renamed<I, O>(operation: Operation<I, O>): Operation<I, O> {
  const { authorize } = operation;
  if (authorize === "always") return operation;
  const { action, context } = authorize;
  const newName = (name: string) => name.replace("codestar-connections:", "codeconnections:");
  const renamedAction = typeof action === "string" ? newName(action) : (input: I) => newName(action(input));
  const renamedContext: typeof context =
    context &&
    (async (input, call, resource) =>
      Object.fromEntries(
        Object.entries(await context(input, call, resource)).map(([key, value]) => [newName(key), value]),
      ));
  return {
    ...operation,
    authorize: { ...authorize, action: renamedAction, ...(renamedContext && { context: renamedContext }) },
  };
}
