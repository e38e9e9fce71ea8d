/** STS: temporary credentials. */
import * as sdk from "@aws-sdk/client-sts";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { issuerDocuments } from "./data-plane.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { tokenKeys } from "./migrations/0001-token-keys.ts";
import { AssumeRole } from "./operations/assume-role.ts";
import { AssumeRoleWithSAML } from "./operations/assume-role-with-saml.ts";
import { AssumeRoleWithWebIdentity } from "./operations/assume-role-with-web-identity.ts";
import { AssumeRoot } from "./operations/assume-root.ts";
import { GetAccessKeyInfo, GetCallerIdentity } from "./operations/callers.ts";
import { DecodeAuthorizationMessage } from "./operations/decode-authorization-message.ts";
import { GetWebIdentityToken } from "./operations/get-web-identity-token.ts";
import { GetFederationToken, GetSessionToken } from "./operations/user-sessions.ts";

export const sts = defineService({
  name: "sts",
  sdk,
  Client: sdk.STSClient,
  operations: {
    AssumeRole,
    AssumeRoleWithSAML,
    AssumeRoleWithWebIdentity,
    AssumeRoot,
    DecodeAuthorizationMessage,
    GetAccessKeyInfo,
    GetCallerIdentity,
    GetFederationToken,
    GetSessionToken,
    GetWebIdentityToken,
  },
  limits: limits as Limits,
  validation: { code: "ValidationError" },
  migrations: [tokenKeys],
  dataPlanes: [issuerDocuments],
});
