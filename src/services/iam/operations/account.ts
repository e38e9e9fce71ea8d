/** The account as a whole. */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { alreadyExists, noSuchEntity } from "../errors.ts";
import { accountOfAlias, deleteAlias, findAlias, putAlias } from "../store/account-aliases.ts";
import { countEntities } from "../store/entities.ts";
import { listInstanceProfiles } from "../store/instance-profiles.ts";
import { listPolicies } from "../store/managed-policies.ts";
import { changing } from "./support.ts";

const EVERYTHING = { after: undefined, limit: Number.MAX_SAFE_INTEGER };

export const CreateAccountAlias: OperationOf<sdk.CreateAccountAliasCommand> = {
  authorize: { action: "iam:CreateAccountAlias", resources: () => ["*"] },
  async run(input, call) {
    await changing(call, async (trx) => {
      const owner = await accountOfAlias(trx, input.AccountAlias!);
      if (owner !== undefined) throw alreadyExists(`The account alias ${input.AccountAlias} already exists.`);
      await putAlias(trx, call.accountId, input.AccountAlias!);
    });
    return {};
  },
};

export const ListAccountAliases: OperationOf<sdk.ListAccountAliasesCommand> = {
  authorize: { action: "iam:ListAccountAliases", resources: () => ["*"] },
  async run(_input, call) {
    const alias = await findAlias(call.db, call.accountId);
    return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false };
  },
};

export const DeleteAccountAlias: OperationOf<sdk.DeleteAccountAliasCommand> = {
  authorize: { action: "iam:DeleteAccountAlias", resources: () => ["*"] },
  async run(input, call) {
    await changing(call, async (trx) => {
      if ((await accountOfAlias(trx, input.AccountAlias!)) !== call.accountId) {
        throw noSuchEntity(`The account alias ${input.AccountAlias} cannot be found.`);
      }
      await deleteAlias(trx, call.accountId);
    });
    return {};
  },
};

/** Counts, and the quotas that Slipway keeps. */
export const GetAccountSummary: OperationOf<sdk.GetAccountSummaryCommand> = {
  authorize: { action: "iam:GetAccountSummary", resources: () => ["*"] },
  async run(_input, call) {
    const { db, accountId } = call;
    return {
      SummaryMap: {
        Users: await countEntities(db, accountId, "user"),
        Groups: await countEntities(db, accountId, "group"),
        Roles: await countEntities(db, accountId, "role"),
        Policies: (await listPolicies(db, accountId, "/", EVERYTHING)).length,
        InstanceProfiles: (await listInstanceProfiles(db, accountId, "/", EVERYTHING)).length,
        AccessKeysPerUserQuota: 2,
        AssumeRolePolicySizeQuota: 2048,
        AttachedPoliciesPerGroupQuota: 10,
        AttachedPoliciesPerRoleQuota: 10,
        AttachedPoliciesPerUserQuota: 10,
        GroupPolicySizeQuota: 5120,
        GroupsPerUserQuota: 10,
        PolicySizeQuota: 6144,
        UserPolicySizeQuota: 2048,
        VersionsPerPolicyQuota: 5,
      },
    };
  },
};
