/** Event ids and page tokens. */
import { hash } from "node:crypto";
import { invalidToken } from "./errors.ts";
import type { GroupPosition, Position } from "./event-store.ts";
import type { LogEvent } from "./model.ts";

/**
 * AWS's event ids are 56 decimal digits with the timestamp above bit 144. Ours have the stream's hash and the event's
 * sequence below it, so that an id is unique, never changes and tells the place of its event in the stream.
 */
const TIMESTAMP_SHIFT = 144n;
const STREAM_SHIFT = 48n;
const SEQUENCE_MASK = (1n << STREAM_SHIFT) - 1n;
const STREAM_MASK = (1n << (TIMESTAMP_SHIFT - STREAM_SHIFT)) - 1n;
const DIGITS = 56;

export function eventId({
  streamId,
  timestamp,
  sequence,
}: Pick<LogEvent, "streamId" | "timestamp" | "sequence">): string {
  const id = (BigInt(timestamp) << TIMESTAMP_SHIFT) | (streamHash(streamId) << STREAM_SHIFT) | BigInt(sequence);
  return id.toString().padStart(DIGITS, "0");
}

function streamHash(streamId: string): bigint {
  return BigInt(`0x${hash("sha256", streamId, "hex").slice(0, 24)}`);
}

export type Direction = "forward" | "backward";

/**
 * GetLogEvents' token for going on from a place: `f/…/s` and `b/…/s` as AWS writes them, `/e` where the event at the
 * place itself is still to come.
 */
export function streamToken(direction: Direction, streamId: string, position: Position): string {
  return `${direction === "forward" ? "f" : "b"}/${eventId({ streamId, ...position })}/${position.inclusive ? "e" : "s"}`;
}

/** Throws InvalidParameterException on a token that was not made for this stream. */
export function parsedStreamToken(token: string, streamId: string): { direction: Direction; position: Position } {
  const match = /^([fb])\/(\d{56})\/([se])$/.exec(token);
  if (!match) throw invalidToken();
  const id = BigInt(match[2]!);
  if (((id >> STREAM_SHIFT) & STREAM_MASK) !== streamHash(streamId)) throw invalidToken();
  return {
    direction: match[1] === "f" ? "forward" : "backward",
    position: {
      timestamp: Number(id >> TIMESTAMP_SHIFT),
      sequence: Number(id & SEQUENCE_MASK),
      inclusive: match[3] === "e",
    },
  };
}

/** A token of any other paginated operation: JSON that only this operation on this resource reads. */
export function pageToken(purpose: string, place: object): string {
  return Buffer.from(JSON.stringify({ purpose, place })).toString("base64url");
}

/** Throws InvalidParameterException on anything that `pageToken` did not make for the same purpose. */
export function parsedPageToken<T extends object>(purpose: string, token: string | undefined): T | undefined {
  if (token === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw invalidToken();
  }
  if (typeof parsed !== "object" || parsed === null || !("place" in parsed)) throw invalidToken();
  const { purpose: given, place } = parsed as { purpose?: unknown; place?: unknown };
  if (given !== purpose || typeof place !== "object" || place === null) throw invalidToken();
  return place as T;
}

export function groupPosition(event: LogEvent): GroupPosition {
  const { timestamp, ingestedAt, streamId, sequence } = event;
  return { timestamp, ingestedAt, streamId, sequence };
}
