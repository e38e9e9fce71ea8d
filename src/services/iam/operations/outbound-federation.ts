/**
 * Whether the account's principals may have tokens made that others trust (sts:GetWebIdentityToken).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
 */
import { randomUUID } from "node:crypto";
import * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { findOutboundFederation, putOutboundFederation } from "../store/outbound-federation.ts";
import { changing } from "./support.ts";

function issuerOf(issuerId: string): string {
  return `https://${issuerId}.tokens.sts.global.api.aws`;
}

function disabled(): Error {
  const message = "Outbound web identity federation is not enabled for this account.";
  return new sdk.FeatureDisabledException({ message, $metadata: {} });
}

export const EnableOutboundWebIdentityFederation: OperationOf<sdk.EnableOutboundWebIdentityFederationCommand> = {
  authorize: { action: "iam:EnableOutboundWebIdentityFederation", resources: () => ["*"] },
  run: (_input, call) =>
    changing(call, async (trx) => {
      const known = await findOutboundFederation(trx, call.accountId);
      if (known?.enabled) {
        const message = "Outbound web identity federation is already enabled for this account.";
        throw new sdk.FeatureEnabledException({ message, $metadata: {} });
      }
      // Those who trust the account's issuer go on doing so when the feature is turned on again.
      const issuerId = known?.issuerId ?? randomUUID();
      await putOutboundFederation(trx, call.accountId, { issuerId, enabled: true });
      return { IssuerIdentifier: issuerOf(issuerId) };
    }),
};

export const DisableOutboundWebIdentityFederation: OperationOf<sdk.DisableOutboundWebIdentityFederationCommand> = {
  authorize: { action: "iam:DisableOutboundWebIdentityFederation", resources: () => ["*"] },
  run: (_input, call) =>
    changing(call, async (trx) => {
      const known = await findOutboundFederation(trx, call.accountId);
      if (!known?.enabled) throw disabled();
      await putOutboundFederation(trx, call.accountId, { ...known, enabled: false });
      return {};
    }),
};

export const GetOutboundWebIdentityFederationInfo: OperationOf<sdk.GetOutboundWebIdentityFederationInfoCommand> = {
  authorize: { action: "iam:GetOutboundWebIdentityFederationInfo", resources: () => ["*"] },
  async run(_input, call) {
    const known = await findOutboundFederation(call.db, call.accountId);
    if (!known?.enabled) throw disabled();
    return { IssuerIdentifier: issuerOf(known.issuerId), JwtVendingEnabled: true };
  },
};
