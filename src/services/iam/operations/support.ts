/** What IAM's operations have in common: whom they are about, how they change it, how they list. */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { notFound, protectedRole, validationError } from "../errors.ts";
import { IDENTITIES_CHANGED } from "../identities.ts";
import { type Entity, type EntityKind, type EntityRef, iamArn, type Tags, toTagList } from "../model.ts";
import { EVERYTHING, findEntity, type Slice } from "../store/entities.ts";
import { requestTags } from "../tag-rules.ts";

/** Changes identities of the caller's account in one transaction; then every process forgets what it cached of it. */
export async function changing<T>(call: Call, change: (trx: Database) => Promise<T>): Promise<T> {
  const result = await inTransaction(call.db, change);
  call.system.bus.publish(IDENTITIES_CHANGED, call.accountId);
  return result;
}

export function refOf(call: Call, kind: EntityKind, name: string): EntityRef {
  return { accountId: call.accountId, kind, name };
}

/** Throws NoSuchEntity. */
export async function existing(db: Database, ref: EntityRef): Promise<Entity> {
  const entity = await findEntity(db, ref);
  if (!entity) throw notFound(ref.kind, ref.name);
  return entity;
}

/** Throws NoSuchEntity, or UnmodifiableEntity for a role that belongs to a service. */
export async function modifiable(db: Database, ref: EntityRef): Promise<Entity> {
  const entity = await existing(db, ref);
  if (entity.role?.linkedService !== undefined) throw protectedRole(entity.name);
  return entity;
}

/** The authorization of an operation about one user, group or role by name. */
export function about<I>(
  kind: EntityKind,
  action: string,
  nameOf: (input: NoInfer<I>, call: Call) => string,
  context?: Authorization<NoInfer<I>>["context"],
): Authorization<I> {
  const find = (call: Call, name: string) => findEntity(call.db, refOf(call, kind, name));
  return aboutNamed(kind, find, action, nameOf, async (input, call, resource) => {
    const boundary = BOUNDED.has(action) ? (await find(call, nameOf(input, call)))?.boundaryArn : undefined;
    return { "iam:permissionsboundary": boundary, ...(await context?.(input, call, resource)) };
  });
}

/**
 * The authorization of an operation about what `find` finds by name; `type` is the ARN's word for it. What does not exist
 * is asked about under the path "/".
 */
export function aboutNamed<I>(
  type: string,
  find: (call: Call, name: string) => Promise<{ readonly path: string; readonly name: string } | undefined>,
  action: string,
  nameOf: (input: NoInfer<I>, call: Call) => string,
  context?: Authorization<NoInfer<I>>["context"],
): Authorization<I> {
  return {
    action: `iam:${action}`,
    async resources(input, call) {
      const name = nameOf(input, call);
      const found = (await find(call, name)) ?? { path: "/", name };
      return [iamArn(call.accountId, type, found.path, found.name)];
    },
    ...(context && { context }),
  };
}

/**
 * Of what changes a user or role, policies can ask for the boundary that it has.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
const BOUNDED: ReadonlySet<string> = new Set([
  "AttachRolePolicy",
  "AttachUserPolicy",
  "DeleteRole",
  "DeleteRolePermissionsBoundary",
  "DeleteRolePolicy",
  "DeleteUserPermissionsBoundary",
  "DeleteUserPolicy",
  "DetachRolePolicy",
  "DetachUserPolicy",
  "GetRole",
  "PutRolePolicy",
  "PutUserPolicy",
  "UpdateAssumeRolePolicy",
  "UpdateRole",
  "UpdateRoleDescription",
]);

/** The authorization of an operation that makes something under a path, or lists it by path. */
export function atPath<I>(
  type: string,
  action: string,
  place: (input: I) => { path: string | undefined; name: string },
  context?: Authorization<I>["context"],
): Authorization<I> {
  return {
    action: `iam:${action}`,
    resources(input, call) {
      const { path, name } = place(input);
      return [iamArn(call.accountId, type, path ?? "/", name)];
    },
    ...(context && { context }),
  };
}

interface Taggable {
  readonly Tags?: readonly sdk.Tag[] | undefined;
}

/** As `atPath`, for what can be made with tags. */
export function madeAtPath<I extends Taggable>(
  type: string,
  what: "User" | "Role" | "Policy" | "InstanceProfile",
  place: (input: I) => { path: string | undefined; name: string },
  keys?: (input: I) => ContextKeys,
): Authorization<I> {
  return madeWithTags(`Tag${what}`, atPath(type, `Create${what}`, place, keys));
}

/**
 * Making something with tags is an action of its own beside making it: `iam:TagUser` and so on.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_access-permissions
 */
export function madeWithTags<I extends Taggable>(tagAction: string, making: Authorization<I>): Authorization<I> {
  return {
    ...making,
    context: async (input, call, resource) => ({
      ...requestTags(input.Tags),
      ...(await making.context?.(input, call, resource)),
    }),
    additional: (input, _call, resources) =>
      input.Tags?.length
        ? resources.map((resource) => ({ action: `iam:${tagAction}`, resource, context: requestTags(input.Tags) }))
        : [],
  };
}

/** "If you do not include it, it defaults to a slash (/)"; the name of a user defaults to the caller's. */
export function callersUserName(call: Call): string {
  const { type, arn } = call.principal;
  if (type === "User") return arn.slice(arn.lastIndexOf("/") + 1);
  throw validationError("Must specify userName when calling with non-User credentials");
}

/** "If you do not specify a user name, IAM determines the user name implicitly based on the access key ID signing the request." */
export function userNameOf(input: { readonly UserName?: string | undefined }, call: Call): string {
  return input.UserName ?? callersUserName(call);
}

export interface PageRequest {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

export interface Page<T> {
  readonly items: T[];
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

/** "If you do not include this parameter, the number of items defaults to 100." */
const DEFAULT_MAX_ITEMS = 100;

/** What fits, sealed, into the 320 characters that a marker may have. */
const MAX_KEY_BYTES = 190;

/** Where a page begins: after the key, and after so many items whose keys begin with it. */
type Place = readonly [after: string | undefined, skipped: number];

const BEGINNING: Place = [undefined, 0];

/** `list` answers up to `limit` items whose keys come after `after`, in the order of their keys. */
export async function page<T>(
  request: PageRequest,
  list: (slice: Slice) => Promise<T[]> | T[],
  keyOf: (item: T) => string,
): Promise<Page<T>> {
  const maxItems = request.MaxItems ?? DEFAULT_MAX_ITEMS;
  const [after, skipped] = request.Marker === undefined ? BEGINNING : (JSON.parse(request.Marker) as Place);
  const found = await list({ after, limit: skipped + maxItems + 1 });
  const served = found.slice(0, skipped).filter((item) => keyOf(item).startsWith(after!)).length;
  const rest = found.slice(served);
  const items = rest.slice(0, maxItems);
  if (rest.length <= maxItems) return { items, IsTruncated: false };
  return { items, IsTruncated: true, Marker: JSON.stringify(await placeOf(keyOf(items.at(-1)!), list, keyOf)) };
}

/** A key that is too long for a marker, as ARNs with paths can be, is told by its beginning and the items that have it too. */
async function placeOf<T>(
  key: string,
  list: (slice: Slice) => Promise<T[]> | T[],
  keyOf: (item: T) => string,
): Promise<Place> {
  const bytes = Buffer.from(key);
  if (bytes.length <= MAX_KEY_BYTES) return [key, 0];
  const beginning = bytes
    .subarray(0, MAX_KEY_BYTES)
    .toString()
    .replace(/\uFFFD+$/, "");
  const alike = await list({ ...EVERYTHING, after: beginning });
  return [beginning, alike.findIndex((item) => keyOf(item) === key) + 1];
}

/** A page of what is all at hand. */
export function pageOf<T>(request: PageRequest, all: readonly T[], keyOf: (item: T) => string): Promise<Page<T>> {
  const sorted = [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const list = ({ after, limit }: Slice) =>
    sorted.filter((item) => after === undefined || keyOf(item) > after).slice(0, limit);
  return page(request, list, keyOf);
}

/** Tags come in the order of their keys. */
export async function tagPage(request: PageRequest, tags: Tags) {
  const { items, ...rest } = await pageOf(request, toTagList(tags), ({ Key }) => Key!);
  return { Tags: items, ...rest };
}
