/** The context keys that a simulation needs values for. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetContextKeysForCustomPolicy.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { PolicyDocument } from "#gateway/authz/policy-document.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { readPolicy } from "../policy-checks.ts";
import { contextKeysOf } from "../simulation/context-keys.ts";
import { entityOfArn } from "./entity-of-arn.ts";

export const GetContextKeysForCustomPolicy: OperationOf<sdk.GetContextKeysForCustomPolicyCommand> = {
  authorize: { action: "iam:GetContextKeysForCustomPolicy", resources: () => ["*"] },
  run: (input) => ({ ContextKeyNames: contextKeysOf(documents(input.PolicyInputList)) }),
};

export const GetContextKeysForPrincipalPolicy: OperationOf<sdk.GetContextKeysForPrincipalPolicyCommand> = {
  authorize: { action: "iam:GetContextKeysForPrincipalPolicy", resources: (input) => [input.PolicySourceArn!] },
  async run(input, call) {
    const { identity } = await entityOfArn(call, input.PolicySourceArn!);
    const attached = documents(identity.map(({ document }) => document));
    return { ContextKeyNames: contextKeysOf([...attached, ...documents(input.PolicyInputList)]) };
  },
};

function documents(texts: readonly string[] = []): PolicyDocument[] {
  return texts.map((text) => readPolicy(text, "identity"));
}
