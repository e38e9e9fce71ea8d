/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import type { AttachedPolicy } from "../attached-documents.ts";
import { GrantedActions } from "../granted-actions.ts";
import type { EntityKind } from "../model.ts";
import { entityOfArn } from "./entity-of-arn.ts";
import { pageOf } from "./support.ts";

const OWNER_TYPES = { user: "USER", group: "GROUP", role: "ROLE" } as const satisfies Record<EntityKind, string>;

/** In the order in which the services were asked about. Permissions boundaries are not among the policies. */
export const ListPoliciesGrantingServiceAccess: OperationOf<sdk.ListPoliciesGrantingServiceAccessCommand> = {
  authorize: { action: "iam:ListPoliciesGrantingServiceAccess", resources: (input) => [input.Arn!] },
  async run(input, call) {
    const { identity } = await entityOfArn(call, input.Arn!);
    const policies = identity.map((policy) => ({ policy, granted: new GrantedActions([policy.document]) }));
    const entries = input.ServiceNamespaces!.map((namespace, index) => ({
      index,
      entry: {
        ServiceNamespace: namespace,
        Policies: policies
          .filter(({ granted }) => granted.grantsService(namespace))
          .map(({ policy }) => toPolicy(policy)),
      },
    }));
    const { items, ...rest } = await pageOf(input, entries, ({ index }) => String(index).padStart(3, "0"));
    return { PoliciesGrantingServiceAccess: items.map(({ entry }) => entry), ...rest };
  },
};

function toPolicy({ name, arn, holder }: AttachedPolicy): sdk.PolicyGrantingServiceAccess {
  if (arn !== undefined) return { PolicyName: name, PolicyType: "MANAGED", PolicyArn: arn };
  return { PolicyName: name, PolicyType: "INLINE", EntityType: OWNER_TYPES[holder.kind], EntityName: holder.name };
}
