/** Versions of managed policies. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { deleteConflict, limitExceeded, noSuchEntity } from "../errors.ts";
import { encodedDocument, type ManagedPolicy, type PolicyVersion } from "../model.ts";
import { checkedManagedPolicy } from "../policy-checks.ts";
import {
  deletePolicyVersion,
  insertPolicyVersion,
  listPolicyVersions,
  updateDefaultVersion,
} from "../store/managed-policies.ts";
import { aboutPolicy, customerPolicy, requiredPolicy } from "./policy-lookup.ts";
import { toVersion, versionsOf } from "./policy-view.ts";
import { changing, pageOf } from "./support.ts";

const MAX_VERSIONS = 5;

function requiredVersion(versions: readonly PolicyVersion[], policy: ManagedPolicy, versionId: string): PolicyVersion {
  const version = versions.find((candidate) => candidate.versionId === versionId);
  if (!version) throw noSuchEntity(`Policy ${policy.arn} version ${versionId} does not exist or is not attachable.`);
  return version;
}

export const CreatePolicyVersion: OperationOf<sdk.CreatePolicyVersionCommand> = {
  authorize: aboutPolicy("CreatePolicyVersion"),
  async run(input, call) {
    checkedManagedPolicy(input.PolicyDocument!);
    const isDefault = input.SetAsDefault ?? false;
    const versionId = await changing(call, async (trx) => {
      const policy = await customerPolicy(trx, call.accountId, input.PolicyArn!);
      if ((await listPolicyVersions(trx, call.accountId, policy)).length >= MAX_VERSIONS) {
        throw limitExceeded(
          `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
        );
      }
      const id = await insertPolicyVersion(trx, call.accountId, policy.name, input.PolicyDocument!, call.now);
      if (isDefault) await updateDefaultVersion(trx, call.accountId, policy.name, id);
      return id;
    });
    return { PolicyVersion: { VersionId: versionId, IsDefaultVersion: isDefault, CreateDate: call.now } };
  },
};

export const GetPolicyVersion: OperationOf<sdk.GetPolicyVersionCommand> = {
  authorize: aboutPolicy("GetPolicyVersion"),
  async run(input, call) {
    const policy = await requiredPolicy(call.db, call.accountId, input.PolicyArn!);
    const versions = await versionsOf(call.db, call.accountId, policy);
    const version = requiredVersion(versions, policy, input.VersionId!);
    return { PolicyVersion: { Document: encodedDocument(version.document), ...toVersion(version) } };
  },
};

/** The newest first. */
export const ListPolicyVersions: OperationOf<sdk.ListPolicyVersionsCommand> = {
  authorize: aboutPolicy("ListPolicyVersions"),
  async run(input, call) {
    const policy = await requiredPolicy(call.db, call.accountId, input.PolicyArn!);
    const versions = await versionsOf(call.db, call.accountId, policy);
    const newestFirst = versions.map((version, index) => ({ version, place: String(index) }));
    const { items, ...rest } = await pageOf(input, newestFirst, ({ place }) => place);
    return { Versions: items.map(({ version }) => toVersion(version)), ...rest };
  },
};

export const SetDefaultPolicyVersion: OperationOf<sdk.SetDefaultPolicyVersionCommand> = {
  authorize: aboutPolicy("SetDefaultPolicyVersion"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const policy = await customerPolicy(trx, call.accountId, input.PolicyArn!);
      const versions = await listPolicyVersions(trx, call.accountId, policy);
      const { versionId } = requiredVersion(versions, policy, input.VersionId!);
      await updateDefaultVersion(trx, call.accountId, policy.name, versionId);
    });
    return {};
  },
};

export const DeletePolicyVersion: OperationOf<sdk.DeletePolicyVersionCommand> = {
  authorize: aboutPolicy("DeletePolicyVersion"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const policy = await customerPolicy(trx, call.accountId, input.PolicyArn!);
      const versions = await listPolicyVersions(trx, call.accountId, policy);
      const version = requiredVersion(versions, policy, input.VersionId!);
      if (version.isDefault) throw deleteConflict("Cannot delete the default version of a policy.");
      await deletePolicyVersion(trx, call.accountId, policy.name, version.versionId);
    });
    return {};
  },
};
