/** Users. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { deleteConflict, nameTaken } from "../errors.ts";
import { newId } from "../ids.ts";
import { type Entity, toUser } from "../model.ts";
import { followArn, leaveUniqueId } from "../named-principals.ts";
import { requireRoomFor } from "../quotas.ts";
import { deleteAccesses } from "../store/accesses.ts";
import {
  deleteEntity,
  findEntity,
  groupsOfUser,
  insertEntity,
  keyOf,
  listEntities,
  renameEntity,
  updateEntity,
} from "../store/entities.ts";
import { entityTags } from "../tag-rules.ts";
import { requireBoundary } from "./boundary-check.ts";
import { requireNoCredentials, requireNoPolicies } from "./deletion.ts";
import { about, atPath, callersUserName, changing, existing, madeAtPath, page, refOf } from "./support.ts";

export const CreateUser: OperationOf<sdk.CreateUserCommand> = {
  authorize: madeAtPath(
    "user",
    "User",
    (input) => ({ path: input.Path, name: input.UserName! }),
    (input) => ({ "iam:permissionsboundary": input.PermissionsBoundary }),
  ),
  async run(input, call) {
    const user: Entity = {
      ...refOf(call, "user", input.UserName!),
      path: input.Path ?? "/",
      id: newId("user"),
      createdAt: call.now,
      tags: entityTags.checked(input.Tags),
      boundaryArn: input.PermissionsBoundary,
      role: undefined,
    };
    await changing(call, async (trx) => {
      if (await findEntity(trx, user)) throw nameTaken("user", user.name);
      await requireBoundary(trx, call.accountId, user.boundaryArn);
      await requireRoomFor(trx, call.accountId, "user");
      await insertEntity(trx, user);
    });
    return { User: toUser(user, "full") };
  },
};

/** Without a name: the caller, who may be the root. */
export const GetUser: OperationOf<sdk.GetUserCommand> = {
  authorize: {
    action: "iam:GetUser",
    async resources(input, call) {
      if (input.UserName === undefined) return [call.principal.arn];
      return about<typeof input>("user", "GetUser", () => input.UserName!).resources(input, call);
    },
  },
  async run(input, call) {
    if (input.UserName === undefined && call.principal.type === "Root") {
      const { arn, userId } = call.principal;
      // The root user has neither name nor path; AWS answers the time the account was made, which Slipway does not know.
      return { User: { Path: "/", UserName: userId, UserId: userId, Arn: arn, CreateDate: new Date(0) } };
    }
    const name = input.UserName ?? callersUserName(call);
    return { User: toUser(await existing(call.db, refOf(call, "user", name)), "full") };
  },
};

export const ListUsers: OperationOf<sdk.ListUsersCommand> = {
  authorize: atPath("user", "ListUsers", (input) => ({ path: input.PathPrefix, name: "" })),
  async run(input, call) {
    const { items, ...rest } = await page(
      input,
      (slice) => listEntities(call.db, call.accountId, "user", input.PathPrefix ?? "/", slice),
      (user) => keyOf(user.name),
    );
    return { Users: items.map((user) => toUser(user, "listed")), ...rest };
  },
};

export const UpdateUser: OperationOf<sdk.UpdateUserCommand> = {
  authorize: about("user", "UpdateUser", (input) => input.UserName!),
  async run(input, call) {
    await changing(call, async (trx) => {
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      if (input.NewPath !== undefined) await updateEntity(trx, { ...user, path: input.NewPath });
      const newName = input.NewUserName ?? user.name;
      if (newName !== user.name) {
        const other = await findEntity(trx, refOf(call, "user", newName));
        if (other && other.id !== user.id) throw nameTaken("user", newName);
        await renameEntity(trx, user, newName);
      }
      await followArn(call.system, trx, user, { ...user, name: newName, path: input.NewPath ?? user.path });
    });
    return {};
  },
};

export const DeleteUser: OperationOf<sdk.DeleteUserCommand> = {
  authorize: about("user", "DeleteUser", (input) => input.UserName!),
  async run(input, call) {
    await changing(call, async (trx) => {
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      if ((await groupsOfUser(trx, call.accountId, user.name)).length > 0) {
        throw deleteConflict("Cannot delete entity, must remove users from group first.");
      }
      await requireNoPolicies(trx, user);
      await requireNoCredentials(trx, user);
      await leaveUniqueId(call.system, trx, user);
      await deleteAccesses(trx, user.id);
      await deleteEntity(trx, user);
    });
    return {};
  },
};
