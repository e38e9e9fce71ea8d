/**
 * Messages are in the audit trail, one with every denial; they are decoded for the account of the caller who was denied, and
 * for that of the resource.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 */
import type * as sdk from "@aws-sdk/client-sts";
import { openMessage } from "#gateway/authorization-message.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidAuthorizationMessage } from "../errors.ts";

export const DecodeAuthorizationMessage: OperationOf<sdk.DecodeAuthorizationMessageCommand> = {
  authorize: { action: "sts:DecodeAuthorizationMessage", resources: () => ["*"] },
  run(input, call) {
    const message = openMessage(call.system.cipher, input.EncodedMessage!);
    if (!message?.accountIds.includes(call.principal.accountId)) throw invalidAuthorizationMessage();
    return { DecodedMessage: message.decoded };
  },
};
