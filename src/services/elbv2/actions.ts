/**
 * The actions of listeners and rules. Without authentication a rule has exactly one: forward, redirect or fixed-response.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
 */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { invalidAction, validationError } from "./errors.ts";

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html */
const MAX_TARGET_GROUPS_PER_ACTION = 5;
const MAX_WEIGHT = 999;
const MAX_STICKINESS_SECONDS = 604_800;

const FIXED_RESPONSE_TYPES = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];

/** The parts that a redirect keeps unless told otherwise. */
const REDIRECT_DEFAULTS = {
  Protocol: "#{protocol}",
  Port: "#{port}",
  Host: "#{host}",
  Path: "/#{path}",
  Query: "#{query}",
} as const;

/** The ARNs, each once. */
export function forwardedTargetGroups(actions: readonly sdk.Action[]): readonly string[] {
  const arns = actions.flatMap(({ TargetGroupArn, ForwardConfig }) => [
    TargetGroupArn,
    ...(ForwardConfig?.TargetGroups ?? []).map((tuple) => tuple.TargetGroupArn),
  ]);
  return [...new Set(arns.filter((arn) => arn !== undefined))];
}

/** As AWS describes them later, with the defaults filled in. Throws what AWS answers to wrong ones. */
export function toActions(given: readonly sdk.Action[] | undefined): readonly sdk.Action[] {
  if (!given || given.length === 0) throw validationError("A listener or rule action must be specified");
  if (given.length > 1) {
    throw invalidAction("Exactly one action of type 'forward', 'redirect' or 'fixed-response' must be specified");
  }
  return given.map(toAction);
}

function toAction(action: sdk.Action): sdk.Action {
  const order = action.Order === undefined ? {} : { Order: action.Order };
  switch (action.Type) {
    case "forward":
      return { Type: "forward", ...order, ...toForward(action) };
    case "redirect":
      return { Type: "redirect", ...order, RedirectConfig: toRedirect(action.RedirectConfig) };
    case "fixed-response":
      return { Type: "fixed-response", ...order, FixedResponseConfig: toFixedResponse(action.FixedResponseConfig) };
    default:
      throw invalidAction(`Actions of type '${action.Type}' are not built in this version of Slipway`);
  }
}

function toForward({
  TargetGroupArn,
  ForwardConfig,
}: sdk.Action): Pick<sdk.Action, "TargetGroupArn" | "ForwardConfig"> {
  const tuples = ForwardConfig?.TargetGroups ?? (TargetGroupArn === undefined ? [] : [{ TargetGroupArn }]);
  if (tuples.length === 0) throw validationError("A target group ARN must be specified");
  if (tuples.length > MAX_TARGET_GROUPS_PER_ACTION) {
    throw validationError(`A forward action can have at most '${MAX_TARGET_GROUPS_PER_ACTION}' target groups`);
  }
  if (TargetGroupArn !== undefined && (tuples.length > 1 || tuples[0]!.TargetGroupArn !== TargetGroupArn)) {
    throw validationError(
      "You can specify only one target group in ForwardConfig, the same as in TargetGroupArn, if you specify both",
    );
  }
  const groups = tuples.map((tuple) => {
    if (tuple.TargetGroupArn === undefined) throw validationError("A target group ARN must be specified");
    const weight = tuple.Weight ?? 1;
    if (weight < 0 || weight > MAX_WEIGHT) {
      throw validationError(`Target group weight '${weight}' must be between '0-${MAX_WEIGHT}' inclusive`);
    }
    return { TargetGroupArn: tuple.TargetGroupArn, Weight: weight };
  });
  if (new Set(groups.map((group) => group.TargetGroupArn)).size < groups.length) {
    throw validationError("A target group can be specified only once in a forward action");
  }
  const single = groups.length === 1 ? { TargetGroupArn: groups[0]!.TargetGroupArn } : {};
  return {
    ...single,
    ForwardConfig: {
      TargetGroups: groups,
      TargetGroupStickinessConfig: toStickiness(ForwardConfig?.TargetGroupStickinessConfig),
    },
  };
}

function toStickiness(given: sdk.TargetGroupStickinessConfig | undefined): sdk.TargetGroupStickinessConfig {
  if (given?.Enabled !== true) return { Enabled: false };
  const seconds = given.DurationSeconds;
  if (seconds === undefined || seconds < 1 || seconds > MAX_STICKINESS_SECONDS) {
    throw validationError(
      `Target group stickiness duration '${seconds ?? ""}' must be between '1-${MAX_STICKINESS_SECONDS}' inclusive`,
    );
  }
  return { Enabled: true, DurationSeconds: seconds };
}

function toRedirect(given: sdk.RedirectActionConfig | undefined): sdk.RedirectActionConfig {
  if (!given?.StatusCode) throw validationError("A redirect action must specify a status code");
  const redirect = { ...REDIRECT_DEFAULTS, ...definedOnly(given), StatusCode: given.StatusCode };
  const parts = Object.keys(REDIRECT_DEFAULTS) as (keyof typeof REDIRECT_DEFAULTS)[];
  if (parts.every((part) => redirect[part] === REDIRECT_DEFAULTS[part])) {
    throw invalidAction("The redirect configuration is not valid because it creates a loop.");
  }
  if (!redirect.Path.startsWith("/")) throw validationError(`Redirect path '${redirect.Path}' must begin with a '/'`);
  const port = Number(redirect.Port);
  if (redirect.Port !== "#{port}" && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw validationError(`Redirect port '${redirect.Port}' must be '#{port}' or between '1-65535' inclusive`);
  }
  return redirect;
}

function toFixedResponse(given: sdk.FixedResponseActionConfig | undefined): sdk.FixedResponseActionConfig {
  if (!given?.StatusCode) throw validationError("A fixed-response action must specify a status code");
  if (given.ContentType !== undefined && !FIXED_RESPONSE_TYPES.includes(given.ContentType)) {
    const allowed = FIXED_RESPONSE_TYPES.join(", ");
    throw validationError(`The content type '${given.ContentType}' must be one of [${allowed}]`);
  }
  return definedOnly(given);
}

function definedOnly<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
