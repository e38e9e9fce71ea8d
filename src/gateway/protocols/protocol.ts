/** What the gateway asks of a wire protocol. Only the files beside this one know how errors look on the wire. */
import type { Readable } from "node:stream";
import type { ErrorView } from "../errors.ts";
import type { OperationModel } from "../service.ts";

export interface WireRequest {
  readonly method: string;
  /** As on the wire, before the question mark, still percent-encoded. */
  readonly path: string;
  readonly rawQuery: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The whole body; undefined where the operation takes it as a stream. */
  body: Uint8Array | undefined;
  stream: Readable;
}

export interface WireResponse {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array | Readable | undefined;
}

/** An operation that was found, with what its URI bound. */
export interface Routed {
  readonly model: OperationModel;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Protocol {
  /** Which operation the request names; undefined where there is none of that name. Query needs the body. */
  route(request: WireRequest): Routed | undefined;
  /** Whether the body is handed on as a stream. */
  streamsInput(model: OperationModel): boolean;
  /** Throws WireError where the body is not what the protocol says. */
  parse(routed: Routed, request: WireRequest): Record<string, unknown>;
  serialize(model: OperationModel, output: unknown, requestId: string): WireResponse;
  error(view: ErrorView, requestId: string, request: WireRequest): WireResponse;
}
