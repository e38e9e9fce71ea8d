/**
 * Roles from templates. The words of all errors are AWS's, as observed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_role-manager_enable-use.html
 */
import { isDeepStrictEqual } from "node:util";
import type * as sdk from "@aws-sdk/client-iam";
import { requireAccess } from "#gateway/authorize.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { invalidInput, nameConflict, noSuchEntity, roleModified, validationError } from "../errors.ts";
import { newId } from "../ids.ts";
import { refuseServiceLinked } from "../linked-roles.ts";
import { arnOf, type Entity, encodedDocument, roleDetails } from "../model.ts";
import { checkedTrustPolicy } from "../policy-checks.ts";
import { requireRoomFor } from "../quotas.ts";
import { findEntity, insertEntity } from "../store/entities.ts";
import { listInlinePolicies } from "../store/inline-policies.ts";
import { insertAttachment, listAttachments } from "../store/managed-policies.ts";
import { RenderError, renderedPolicy, renderedText, requireKnown } from "../templates/render.ts";
import { type RoleTemplate, roleTemplateOf } from "../templates/role-templates.ts";
import { changing, refOf } from "./support.ts";

export const GetRoleTemplateVersion: OperationOf<sdk.GetRoleTemplateVersionCommand> = {
  authorize: { action: "iam:GetRoleTemplateVersion", resources: ({ TemplateArn }) => [TemplateArn!] },
  async run({ TemplateArn, MinorVersion }) {
    const template = roleTemplateOf(TemplateArn!, MinorVersion);
    if (!template) throw noSuchEntity(`Role Template ${TemplateArn} cannot be found.`);
    return { RoleTemplateVersion: toRoleTemplateVersion(template) };
  },
};

/**
 * "AcquireRole evaluates each underlying IAM action against the user's permissions": the template's reading first, then
 * `iam:GetRole` where the role is there, else what making it takes. There is no `iam:AcquireRole`.
 */
export const AcquireRole: OperationOf<sdk.AcquireRoleCommand> = {
  authorize: { action: "iam:GetRoleTemplateVersion", resources: ({ TemplateArn }) => [TemplateArn!] },
  async run({ TemplateArn, TemplateMinorVersion, ReplacementValues = {} }, call) {
    const template = roleTemplateOf(TemplateArn!, TemplateMinorVersion);
    if (!template) throw noSuchEntity(`Role template not found in repository: ${TemplateArn}`);
    const wanted = rendered(template, ReplacementValues, call);
    const role = await changing(call, async (trx) => {
      const found = await findEntity(trx, wanted);
      if (!found) return made(wanted, template, { ...call, db: trx });
      await requireTemplateAccess({ ...call, db: trx }, "GetRole", found, template);
      await requireUnchanged(trx, found, wanted, template);
      return found;
    });
    return { Role: toAcquiredRole(role) };
  },
};

type Values = Readonly<Record<string, sdk.ReplacementValueEntry>>;

/** The role as the template makes it. Throws InvalidInput, ValidationError or MalformedPolicyDocument. */
function rendered(template: RoleTemplate, given: Values, call: Call): Entity {
  const values = new Map(template.parameters.map(({ name, defaultValue }) => [name, defaultValue]));
  const known = new Set(values.keys());
  for (const [name, { Values = [] }] of Object.entries(given)) {
    if (known.has(name) && Values.length !== 1) {
      throw validationError(`${name} replacement value must contain exactly one value, got ${Values.length}`);
    }
    values.set(name, Values[0]);
  }
  const set = new Map([...values].filter((entry): entry is [string, string] => entry[1] !== undefined));
  try {
    requireKnown(set, known);
    const trustPolicy = renderedPolicy(template.trustPolicy, set)!;
    const name = renderedText(template.namePattern, set);
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw validationError(`The role name ${name} is invalid`);
    refuseServiceLinked(name);
    checkedTrustPolicy(trustPolicy);
    return {
      ...refOf(call, "role", name),
      path: "/",
      id: newId("role"),
      createdAt: call.now,
      tags: new Map(),
      boundaryArn: undefined,
      role: {
        trustPolicy,
        description: renderedText(template.descriptionPattern, set),
        maxSessionDuration: template.maxSessionDuration,
        linkedService: undefined,
        sourceTemplate: {
          arn: template.arn,
          minorVersion: template.minorVersion,
          values: Object.fromEntries(set),
        },
      },
    };
  } catch (error) {
    if (error instanceof RenderError) throw invalidInput(`Failed to render template: ${error.message}`);
    throw error;
  }
}

/** Nothing of the role is left where a permission is missing. */
async function made(role: Entity, template: RoleTemplate, call: Call): Promise<Entity> {
  await requireTemplateAccess(call, "CreateRole", role, template);
  await requireRoomFor(call.db, call.accountId, "role");
  await insertEntity(call.db, role);
  for (const arn of template.managedPolicyArns) {
    await requireTemplateAccess(call, "AttachRolePolicy", role, template, { "iam:policyarn": arn });
    await insertAttachment(call.db, role, arn);
  }
  return role;
}

function requireTemplateAccess(
  call: Call,
  action: "GetRole" | "CreateRole" | "AttachRolePolicy",
  role: Entity,
  template: RoleTemplate,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const context = { "iam:permissionsboundary": role.boundaryArn, "iam:roletemplatearn": template.arn, ...more };
  return requireAccess(call, { action: `iam:${action}`, resource: arnOf(role), context });
}

/** A description or session duration of one's own is left alone, as on AWS. Throws NameConflict or RoleModified. */
async function requireUnchanged(db: Database, found: Entity, wanted: Entity, template: RoleTemplate): Promise<void> {
  const { sourceTemplate, trustPolicy } = roleDetails(found);
  if (sourceTemplate?.arn !== template.arn) {
    throw nameConflict(
      "A role with this name already exists in the account but was not created from this template. Choose a different role name, or remove the existing role if it is no longer needed.",
    );
  }
  if (!isDeepStrictEqual(sourceTemplate, roleDetails(wanted).sourceTemplate)) {
    throw nameConflict(
      "A role with this name exists but was created with different parameters. Pass a unique roleName to create a new role.",
    );
  }
  const isUnchanged =
    found.tags.size === 0 &&
    found.boundaryArn === undefined &&
    isDeepStrictEqual(statements(trustPolicy), statements(roleDetails(wanted).trustPolicy)) &&
    isDeepStrictEqual((await listAttachments(db, found)).sort(), [...template.managedPolicyArns].sort()) &&
    (await listInlinePolicies(db, found)).length === 0;
  if (!isUnchanged) throw roleModified(found.name);
}

/** However the document is laid out. */
function statements(trustPolicy: string) {
  return parsePolicy(trustPolicy, "trust").statements;
}

/** As AWS answers: less than GetRole does. */
function toAcquiredRole(role: Entity): sdk.Role {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: arnOf(role),
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodedDocument(roleDetails(role).trustPolicy),
  };
}

function toRoleTemplateVersion(template: RoleTemplate): sdk.RoleTemplateVersion {
  return {
    TemplateArn: template.arn,
    TemplateName: template.name,
    MajorVersion: template.majorVersion,
    DefaultMinorVersion: template.minorVersion,
    ManagedByType: "Service",
    ManagedByValue: template.managedBy,
    Enabled: true,
    MinorVersion: template.minorVersion,
    RoleNamePattern: template.namePattern,
    RoleDescriptionPattern: template.descriptionPattern,
    AssumeRolePolicyDocumentTemplate: encodedDocument(JSON.stringify(template.trustPolicy)),
    ManagedPolicyArns: [...template.managedPolicyArns],
    ParametersDefinition: template.parameters.map(({ name, description, defaultValue }) => ({
      Name: name,
      Type: "String",
      Description: description,
      IsRequired: defaultValue === undefined,
      ...(defaultValue !== undefined && { DefaultValue: defaultValue }),
      Immutable: false,
    })),
    MaxSessionDuration: template.maxSessionDuration,
    VersionEnabled: true,
    CreateTimestamp: template.createdAt,
    UpdateTimestamp: template.createdAt,
  };
}
