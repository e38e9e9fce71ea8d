/**
 * The attributes of load balancers and target groups: defaults and allowed values.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
 */
import { validationError } from "./errors.ts";

type Attributes = Readonly<Record<string, string>>;

interface AttributeRule {
  readonly default: string;
  /** What is wrong with a value, in a sentence; undefined where it is right. */
  problem(key: string, value: string): string | undefined;
}

const oneOf = (initial: string, ...allowed: readonly string[]): AttributeRule => ({
  default: initial,
  problem: (key, value) =>
    allowed.includes(value) ? undefined : `'${key}' value '${value}' must be one of [${allowed.join(", ")}]`,
});

const flag = (initial: boolean) => oneOf(String(initial), "true", "false");

/** `words` are further values beside the numbers. */
const integer = (initial: string, min: number, max: number, ...words: readonly string[]): AttributeRule => ({
  default: initial,
  problem(key, value) {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (words.includes(value) || (number >= min && number <= max)) return undefined;
    return `'${key}' value '${value}' must be between '${min}-${max}' inclusive`;
  },
});

const text = (): AttributeRule => ({ default: "", problem: () => undefined });

export const LOAD_BALANCER_ATTRIBUTES: Readonly<Record<string, AttributeRule>> = {
  "access_logs.s3.enabled": flag(false),
  "access_logs.s3.bucket": text(),
  "access_logs.s3.prefix": text(),
  "client_keep_alive.seconds": integer("3600", 60, 604_800),
  "connection_logs.s3.enabled": flag(false),
  "connection_logs.s3.bucket": text(),
  "connection_logs.s3.prefix": text(),
  "deletion_protection.enabled": flag(false),
  "health_check_logs.s3.enabled": flag(false),
  "health_check_logs.s3.bucket": text(),
  "health_check_logs.s3.prefix": text(),
  "idle_timeout.timeout_seconds": integer("60", 1, 4000),
  "ipv6.deny_all_igw_traffic": flag(false),
  "load_balancing.cross_zone.enabled": oneOf("true", "true"),
  "routing.http.desync_mitigation_mode": oneOf("defensive", "monitor", "defensive", "strictest"),
  "routing.http.drop_invalid_header_fields.enabled": flag(false),
  "routing.http.preserve_host_header.enabled": flag(false),
  "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": flag(false),
  "routing.http.xff_client_port.enabled": flag(false),
  "routing.http.xff_header_processing.mode": oneOf("append", "append", "preserve", "remove"),
  "routing.http2.enabled": flag(true),
  "waf.fail_open.enabled": flag(false),
  "zonal_shift.config.enabled": flag(false),
};

const SECONDS_PER_WEEK = 604_800;
const MOST_TARGETS = 1000;

export const TARGET_GROUP_ATTRIBUTES: Readonly<Record<string, AttributeRule>> = {
  "deregistration_delay.timeout_seconds": integer("300", 0, 3600),
  "load_balancing.algorithm.anomaly_mitigation": oneOf("off", "on", "off"),
  "load_balancing.algorithm.type": oneOf("round_robin", "round_robin", "least_outstanding_requests", "weighted_random"),
  "load_balancing.cross_zone.enabled": oneOf(
    "use_load_balancer_configuration",
    "true",
    "false",
    "use_load_balancer_configuration",
  ),
  "slow_start.duration_seconds": integer("0", 30, 900, "0"),
  "stickiness.app_cookie.cookie_name": {
    default: "",
    problem: (key, value) =>
      /^AWSALB(APP|TG)?/.test(value) ? `'${key}' value '${value}' has a prefix that is reserved` : undefined,
  },
  "stickiness.app_cookie.duration_seconds": integer("86400", 1, SECONDS_PER_WEEK),
  "stickiness.enabled": flag(false),
  "stickiness.lb_cookie.duration_seconds": integer("86400", 1, SECONDS_PER_WEEK),
  "stickiness.type": oneOf("lb_cookie", "lb_cookie", "app_cookie"),
  "target_group_health.dns_failover.minimum_healthy_targets.count": integer("1", 1, MOST_TARGETS, "off"),
  "target_group_health.dns_failover.minimum_healthy_targets.percentage": integer("off", 1, 100, "off"),
  "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": integer("1", 1, MOST_TARGETS),
  "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": integer("off", 1, 100, "off"),
};

type AttributeRules = Readonly<Record<string, AttributeRule>>;

/** All attributes: what was set, over the defaults. */
export function effectiveAttributes(rules: AttributeRules, set: Attributes): Attributes {
  const defaults = Object.entries(rules).map(([key, rule]) => [key, rule.default]);
  return { ...Object.fromEntries(defaults), ...set };
}

/** As AWS lists them. */
export function toAttributeList(attributes: Attributes): { Key: string; Value: string }[] {
  return Object.entries(attributes).map(([Key, Value]) => ({ Key, Value }));
}

interface GivenAttribute {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/** The changes that a request asks for. Throws ValidationError on an unknown key, a bad value, or a key given twice. */
export function toAttributeChanges(
  rules: AttributeRules,
  kind: "Load balancer" | "Target group",
  given: readonly GivenAttribute[],
): Attributes {
  const changes: Record<string, string> = {};
  for (const { Key = "", Value = "" } of given) {
    const rule = Object.hasOwn(rules, Key) ? rules[Key] : undefined;
    if (!rule) throw validationError(`${kind} attribute key '${Key}' is not recognized`);
    if (Object.hasOwn(changes, Key))
      throw validationError(`${kind} attribute key '${Key}' is specified more than once`);
    const problem = rule.problem(Key, Value);
    if (problem) throw validationError(problem);
    changes[Key] = Value;
  }
  return changes;
}
