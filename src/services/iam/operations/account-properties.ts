/**
 * What an account has switched on: role manager, with which AWS's consoles make roles from templates.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_role-manager.html
 */
import * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidInput } from "../errors.ts";
import { linkedRoleOf } from "../linked-roles.ts";
import { iamArn } from "../model.ts";
import { accountProperties, putAccountProperty } from "../store/account-properties.ts";
import { findEntity } from "../store/entities.ts";
import { changing, refOf } from "./support.ts";

const NAMESPACE = "RoleManager";
const ENABLED = `${NAMESPACE}/Enabled`;
const SERVICE = "role-manager.iam.amazonaws.com";
const ROLE = linkedRoleOf(SERVICE)!.role;

/** "For most AWS accounts, role manager is disabled by default." */
const DEFAULTS = { [ENABLED]: "false" };

export const GetAccountProperties: OperationOf<sdk.GetAccountPropertiesCommand> = {
  authorize: {
    action: "iam:GetAccountProperties",
    resources: () => ["*"],
    context: () => ({ "iam:accountpropertynamespaces": [NAMESPACE] }),
  },
  run: async (_input, call) => ({
    Properties: { ...DEFAULTS, ...(await accountProperties(call.db, call.accountId)) },
  }),
};

/**
 * "Enabling role manager requires the `iam:PutAccountProperties` and `iam:CreateServiceLinkedRole` permissions", the second
 * one where the role is there already too. Further properties of the namespace are taken and forgotten, as observed of AWS.
 */
export const PutAccountProperties: OperationOf<sdk.PutAccountPropertiesCommand> = {
  authorize: {
    action: "iam:PutAccountProperties",
    resources: () => ["*"],
    context: ({ Properties = {} }) => ({
      "iam:accountpropertynamespaces": [...new Set(Object.keys(Properties).map(namespaceOf))],
    }),
    additional: ({ Properties = {} }, { accountId }) =>
      Properties[ENABLED] === "true"
        ? [
            {
              action: "iam:CreateServiceLinkedRole",
              resource: iamArn(accountId, "role", `/aws-service-role/${SERVICE}/`, ROLE),
              context: { "iam:awsservicename": SERVICE },
            },
          ]
        : [],
  },
  async run({ Properties = {} }, call) {
    const value = checkedValue(Properties);
    await changing(call, async (trx) => {
      if (value === "true" && !(await findEntity(trx, refOf(call, "role", ROLE)))) {
        const { accountId, region, system } = call;
        const create = new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName: SERVICE });
        await system.client(call.principal, { accountId, region, db: trx }).send(create);
      }
      await putAccountProperty(trx, call.accountId, ENABLED, value);
    });
    return {};
  },
};

/** Of RoleManager/Enabled. Throws InvalidInput, in AWS's words. */
function checkedValue(properties: Readonly<Record<string, string>>): string {
  const names = Object.keys(properties);
  for (const name of names) {
    if (!/^[^/].*\/.*[^/]$/s.test(name)) {
      throw invalidInput(`Property key must be in format Namespace/PropertyName: ${name}`);
    }
  }
  const namespaces = new Set(names.map(namespaceOf));
  if (namespaces.size > 1) throw invalidInput("All properties must belong to the same namespace");
  const [namespace] = namespaces;
  if (namespace !== undefined && namespace !== NAMESPACE) throw invalidInput(`Unsupported namespace: ${namespace}`);
  const value = properties[ENABLED];
  if (value === undefined) throw invalidInput("RoleManager namespace requires Enabled property");
  if (value !== "true" && value !== "false") throw invalidInput("Enabled must be 'true' or 'false'");
  return value;
}

function namespaceOf(property: string): string {
  return property.split("/", 1)[0]!;
}
