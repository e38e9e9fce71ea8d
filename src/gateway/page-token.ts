/**
 * The tokens by which lists go on. Handlers make them as they like; what clients are given is sealed for the operation and
 * the account that made it, so that no handler is handed a token which it did not make.
 */
import type { Call } from "./context.ts";
import type { Service } from "./service.ts";

export interface PageTokens {
  /** The member of inputs and outputs that has the token: "Marker". */
  readonly member: string;
  /** What is thrown for one that is not a token of the operation's for the account. */
  refusal(token: string): Error;
}

type Members = Record<string, unknown>;

/** The input with the token as the handler made it. Throws the service's refusal. */
export function withOpenedToken(service: Service, operation: string, input: Members, call: Call): Members {
  const { pageTokens } = service;
  const sealed = pageTokens && input[pageTokens.member];
  if (typeof sealed !== "string") return input;
  const token = call.system.cipher.open(purposeOf(service, operation, call), sealed);
  if (!token) throw pageTokens!.refusal(sealed);
  return { ...input, [pageTokens!.member]: token.toString() };
}

export function withSealedToken(service: Service, operation: string, output: unknown, call: Call): unknown {
  const { pageTokens } = service;
  const token = pageTokens && (output as Members | undefined)?.[pageTokens.member];
  if (typeof token !== "string") return output;
  const sealed = call.system.cipher.seal(purposeOf(service, operation, call), token);
  return { ...(output as Members), [pageTokens!.member]: sealed };
}

function purposeOf(service: Service, operation: string, { accountId }: Call): string {
  return `page:${service.name}:${operation}:${accountId}`;
}
