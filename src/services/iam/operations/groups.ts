/** Groups and who is in them. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { deleteConflict, nameTaken, overQuota } from "../errors.ts";
import { newId } from "../ids.ts";
import { type Entity, toGroup, toUser } from "../model.ts";
import { requireRoomFor } from "../quotas.ts";
import {
  deleteEntity,
  deleteMembership,
  findEntities,
  findEntity,
  groupsOfUser,
  insertEntity,
  insertMembership,
  keyOf,
  listEntities,
  renameEntity,
  updateEntity,
  usersOfGroup,
} from "../store/entities.ts";
import { requireNoPolicies } from "./deletion.ts";
import { about, atPath, changing, existing, page, pageOf, refOf } from "./support.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_GROUPS_OF_USER = 10;

export const CreateGroup: OperationOf<sdk.CreateGroupCommand> = {
  authorize: atPath("group", "CreateGroup", (input) => ({ path: input.Path, name: input.GroupName! })),
  async run(input, call) {
    const group: Entity = {
      ...refOf(call, "group", input.GroupName!),
      path: input.Path ?? "/",
      id: newId("group"),
      createdAt: call.now,
      tags: new Map(),
      boundaryArn: undefined,
      role: undefined,
    };
    await changing(call, async (trx) => {
      if (await findEntity(trx, group)) throw nameTaken("group", group.name);
      await requireRoomFor(trx, call.accountId, "group");
      await insertEntity(trx, group);
    });
    return { Group: toGroup(group) };
  },
};

/** With a page of its users. */
export const GetGroup: OperationOf<sdk.GetGroupCommand> = {
  authorize: about("group", "GetGroup", (input) => input.GroupName!),
  async run(input, call) {
    const group = await existing(call.db, refOf(call, "group", input.GroupName!));
    const members = await usersOfGroup(call.db, call.accountId, group.name);
    const { items, ...rest } = await pageOf(input, members, (name) => name);
    const users = await findEntities(call.db, call.accountId, "user", items);
    return { Group: toGroup(group), Users: users.map((user) => toUser(user, "listed")), ...rest };
  },
};

export const ListGroups: OperationOf<sdk.ListGroupsCommand> = {
  authorize: atPath("group", "ListGroups", (input) => ({ path: input.PathPrefix, name: "" })),
  async run(input, call) {
    const { items, ...rest } = await page(
      input,
      (slice) => listEntities(call.db, call.accountId, "group", input.PathPrefix ?? "/", slice),
      (group) => keyOf(group.name),
    );
    return { Groups: items.map(toGroup), ...rest };
  },
};

export const UpdateGroup: OperationOf<sdk.UpdateGroupCommand> = {
  authorize: about("group", "UpdateGroup", (input) => input.GroupName!),
  async run(input, call) {
    await changing(call, async (trx) => {
      const group = await existing(trx, refOf(call, "group", input.GroupName!));
      if (input.NewPath !== undefined) await updateEntity(trx, { ...group, path: input.NewPath });
      const newName = input.NewGroupName;
      if (newName === undefined || newName === group.name) return;
      const other = await findEntity(trx, refOf(call, "group", newName));
      if (other && other.id !== group.id) throw nameTaken("group", newName);
      await renameEntity(trx, group, newName);
    });
    return {};
  },
};

export const DeleteGroup: OperationOf<sdk.DeleteGroupCommand> = {
  authorize: about("group", "DeleteGroup", (input) => input.GroupName!),
  async run(input, call) {
    await changing(call, async (trx) => {
      const group = await existing(trx, refOf(call, "group", input.GroupName!));
      if ((await usersOfGroup(trx, call.accountId, group.name)).length > 0) {
        throw deleteConflict("Cannot delete entity, must remove users from group first.");
      }
      await requireNoPolicies(trx, group);
      await deleteEntity(trx, group);
    });
    return {};
  },
};

export const AddUserToGroup: OperationOf<sdk.AddUserToGroupCommand> = {
  authorize: about("group", "AddUserToGroup", (input) => input.GroupName!),
  async run(input, call) {
    await changing(call, async (trx) => {
      const group = await existing(trx, refOf(call, "group", input.GroupName!));
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      const groups = await groupsOfUser(trx, call.accountId, user.name);
      if (!groups.includes(keyOf(group.name)) && groups.length >= MAX_GROUPS_OF_USER) {
        throw overQuota("GroupsPerUser", MAX_GROUPS_OF_USER);
      }
      await insertMembership(trx, call.accountId, user.name, group.name);
    });
    return {};
  },
};

/** AWS has nothing against one who is not in the group: https://github.com/cloud-custodian/cloud-custodian/pull/4730 */
export const RemoveUserFromGroup: OperationOf<sdk.RemoveUserFromGroupCommand> = {
  authorize: about("group", "RemoveUserFromGroup", (input) => input.GroupName!),
  async run(input, call) {
    await changing(call, async (trx) => {
      const group = await existing(trx, refOf(call, "group", input.GroupName!));
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      await deleteMembership(trx, call.accountId, user.name, group.name);
    });
    return {};
  },
};

export const ListGroupsForUser: OperationOf<sdk.ListGroupsForUserCommand> = {
  authorize: about("user", "ListGroupsForUser", (input) => input.UserName!),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", input.UserName!));
    const { items, ...rest } = await pageOf(
      input,
      await groupsOfUser(call.db, call.accountId, user.name),
      (name) => name,
    );
    return { Groups: (await findEntities(call.db, call.accountId, "group", items)).map(toGroup), ...rest };
  },
};
