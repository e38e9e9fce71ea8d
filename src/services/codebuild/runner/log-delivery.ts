/**
 * A build's log into CloudWatch Logs, written as the build's role.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CloudWatchLogsConfig.html
 */
import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  type InputLogEvent,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { Build, LogsLocation } from "@aws-sdk/client-codebuild";
import type { Client } from "#gateway/client.ts";
import type { Database } from "#store/database.ts";
import { isAccessDenied } from "../errors.ts";
import { type Scope, uuidOf } from "../model.ts";
import { isRefusal, PhaseFailure, refusalText } from "./phase-failure.ts";

export interface LogPlace {
  readonly logGroupName: string;
  readonly logStreamName: string;
}

/** `streamName` is a prefix: `backend-flask/UUID`. undefined where the logs are switched off. */
export function logPlace(build: Build): LogPlace | undefined {
  const config = build.logs?.cloudWatchLogs;
  if (config?.status === "DISABLED") return undefined;
  const uuid = uuidOf(build.id!);
  return {
    logGroupName: config?.groupName ?? `/aws/codebuild/${build.projectName}`,
    logStreamName: config?.streamName ? `${config.streamName}/${uuid}` : uuid,
  };
}

/** How a build's record says where its log is. */
export function logsLocation(build: Build, { accountId, region }: Scope): LogsLocation {
  const place = logPlace(build);
  if (!place) return build.logs ?? {};
  const { logGroupName, logStreamName } = place;
  // The console's URLs encode a name twice, with $25 for the second percent sign.
  const encoded = (name: string) => encodeURIComponent(encodeURIComponent(name)).replaceAll("%", "$");
  const console = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}`;
  return {
    ...build.logs,
    groupName: logGroupName,
    streamName: logStreamName,
    deepLink: `${console}#logsV2:log-groups/log-group/${encoded(logGroupName)}/log-events/${encoded(logStreamName)}`,
    cloudWatchLogsArn: `arn:aws:logs:${region}:${accountId}:log-group:${logGroupName}:log-stream:${logStreamName}`,
  };
}

export class LogDelivery {
  readonly #client: Client;
  readonly #place: LogPlace;

  constructor(client: Client, place: LogPlace) {
    this.#client = client;
    this.#place = place;
  }

  /** Makes group and stream where they are missing. Throws PhaseFailure ACCESS_DENIED where the role may not. */
  async open(build: Build): Promise<void> {
    try {
      await this.#create(this.#client);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const statusCode = isAccessDenied(error) ? "ACCESS_DENIED" : "CLIENT_ERROR";
      throw new PhaseFailure(
        statusCode,
        `Service role ${build.serviceRole} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build ${build.arn}. Error message: ${error.message}`,
      );
    }
  }

  /**
   * Writes in the transaction of `trx`. Returns why it could not, in a sentence; the build goes on without its log then,
   * as on AWS. Events are in the order of their time.
   */
  async put(trx: Database, logEvents: InputLogEvent[]): Promise<string | undefined> {
    const client = this.#client.within(trx);
    const command = () => new PutLogEventsCommand({ ...this.#place, logEvents });
    try {
      try {
        await client.send(command());
      } catch (error) {
        if ((error as Error).name !== "ResourceNotFoundException") throw error;
        // Deleted while the build ran: what follows goes into a new one.
        await this.#create(client);
        await client.send(command());
      }
      return undefined;
    } catch (error) {
      if (isRefusal(error)) return refusalText(error);
      throw error;
    }
  }

  async #create(client: Client): Promise<void> {
    const { logGroupName } = this.#place;
    // A role may be allowed to write into an existing group without being allowed to make one.
    await client.send(new CreateLogGroupCommand({ logGroupName })).catch((error: unknown) => {
      if (!isAccessDenied(error)) return unlessItExists(error);
    });
    await client.send(new CreateLogStreamCommand(this.#place)).catch(unlessItExists);
  }
}

function unlessItExists(error: unknown): void {
  if ((error as Error).name !== "ResourceAlreadyExistsException") throw error;
}
