/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-sts";
import type { OperationTable } from "#gateway/operation.ts";
import { AssumeRole } from "./assume-role.ts";
import { AssumeRoleWithSAML } from "./assume-role-with-saml.ts";
import { AssumeRoleWithWebIdentity } from "./assume-role-with-web-identity.ts";
import { AssumeRoot } from "./assume-root.ts";
import { GetAccessKeyInfo, GetCallerIdentity } from "./callers.ts";
import { DecodeAuthorizationMessage } from "./decode-authorization-message.ts";
import { GetDelegatedAccessToken } from "./get-delegated-access-token.ts";
import { GetWebIdentityToken } from "./get-web-identity-token.ts";
import { GetFederationToken, GetSessionToken } from "./user-sessions.ts";

export const operations: OperationTable<typeof sdk> = {
  AssumeRole,
  AssumeRoleWithSAML,
  AssumeRoleWithWebIdentity,
  AssumeRoot,
  DecodeAuthorizationMessage,
  GetAccessKeyInfo,
  GetCallerIdentity,
  GetDelegatedAccessToken,
  GetFederationToken,
  GetSessionToken,
  GetWebIdentityToken,
};
