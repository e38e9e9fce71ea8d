/**
 * The audit trail: who called what with which outcome, denials included, as CloudTrail record JSON lines under
 * `<data>/audit/`. Calls that only read are recorded when they fail.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
import { randomUUID } from "node:crypto";
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sealDenial } from "./authorization-message.ts";
import { AccessDeniedError } from "./authorize.ts";
import { isFederated } from "./authz/principals.ts";
import type { Call, Principal } from "./context.ts";
import type { Service } from "./service.ts";

export interface Audit {
  /** Never throws and is never awaited. `failure` is what the call threw, else undefined. */
  record(service: Service, operation: string, input: Record<string, unknown>, call: Call, failure: unknown): void;
}

const READS = /^(Get|List|Describe|BatchGet|BatchCheck|Head|Filter|Lookup|Poll|Tail|Select|Simulate)/;
/** Members whose values never reach the trail. */
const SECRET =
  /password|secret|token|privatekey|plaintext|authorization|authenticationcode|credential|customerkey$|body|blob|samlassertion|contextassertion/i;
const FLUSH_MS = 250;
const MAX_TEXT = 2048;

export class FileAudit implements Audit {
  readonly #folder: string;
  readonly #onError: (error: unknown) => void;
  #pending: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(folder: string, onError: (error: unknown) => void) {
    this.#folder = folder;
    this.#onError = onError;
  }

  record(service: Service, operation: string, input: Record<string, unknown>, call: Call, failure: unknown): void {
    const readOnly = READS.test(operation);
    if (readOnly && failure === undefined) return;
    this.#pending.push(`${JSON.stringify(toRecord(service, operation, readOnly, input, call, failure))}\n`);
    this.#timer ??= setTimeout(() => {
      this.flush().catch(this.#onError);
    }, FLUSH_MS);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#pending;
    this.#pending = [];
    if (lines.length > 0) this.#flushing = this.#flushing.then(() => this.#append(lines.join("")));
    return this.#flushing;
  }

  async #append(text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await appendFile(join(this.#folder, `${new Date().toISOString().slice(0, 10)}.jsonl`), text, { mode: 0o600 });
  }
}

function toRecord(
  service: Service,
  operation: string,
  readOnly: boolean,
  input: Record<string, unknown>,
  call: Call,
  failure: unknown,
) {
  const error = failure instanceof Error ? failure : undefined;
  return {
    eventVersion: "1.11",
    userIdentity: toIdentity(call.principal),
    eventTime: call.now.toISOString().replace(/\.\d+Z$/, "Z"),
    eventSource: `${service.endpointPrefix}.amazonaws.com`,
    eventName: operation,
    awsRegion: call.region,
    sourceIPAddress: call.sourceIp,
    userAgent: call.userAgent,
    ...(error && { errorCode: error.name, errorMessage: error.message }),
    ...(error instanceof AccessDeniedError && explained(error, call)),
    requestParameters: redacted(input, 0),
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: call.accountId,
    eventCategory: "Management",
  };
}

/** For sts:DecodeAuthorizationMessage. */
function explained({ denial }: AccessDeniedError, { system, principal }: Call) {
  const encoded = denial && sealDenial(system.cipher, denial, principal);
  return encoded && { additionalEventData: { encodedAuthorizationMessage: encoded } };
}

function toIdentity(principal: Principal) {
  if (principal.type === "Service") return { type: "AWSService", invokedBy: principal.service };
  if (isFederated(principal)) {
    const { provider, subject } = principal.federation!;
    return { type: principal.type, principalId: principal.userId, userName: subject, identityProvider: provider };
  }
  if (principal.type === "Anonymous") return { type: "Unknown" };
  return {
    type: principal.type === "User" ? "IAMUser" : principal.type,
    principalId: principal.userId,
    arn: principal.arn,
    accountId: principal.accountId,
    ...(principal.accessKeyId && { accessKeyId: principal.accessKeyId }),
    ...(principal.delegateAccountId && { invokedByDelegate: { accountId: principal.delegateAccountId } }),
    ...(principal.roleArn && { sessionContext: { sessionIssuer: { type: "Role", arn: principal.roleArn } } }),
  };
}

function redacted(value: unknown, depth: number): unknown {
  if (depth > 8) return "…";
  if (typeof value === "string") return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redacted(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return "HIDDEN_DUE_TO_SECURITY_REASONS";
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET.test(key) && typeof item !== "boolean" ? "HIDDEN_DUE_TO_SECURITY_REASONS" : redacted(item, depth + 1),
    ]),
  );
}
