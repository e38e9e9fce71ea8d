/**
 * What IAM would publish on the partner's SNS topic. There is no SNS here: the same messages are written, as they are, to the
 * log group `sns/REGION/ACCOUNT/TOPIC` of the topic's account and region, in the log stream of the request, in one
 * transaction with what they tell of.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html
 */
import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import { invalidInput } from "../errors.ts";
import type { DelegationRequest } from "./model.ts";

export interface SnsTopic {
  readonly arn: string;
  readonly region: string;
  readonly accountId: string;
  readonly name: string;
}

/** "At this time, only SNS topic ARNs are accepted for notification." Throws InvalidInput. */
export function topicOf(arn: string): SnsTopic {
  const [, region, accountId, name] = /^arn:aws:sns:([a-z0-9-]+):(\d{12}):([\w-]{1,256}(?:\.fifo)?)$/.exec(arn) ?? [];
  if (name === undefined) throw invalidInput(`The notification channel ${arn} is not the ARN of an SNS topic.`);
  return { arn, region: region!, accountId: accountId!, name };
}

/** `exchange`: what the partner gets credentials with, and until when. */
export async function notify(
  call: Call,
  request: DelegationRequest,
  exchange?: { readonly token: string; readonly expiresAt: Date },
): Promise<void> {
  const topic = topicOf(request.details.notificationChannel);
  const { accountId, region } = topic;
  const logGroupName = `sns/${region}/${accountId}/${topic.name}`;
  const place = { logGroupName, logStreamName: request.id };
  const client = call.system.client(rootPrincipal(accountId), { accountId, region, db: call.db });
  await tolerating(client.send(new CreateLogGroupCommand({ logGroupName })));
  await tolerating(client.send(new CreateLogStreamCommand(place)));

  const common = {
    RequestId: request.id,
    RequestorWorkflowId: request.workflowId,
    State: request.state,
    OwnerAccountId: request.ownerAccountId,
    UpdatedAt: request.updatedAt.toISOString(),
  };
  const messages: object[] = [{ ...common, Type: "StateChange" }];
  if (exchange) {
    const { token, expiresAt } = exchange;
    messages.push({ ...common, Type: "ExchangeToken", ExchangeToken: token, ExpiresAt: expiresAt.toISOString() });
  }
  const timestamp = call.now.getTime();
  const logEvents = messages.map((message) => ({ timestamp, message: JSON.stringify(message) }));
  await client.send(new PutLogEventsCommand({ ...place, logEvents }));
}

async function tolerating(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof Error && error.name === "ResourceAlreadyExistsException")) throw error;
  }
}
