/**
 * Approval / AWS / Manual: waits until somebody answers with PutApprovalResult.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
 */
import { randomUUID } from "node:crypto";
import { type ActionProvider, after } from "./action-provider.ts";

/** "If no response is received within seven days, the action is marked as Failed." */
const DEFAULT_TIMEOUT_MINUTES = 7 * 24 * 60;

export const manualApproval: ActionProvider = {
  type: {
    id: { category: "Approval", owner: "AWS", provider: "Manual", version: "1" },
    description: "Waits for a person's approval",
    properties: [
      { name: "NotificationArn", required: false, description: "The SNS topic to notify; nothing is sent by Slipway" },
      { name: "CustomData", required: false, description: "What the approver should know" },
      { name: "ExternalEntityLink", required: false, description: "The URL to review" },
    ],
    inputs: { minimum: 0, maximum: 0 },
    outputs: { minimum: 0, maximum: 0 },
  },

  async run({ detail, configuration, startedAt, now, timeoutInMinutes = DEFAULT_TIMEOUT_MINUTES }) {
    const deadline = after(startedAt, timeoutInMinutes * 60_000);
    if (now >= deadline) {
      const message = `The approval was not answered within ${timeoutInMinutes} minutes`;
      return { status: "Failed", error: { code: "JobFailed", message }, detail };
    }
    return {
      status: "InProgress",
      again: deadline,
      detail: {
        token: randomUUID(),
        ...detail,
        ...(configuration.ExternalEntityLink !== undefined && { externalUrl: configuration.ExternalEntityLink }),
        ...(configuration.CustomData !== undefined && { summary: configuration.CustomData }),
      },
    };
  },
};
