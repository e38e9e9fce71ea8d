/** What a thrown value means on the wire. Handlers throw their service's modelled exceptions; this is for the rest. */
import { NormalizedSchema } from "@smithy/core/schema";
import type { Service } from "./service.ts";

/** An error that no model lists: SerializationException, AccessDenied, … `code` is what the client reads. */
export class WireError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of the error's body. */
  readonly members: Readonly<Record<string, unknown>>;
  /** What REST protocols send beside the body: S3's 304 and 404 tell ETags and versions so. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    status: number,
    message: string,
    members: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.members = members;
    this.headers = headers;
  }
}

/** An error ready for a protocol to write. */
export interface ErrorView {
  /** The shape's name, which awsJson puts into `__type`. */
  readonly shape: string;
  /** Query and XML protocols' code, which an `awsQueryError` trait may change. */
  readonly code: string;
  readonly status: number;
  readonly fault: "Sender" | "Receiver";
  readonly message: string;
  /** undefined for errors without a model. */
  readonly schema: NormalizedSchema | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface ErrorTraits {
  awsQueryError?: readonly [code: string, status: number];
  httpError?: number;
  error?: "client" | "server";
}

/** Statuses that S3's model leaves out. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const UNMODELLED_STATUS: Readonly<Record<string, number>> = {
  NotFound: 404,
  NoSuchKey: 404,
  NoSuchBucket: 404,
  NoSuchUpload: 404,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  InvalidObjectState: 403,
};

export function errorView(service: Service | undefined, error: unknown): ErrorView {
  if (error instanceof WireError) {
    const sender = error.status < 500;
    return {
      shape: error.code,
      code: error.code,
      status: error.status,
      fault: sender ? "Sender" : "Receiver",
      message: error.message,
      schema: undefined,
      members: error.members,
      headers: error.headers,
    };
  }
  const modelled = error instanceof Error ? service?.errors.get(error.name) : undefined;
  if (modelled && error instanceof Error) {
    const schema = NormalizedSchema.of(modelled);
    const traits = schema.getMergedTraits() as ErrorTraits;
    const server = traits.error === "server";
    const members: Record<string, unknown> = {};
    const values = error as unknown as Record<string, unknown>;
    for (const [name] of schema.structIterator()) {
      members[name] = values[name] ?? (/^message$/i.test(name) ? error.message : undefined);
    }
    const status = service?.name === "s3" ? UNMODELLED_STATUS[modelled[2]] : undefined;
    return {
      shape: modelled[2],
      code: traits.awsQueryError?.[0] ?? modelled[2],
      status: status ?? traits.awsQueryError?.[1] ?? traits.httpError ?? (server ? 500 : 400),
      fault: server ? "Receiver" : "Sender",
      message: error.message,
      schema,
      members,
    };
  }
  return {
    shape: "InternalFailure",
    code: "InternalFailure",
    status: 500,
    fault: "Receiver",
    message: "The request processing has failed because of an unknown error, exception or failure.",
    schema: undefined,
    members: {},
  };
}

/** Whether errorView knew the error; what it did not know is a fault of ours and belongs in the log. */
export function isUnexpected(service: Service | undefined, error: unknown): boolean {
  return !(error instanceof WireError) && !(error instanceof Error && service?.errors.has(error.name));
}
