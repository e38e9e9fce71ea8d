/** One health check of one target. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { matcherRanges } from "../health-check-settings.ts";
import type { HealthCheckSettings, TargetAddress } from "../model.ts";
import type { CheckOutcome } from "../states.ts";

/** Never rejects. An aborted signal ends it early, with an outcome that means nothing. */
export function probe(
  address: TargetAddress,
  settings: HealthCheckSettings,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const deadline = AbortSignal.timeout(settings.timeoutSeconds * 1000);
  const port = settings.port === "traffic-port" ? address.port : Number(settings.port);
  const authority = address.id.includes(":") ? `[${address.id}]:${port}` : `${address.id}:${port}`;
  return new Promise((resolve) => {
    const request = (settings.protocol === "HTTPS" ? httpsRequest : httpRequest)({
      host: address.id,
      port,
      path: settings.path,
      // As ALB: a connection of its own for each check.
      agent: false,
      headers: { Host: authority, "User-Agent": "ELB-HealthChecker/2.0", Connection: "close" },
      rejectUnauthorized: false,
      signal: AbortSignal.any([signal, deadline]),
    });
    request.once("response", (response) => {
      resolve(outcomeOf(response.statusCode!, settings.matcher));
      // The status decides; the rest of the answer is of no interest.
      request.destroy();
    });
    request.on("error", () => {
      resolve(deadline.aborted ? TIMED_OUT : FAILED);
    });
    request.end();
  });
}

const TIMED_OUT: CheckOutcome = { passed: false, reason: "Target.Timeout", description: "Request timed out" };
const FAILED: CheckOutcome = {
  passed: false,
  reason: "Target.FailedHealthChecks",
  description: "Health checks failed",
};

function outcomeOf(status: number, matcher: string): CheckOutcome {
  if (matcherRanges(matcher).some(([from, to]) => status >= from && status <= to)) return { passed: true };
  const description = `Health checks failed with these codes: [${status}]`;
  return { passed: false, reason: "Target.ResponseCodeMismatch", description };
}
