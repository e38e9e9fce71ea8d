/** Permissions boundaries. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { EntityKind } from "../model.ts";
import { updateEntity } from "../store/entities.ts";
import { requireBoundary } from "./boundary-check.ts";
import { about, changing, modifiable, refOf } from "./support.ts";

function changeBoundary(call: Call, kind: EntityKind, name: string, arn: string | undefined): Promise<object> {
  return changing(call, async (trx) => {
    await requireBoundary(trx, call.accountId, arn);
    const entity = await modifiable(trx, refOf(call, kind, name));
    await updateEntity(trx, { ...entity, boundaryArn: arn });
    return {};
  });
}

export const PutRolePermissionsBoundary: OperationOf<sdk.PutRolePermissionsBoundaryCommand> = {
  authorize: about(
    "role",
    "PutRolePermissionsBoundary",
    (input) => input.RoleName!,
    (input) => ({ "iam:permissionsboundary": input.PermissionsBoundary }),
  ),
  run: (input, call) => changeBoundary(call, "role", input.RoleName!, input.PermissionsBoundary),
};

export const DeleteRolePermissionsBoundary: OperationOf<sdk.DeleteRolePermissionsBoundaryCommand> = {
  authorize: about("role", "DeleteRolePermissionsBoundary", (input) => input.RoleName!),
  run: (input, call) => changeBoundary(call, "role", input.RoleName!, undefined),
};

export const PutUserPermissionsBoundary: OperationOf<sdk.PutUserPermissionsBoundaryCommand> = {
  authorize: about(
    "user",
    "PutUserPermissionsBoundary",
    (input) => input.UserName!,
    (input) => ({ "iam:permissionsboundary": input.PermissionsBoundary }),
  ),
  run: (input, call) => changeBoundary(call, "user", input.UserName!, input.PermissionsBoundary),
};

export const DeleteUserPermissionsBoundary: OperationOf<sdk.DeleteUserPermissionsBoundaryCommand> = {
  authorize: about("user", "DeleteUserPermissionsBoundary", (input) => input.UserName!),
  run: (input, call) => changeBoundary(call, "user", input.UserName!, undefined),
};
