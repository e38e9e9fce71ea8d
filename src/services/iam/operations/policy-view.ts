/** How the API shows managed policies and their versions. */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { awsManagedPolicy } from "../aws-managed-policies.ts";
import { type ManagedPolicy, type PolicyVersion, toTagList } from "../model.ts";
import { listBoundaryUses, listPolicyUses, listPolicyVersions, type PolicyUse } from "../store/managed-policies.ts";

/** How often a policy is attached, and how often it is a boundary. */
export interface Uses {
  readonly attached: readonly PolicyUse[];
  readonly boundaries: readonly PolicyUse[];
}

/**
 * Lists leave description and tags out; what answers the creation of a policy leaves the description out too.
 * https://docs.aws.amazon.com/cli/latest/reference/iam/create-policy.html#examples
 */
export function toPolicy(policy: ManagedPolicy, uses: Uses, detail: "listed" | "created" | "full"): sdk.Policy {
  const count = (list: readonly PolicyUse[]) => list.filter(({ arn }) => arn === policy.arn).length;
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: count(uses.attached),
    PermissionsBoundaryUsageCount: count(uses.boundaries),
    IsAttachable: true,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
    ...(detail === "full" && policy.description !== undefined && { Description: policy.description }),
    ...((detail === "full" || (detail === "created" && policy.tags.size > 0)) && { Tags: toTagList(policy.tags) }),
  };
}

export async function usesOf(call: Call, policyArn?: string): Promise<Uses> {
  return {
    attached: await listPolicyUses(call.db, call.accountId, policyArn),
    boundaries: await listBoundaryUses(call.db, call.accountId, policyArn),
  };
}

/** Of AWS's policies only the version in force is known. */
export async function versionsOf(db: Database, accountId: string, policy: ManagedPolicy): Promise<PolicyVersion[]> {
  const ofAws = awsManagedPolicy(policy.arn);
  if (!ofAws) return listPolicyVersions(db, accountId, policy);
  return [
    {
      versionId: ofAws.defaultVersionId,
      document: ofAws.document,
      isDefault: true,
      createdAt: ofAws.updatedAt,
    },
  ];
}

export function toVersion({ versionId, isDefault, createdAt }: PolicyVersion): sdk.PolicyVersion {
  return { VersionId: versionId, IsDefaultVersion: isDefault, CreateDate: createdAt };
}
