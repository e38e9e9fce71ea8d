/** What other services answer a runner: their refusals are the user's to mend and are shown; anything else is a fault of ours. */
import { WireError } from "#gateway/errors.ts";

/** The SDK's modelled exceptions, of whichever package, have a `$fault`. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof WireError || (error instanceof Error && "$fault" in error);
}

/** As AWS's agents print them: code, then message. */
export function refusalText(error: Error): string {
  const code = error.name === "AccessDenied" ? "AccessDeniedException" : error.name;
  return `${code}: ${error.message}`;
}
