/** Tokens for GitHub and the other providers of sources. */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-codebuild";
import type { OperationOf } from "#gateway/operation.ts";
import { memberKeys } from "../condition-keys.ts";
import { alreadyExists, invalidInput, notFound } from "../errors.ts";
import { sealedToken } from "../source-token.ts";
import { deleteSourceCredentials, listSourceCredentials, putSourceCredentials } from "../store/source-credentials.ts";

export const ImportSourceCredentials: OperationOf<sdk.ImportSourceCredentialsCommand> = {
  authorize: {
    action: "codebuild:ImportSourceCredentials",
    resources: () => ["*"],
    context: (input) => memberKeys(input, ["authType", "serverType", "shouldOverwrite", "token", "username"]),
  },
  async run({ token, username, serverType, authType, shouldOverwrite = true }, call) {
    if (authType === "OAUTH") throw invalidInput("OAUTH tokens are made by the console; use PERSONAL_ACCESS_TOKEN");
    if (authType === "BASIC_AUTH" && !username) throw invalidInput("username is required for authType BASIC_AUTH");
    const existing = await listSourceCredentials(call.db, call);
    const before = existing.find((one) => one.serverType === serverType);
    if (before && !shouldOverwrite) throw alreadyExists(`Source credentials already exist: ${before.arn}`);
    // The provider has one entry for an account, whose ARN stays when its token changes.
    const arn =
      before?.arn ??
      `arn:aws:codebuild:${call.region}:${call.accountId}:token/${serverType!.toLowerCase()}-${randomUUID()}`;
    await putSourceCredentials(call.db, call, {
      serverType: serverType!,
      authType: authType!,
      arn,
      username,
      sealedToken: sealedToken(call.system, token!),
    });
    return { arn };
  },
};

export const ListSourceCredentials: OperationOf<sdk.ListSourceCredentialsCommand> = {
  authorize: { action: "codebuild:ListSourceCredentials", resources: () => ["*"] },
  async run(_input, call) {
    const credentials = await listSourceCredentials(call.db, call);
    return {
      sourceCredentialsInfos: credentials.map(({ arn, serverType, authType }) => ({
        arn,
        serverType: serverType as sdk.ServerType,
        authType: authType as sdk.AuthType,
      })),
    };
  },
};

export const DeleteSourceCredentials: OperationOf<sdk.DeleteSourceCredentialsCommand> = {
  authorize: { action: "codebuild:DeleteSourceCredentials", resources: () => ["*"] },
  async run({ arn }, call) {
    if (!(await deleteSourceCredentials(call.db, call, arn!))) {
      throw notFound(`Source credentials cannot be found: ${arn}`);
    }
    return { arn };
  },
};
