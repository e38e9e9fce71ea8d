/** The account as a whole. */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { alreadyExists, noSuchEntity } from "../errors.ts";
import { QUOTAS } from "../quotas.ts";
import { accountOfAlias, deleteAlias, findAlias, putAlias } from "../store/account-aliases.ts";
import { accountSettings, updateAccountSettings } from "../store/account-settings.ts";
import { countEntities, EVERYTHING } from "../store/entities.ts";
import { listInstanceProfiles } from "../store/instance-profiles.ts";
import { listPolicies, listPolicyUses } from "../store/managed-policies.ts";
import { listMfaDevices } from "../store/mfa-devices.ts";
import { listOidcProviders } from "../store/oidc-providers.ts";
import { listSamlProviders } from "../store/saml-providers.ts";
import { listServerCertificates } from "../store/server-certificates.ts";
import { changing } from "./support.ts";

const ROOT = {
  AccountAccessKeysPresent: 0,
  AccountMFAEnabled: 0,
  AccountPasswordPresent: 0,
  AccountSigningCertificatesPresent: 0,
};

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

/**
 * Counts, and the quotas. The root user has no password, keys, certificates or MFA devices here.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
 */
export const GetAccountSummary: OperationOf<sdk.GetAccountSummaryCommand> = {
  authorize: { action: "iam:GetAccountSummary", resources: () => ["*"] },
  async run(_input, call) {
    const { db, accountId } = call;
    const users = await countEntities(db, accountId, "user");
    const devices = await listMfaDevices(db, accountId, "Any", EVERYTHING);
    const attached = (await listPolicyUses(db, accountId)).map(({ arn }) => arn);
    return {
      SummaryMap: {
        ...QUOTAS,
        ...ROOT,
        Users: users,
        Groups: await countEntities(db, accountId, "group"),
        Roles: await countEntities(db, accountId, "role"),
        Policies: (await listPolicies(db, accountId, "/", EVERYTHING)).length,
        PolicyVersionsInUse: new Set(attached).size,
        InstanceProfiles: (await listInstanceProfiles(db, accountId, "/", EVERYTHING)).length,
        ServerCertificates: (await listServerCertificates(db, accountId, "/", EVERYTHING)).length,
        MFADevices: devices.length,
        MFADevicesInUse: devices.filter(({ enabled }) => enabled).length,
        Providers: (await listOidcProviders(db, accountId)).length + (await listSamlProviders(db, accountId)).length,
        GlobalEndpointTokenVersion: (await accountSettings(db, accountId)).tokenVersion,
      },
    };
  },
};

/** Noted for GetAccountSummary: the session tokens of a Slipway are of one kind. */
export const SetSecurityTokenServicePreferences: OperationOf<sdk.SetSecurityTokenServicePreferencesCommand> = {
  authorize: { action: "iam:SetSecurityTokenServicePreferences", resources: () => ["*"] },
  async run(input, call) {
    const tokenVersion = input.GlobalEndpointTokenVersion === "v2Token" ? 2 : 1;
    await inTransaction(call.db, (trx) => updateAccountSettings(trx, call.accountId, { tokenVersion }));
    return {};
  },
};
