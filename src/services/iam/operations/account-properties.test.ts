import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { aUser, iamSystem, policy } from "../testing.ts";

const put = (Properties: Record<string, string>) => new sdk.PutAccountPropertiesCommand({ Properties });
const get = new sdk.GetAccountPropertiesCommand({});
const ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/role-manager.iam.amazonaws.com/AWSServiceRoleForIAMRoleManager`;
const getRole = new sdk.GetRoleCommand({ RoleName: "AWSServiceRoleForIAMRoleManager" });

test("role manager is off until it is enabled, which makes its service-linked role", async () => {
  await using system = await iamSystem();
  const { root } = system;
  assert.deepEqual((await root.send(get)).Properties, { "RoleManager/Enabled": "false" });
  await root.send(put({ "RoleManager/Enabled": "false" }));
  await assert.rejects(root.send(getRole), { name: "NoSuchEntityException" });
  await root.send(put({ "RoleManager/Enabled": "true", "RoleManager/Unknown": "is forgotten" }));
  assert.deepEqual((await root.send(get)).Properties, { "RoleManager/Enabled": "true" });
  const { Role } = await root.send(getRole);
  assert.equal(Role!.Arn, ROLE);
  const attached = await root.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName: Role!.RoleName }));
  assert.deepEqual(
    attached.AttachedPolicies!.map(({ PolicyName }) => PolicyName),
    ["AWSIAMRoleManagerServiceRolePolicy"],
  );
  await root.send(put({ "RoleManager/Enabled": "true" }));
  await root.send(put({ "RoleManager/Enabled": "false" }));
  assert.deepEqual((await root.send(get)).Properties, { "RoleManager/Enabled": "false" });
  assert.equal((await root.send(getRole)).Role!.RoleId, Role!.RoleId);
});

test("properties that AWS does not know are refused in its words", async () => {
  await using system = await iamSystem();
  const refused = async (properties: Record<string, string>, message: string) =>
    assert.rejects(system.root.send(put(properties)), { name: "InvalidInputException", message });
  await refused({ RoleManager: "true" }, "Property key must be in format Namespace/PropertyName: RoleManager");
  await refused({ "Other/Enabled": "true" }, "Unsupported namespace: Other");
  await refused({ "RoleManager/Other": "true" }, "RoleManager namespace requires Enabled property");
  await refused({ "RoleManager/Enabled/More": "true" }, "RoleManager namespace requires Enabled property");
  await refused({}, "RoleManager namespace requires Enabled property");
  await refused(
    { "RoleManager/Enabled": "true", "Other/Enabled": "true" },
    "All properties must belong to the same namespace",
  );
  await refused({ "RoleManager/Enabled": "False" }, "Enabled must be 'true' or 'false'");
  assert.deepEqual((await system.root.send(get)).Properties, { "RoleManager/Enabled": "false" });
});

test("enabling takes the permission to make the service-linked role, disabling does not", async () => {
  await using system = await iamSystem();
  const { client } = await aUser(system, "dev", policy("Allow", "iam:PutAccountProperties"));
  await assert.rejects(client.send(put({ "RoleManager/Enabled": "true" })), {
    name: "AccessDenied",
    message: `User: arn:aws:iam::${ACCOUNT}:user/dev is not authorized to perform: iam:CreateServiceLinkedRole on resource: ${ROLE} because no identity-based policy allows the iam:CreateServiceLinkedRole action`,
  });
  await client.send(put({ "RoleManager/Enabled": "false" }));
});

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_role-manager_enable-use.html */
test("policies can ask for the namespace", async () => {
  await using system = await iamSystem();
  const document = (namespace: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "iam:*", Resource: "*" },
        {
          Sid: "DenyRoleManagerEnablement",
          Effect: "Deny",
          Action: "iam:PutAccountProperties",
          Resource: "*",
          Condition: { "ForAnyValue:StringEquals": { "iam:AccountPropertyNamespaces": namespace } },
        },
      ],
    });
  const denied = await aUser(system, "denied", document("RoleManager"));
  const allowed = await aUser(system, "allowed", document("Other"));
  await assert.rejects(denied.client.send(put({ "RoleManager/Enabled": "true" })), { name: "AccessDenied" });
  await allowed.client.send(put({ "RoleManager/Enabled": "true" }));
});
