/** GetAuthorizationToken. */
import type * as sdk from "@aws-sdk/client-ecr";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { sealedPassword } from "../credentials.ts";
import { registryHost } from "../model.ts";

/**
 * CodeBuild asks for itself where a project pulls its image with CodeBuild's credentials; what it may pull is the
 * repository's policy to say. https://docs.aws.amazon.com/codebuild/latest/userguide/sample-ecr.html
 */
const FOR_CODEBUILD = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: { Service: "codebuild.amazonaws.com" },
    Action: "ecr:GetAuthorizationToken",
    Resource: "*",
  },
});
const forCodeBuild = compilePolicy(parsePolicy(FOR_CODEBUILD, "resource"));

/** The token says who asks, not for which registry: it is good wherever the principal has access. */
export const GetAuthorizationToken: OperationOf<sdk.GetAuthorizationTokenCommand> = {
  authorize: {
    action: "ecr:GetAuthorizationToken",
    resources: () => ["*"],
    resourcePolicy: (_resource, _input, call) => (call.principal.type === "Service" ? forCodeBuild : undefined),
  },
  run(input, call) {
    const { password, expiresAt } = sealedPassword(call);
    const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
    const accounts = input.registryIds ?? [call.accountId];
    return {
      authorizationData: accounts.map((accountId) => ({
        authorizationToken,
        expiresAt,
        proxyEndpoint: `https://${registryHost({ accountId, region: call.region })}`,
      })),
    };
  },
};
