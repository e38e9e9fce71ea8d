/**
 * A target group's health check: defaults of application load balancers, and what AWS refuses.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { invalidConfiguration, validationError } from "./errors.ts";
import type { HealthCheckSettings } from "./model.ts";

const DEFAULTS: HealthCheckSettings = {
  protocol: "HTTP",
  port: "traffic-port",
  path: "/",
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
  matcher: "200",
};

type Given = Pick<
  sdk.CreateTargetGroupInput,
  | "HealthCheckProtocol"
  | "HealthCheckPort"
  | "HealthCheckEnabled"
  | "HealthCheckPath"
  | "HealthCheckIntervalSeconds"
  | "HealthCheckTimeoutSeconds"
  | "HealthyThresholdCount"
  | "UnhealthyThresholdCount"
  | "Matcher"
>;

/** `base` is what is not given; ranges of the numbers are checked before. */
export function toHealthCheckSettings(given: Given, base: HealthCheckSettings = DEFAULTS): HealthCheckSettings {
  if (given.HealthCheckEnabled === false) {
    throw validationError("Health check enabled must be true for target groups with target type 'ip' or 'instance'");
  }
  const settings: HealthCheckSettings = {
    protocol: toProtocol(given.HealthCheckProtocol ?? base.protocol),
    port: given.HealthCheckPort ?? base.port,
    path: given.HealthCheckPath ?? base.path,
    intervalSeconds: given.HealthCheckIntervalSeconds ?? base.intervalSeconds,
    timeoutSeconds: given.HealthCheckTimeoutSeconds ?? base.timeoutSeconds,
    healthyThreshold: given.HealthyThresholdCount ?? base.healthyThreshold,
    unhealthyThreshold: given.UnhealthyThresholdCount ?? base.unhealthyThreshold,
    matcher: toMatcher(given.Matcher) ?? base.matcher,
  };
  const { port, path, intervalSeconds, timeoutSeconds, matcher } = settings;
  if (timeoutSeconds >= intervalSeconds) {
    throw validationError(
      `Health check timeout '${timeoutSeconds}' must be smaller than the interval '${intervalSeconds}'`,
    );
  }
  if (!path.startsWith("/")) throw validationError(`Health check path '${path}' must begin with a '/' character`);
  // What Node refuses to send would otherwise fail at every check.
  if (!/^[\x21-\x7e]+$/.test(path)) throw validationError(`Health check path '${path}' is not a valid URI`);
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (port !== "traffic-port" && (number < 1 || number > 65_535)) {
    throw validationError(`Health check port '${port}' must be 'traffic-port' or in the range '1-65535'`);
  }
  for (const [from, to] of matcherRanges(matcher)) {
    if (!(from >= 200 && from <= to && to <= 499)) {
      throw validationError(`Health check matcher HTTP code '${matcher}' must be within '200-499' inclusive`);
    }
  }
  return settings;
}

function toProtocol(protocol: string): HealthCheckSettings["protocol"] {
  if (protocol === "HTTP" || protocol === "HTTPS") return protocol;
  throw invalidConfiguration(
    `Health check protocol '${protocol}' is not supported for target groups with the HTTP or HTTPS protocol`,
  );
}

function toMatcher(matcher: sdk.Matcher | undefined): string | undefined {
  if (matcher?.GrpcCode !== undefined) {
    throw validationError("Matcher GrpcCode is only supported for target groups with protocol version GRPC");
  }
  return matcher?.HttpCode;
}

/** "200,300-302" as [[200, 200], [300, 302]]. What is no such list gives NaN, which is in no range. */
export function matcherRanges(matcher: string): readonly (readonly [from: number, to: number])[] {
  return matcher.split(",").map((part) => {
    const match = /^(\d{3})(?:-(\d{3}))?$/.exec(part.trim());
    const from = Number(match?.[1] ?? Number.NaN);
    return [from, Number(match?.[2] ?? from)];
  });
}
