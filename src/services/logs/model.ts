/** The nouns of CloudWatch Logs and their ARNs. */

/** Where a log group lives. */
export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

export interface LogGroup {
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
  /** Epoch milliseconds, like every time here. */
  readonly createdAt: number;
  readonly retentionInDays: number | undefined;
  readonly kmsKeyId: string | undefined;
  readonly logGroupClass: string;
  readonly deletionProtection: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface LogStream {
  readonly id: string;
  readonly groupId: string;
  readonly name: string;
  readonly createdAt: number;
  /** The times of the events are undefined until the first event. */
  readonly firstEventAt: number | undefined;
  readonly lastEventAt: number | undefined;
  readonly lastIngestionAt: number | undefined;
  /** What the next event gets; the first gets 1. */
  readonly nextSequence: number;
}

export interface LogEvent {
  readonly streamId: string;
  /** Counts the stream's events in the order of their arrival; it orders events of equal timestamps. */
  readonly sequence: number;
  readonly timestamp: number;
  readonly ingestedAt: number;
  readonly message: string;
}

/** What AWS adds to every event's message when it counts bytes. */
export const EVENT_OVERHEAD_BYTES = 26;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const DAY_MS = 24 * 60 * 60 * 1000;

/** The ARN without the trailing `:*`: for tagging and `logGroupIdentifier`. */
export function logGroupArn({ accountId, region }: Scope, name: string): string {
  return `arn:aws:logs:${region}:${accountId}:log-group:${name}`;
}

export function logStreamArn(scope: Scope, group: string, stream: string): string {
  return `${logGroupArn(scope, group)}:log-stream:${stream}`;
}

/** Events before this time have expired; undefined where the group keeps them for ever. */
export function retentionStart(group: Pick<LogGroup, "retentionInDays">, now: Date): number | undefined {
  return group.retentionInDays === undefined ? undefined : now.getTime() - group.retentionInDays * DAY_MS;
}

export interface LogGroupAddress extends Scope {
  readonly name: string;
}

/** A log group's ARN, with or without `:*`; undefined where the text is no such ARN. */
export function parsedLogGroupArn(text: string): LogGroupAddress | undefined {
  const match = /^arn:aws[\w-]*:logs:([^:]*):(\d{12}):log-group:([^:]+)(?::\*)?$/.exec(text);
  return match ? { region: match[1]!, accountId: match[2]!, name: match[3]! } : undefined;
}

/** Where a `logGroupIdentifier` points: a name of the caller's own, or an ARN. */
export function toLogGroupAddress(scope: Scope, identifier: string): LogGroupAddress {
  return parsedLogGroupArn(identifier) ?? { accountId: scope.accountId, region: scope.region, name: identifier };
}
