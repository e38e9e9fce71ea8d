/** IAM's nouns, their ARNs, and how the API shows them. */
import type * as sdk from "@aws-sdk/client-iam";
import type { EntityKind } from "./store/tables.ts";

export type { EntityKind } from "./store/tables.ts";

/** Names a user, group or role; names are the same whatever their case. */
export interface EntityRef {
  readonly accountId: string;
  readonly kind: EntityKind;
  readonly name: string;
}

export interface Entity extends EntityRef {
  readonly path: string;
  /** AIDA…, AGPA…, AROA… */
  readonly id: string;
  readonly createdAt: Date;
  readonly tags: Tags;
  readonly boundaryArn: string | undefined;
  /** Of roles only. */
  readonly role: RoleDetails | undefined;
}

export interface RoleDetails {
  /** JSON, as it was put. */
  readonly trustPolicy: string;
  readonly description: string | undefined;
  /** Seconds. */
  readonly maxSessionDuration: number;
  /** Of a service-linked role: the service that alone may change it. */
  readonly linkedService: string | undefined;
  /** Of a role that AcquireRole made; absent for the others. */
  readonly sourceTemplate?: SourceTemplate;
}

/** The role template that a role was made from, and the values of its parameters. */
export interface SourceTemplate {
  readonly arn: string;
  readonly minorVersion: number;
  readonly values: Readonly<Record<string, string>>;
}

export interface RoleLastUsed {
  readonly at: Date;
  readonly region: string;
}

export type Tags = ReadonlyMap<string, string>;

export interface ManagedPolicy {
  readonly arn: string;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly description: string | undefined;
  /** "v1" */
  readonly defaultVersionId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly tags: Tags;
}

export interface PolicyVersion {
  readonly versionId: string;
  /** JSON, as it was put. */
  readonly document: string;
  readonly isDefault: boolean;
  readonly createdAt: Date;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly accountId: string;
  readonly userName: string;
  readonly status: "Active" | "Inactive";
  readonly createdAt: Date;
  readonly lastUsed: { readonly at: Date; readonly service: string; readonly region: string } | undefined;
}

export interface InstanceProfile {
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly createdAt: Date;
  /** In lower case. */
  readonly roleName: string | undefined;
  readonly tags: Tags;
}

/** `type` is the ARN's word: "user", "role", "policy", "instance-profile"; `path` begins and ends with a slash. */
export function iamArn(accountId: string, type: string, path: string, name: string): string {
  return `arn:aws:iam::${accountId}:${type}${path}${name}`;
}

export function arnOf(entity: Pick<Entity, "accountId" | "kind" | "path" | "name">): string {
  return iamArn(entity.accountId, entity.kind, entity.path, entity.name);
}

/** The last segment of an ARN or path. */
export function nameOfArn(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

/** The API gives policy documents percent-encoded as of RFC 3986. */
export function encodedDocument(json: string): string {
  return encodeURIComponent(json).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function toTagList(tags: Tags): sdk.Tag[] {
  return Array.from(tags, ([Key, Value]) => ({ Key, Value }));
}

/** "The returned list of tags is sorted by tag key." */
export function sortedTagList(tags: Tags): sdk.Tag[] {
  return toTagList(tags).sort((a, b) => (a.Key! < b.Key! ? -1 : 1));
}

/**
 * The reference has the type as "PermissionsBoundaryPolicy"; what AWS answers is "Policy".
 * https://docs.aws.amazon.com/cli/latest/reference/iam/create-user.html#examples
 */
const BOUNDARY_TYPE = "Policy" as sdk.PermissionsBoundaryAttachmentType;

function boundaryOf(entity: Entity): Pick<sdk.Role, "PermissionsBoundary"> {
  if (entity.boundaryArn === undefined) return {};
  return {
    PermissionsBoundary: {
      PermissionsBoundaryType: BOUNDARY_TYPE,
      PermissionsBoundaryArn: entity.boundaryArn,
    },
  };
}

function sourceTemplateOf({ sourceTemplate }: RoleDetails): Pick<sdk.Role, "SourceRoleTemplate"> {
  if (!sourceTemplate) return {};
  const { arn, minorVersion } = sourceTemplate;
  return { SourceRoleTemplate: { TemplateArn: arn, TemplateMinorVersion: minorVersion } };
}

/** Lists leave tags and boundary out, as AWS's do. */
export function toUser(entity: Entity, detail: "listed" | "full"): sdk.User {
  return {
    Path: entity.path,
    UserName: entity.name,
    UserId: entity.id,
    Arn: arnOf(entity),
    CreateDate: entity.createdAt,
    ...(detail === "full" && boundaryOf(entity)),
    ...(detail === "full" && entity.tags.size > 0 && { Tags: toTagList(entity.tags) }),
  };
}

export function toGroup(entity: Entity): sdk.Group {
  return {
    Path: entity.path,
    GroupName: entity.name,
    GroupId: entity.id,
    Arn: arnOf(entity),
    CreateDate: entity.createdAt,
  };
}

/**
 * Lists leave tags, boundary, the last use and the role template out, as AWS's do. What answers the creation of a role has
 * neither its last use nor, even where they were given, its description and the duration of its sessions.
 * https://docs.aws.amazon.com/cli/latest/reference/iam/create-role.html#examples
 * https://docs.aws.amazon.com/cli/latest/reference/iam/create-service-linked-role.html#examples
 */
export function toRole(entity: Entity, detail: "listed" | "created" | "full", lastUsed?: RoleLastUsed): sdk.Role {
  const role = roleDetails(entity);
  return {
    Path: entity.path,
    RoleName: entity.name,
    RoleId: entity.id,
    Arn: arnOf(entity),
    CreateDate: entity.createdAt,
    AssumeRolePolicyDocument: encodedDocument(role.trustPolicy),
    ...(detail !== "created" && role.description !== undefined && { Description: role.description }),
    ...(detail !== "created" && { MaxSessionDuration: role.maxSessionDuration }),
    ...(detail !== "listed" && boundaryOf(entity)),
    ...(detail !== "listed" && entity.tags.size > 0 && { Tags: toTagList(entity.tags) }),
    ...(detail === "full" && { RoleLastUsed: toRoleLastUsed(lastUsed) }),
    ...(detail === "full" && sourceTemplateOf(role)),
  };
}

/** Empty for a role that was not used in the tracking period. */
export function toRoleLastUsed(lastUsed: RoleLastUsed | undefined): sdk.RoleLastUsed {
  return lastUsed ? { LastUsedDate: lastUsed.at, Region: lastUsed.region } : {};
}

export function roleDetails(entity: Entity): RoleDetails {
  if (!entity.role) throw new Error(`${arnOf(entity)} is no role`);
  return entity.role;
}
