/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import type { Entity, EntityKind } from "../model.ts";
import { findEntities } from "../store/entities.ts";
import { listBoundaryUses, listPolicyUses } from "../store/managed-policies.ts";
import { aboutPolicy, requiredPolicy } from "./policy-lookup.ts";
import { pageOf } from "./support.ts";

const KINDS = { User: "user", Group: "group", Role: "role" } as const satisfies Record<string, EntityKind>;

/** Everything that has the policy attached or as its boundary. */
export const ListEntitiesForPolicy: OperationOf<sdk.ListEntitiesForPolicyCommand> = {
  authorize: aboutPolicy("ListEntitiesForPolicy"),
  async run(input, call) {
    const { arn } = await requiredPolicy(call.db, call.accountId, input.PolicyArn!);
    const uses = [
      ...(input.PolicyUsageFilter === "PermissionsBoundary" ? [] : await listPolicyUses(call.db, call.accountId, arn)),
      ...(input.PolicyUsageFilter === "PermissionsPolicy" ? [] : await listBoundaryUses(call.db, call.accountId, arn)),
    ];
    const wanted = input.EntityFilter ? [KINDS[input.EntityFilter as keyof typeof KINDS]] : Object.values(KINDS);
    const entities: Entity[] = [];
    for (const kind of wanted) {
      const names = new Set(uses.filter((use) => use.kind === kind).map((use) => use.name));
      entities.push(...(await findEntities(call.db, call.accountId, kind, [...names])));
    }
    const { items, ...rest } = await pageOf(
      input,
      entities.filter(({ path }) => path.startsWith(input.PathPrefix ?? "/")),
      ({ kind, name }) => `${kind}/${name}`,
    );
    const ofKind = (kind: EntityKind) => items.filter((entity) => entity.kind === kind);
    return {
      PolicyGroups: ofKind("group").map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyUsers: ofKind("user").map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyRoles: ofKind("role").map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...rest,
    };
  },
};
