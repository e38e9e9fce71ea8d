/** The forward action: chooses a target group and a target, and another target where a connection fails. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Clock } from "#gateway/context.ts";
import { answerPage } from "./answers.ts";
import { attempt, type Failure } from "./exchange.ts";
import { requestHeaders } from "./forwarded-headers.ts";
import type { LiveTarget } from "./live-target.ts";
import type { ForwardingOptions, ListenerRoute } from "./routing-table.ts";
import { addGroupCookie, addTargetCookie, stickyGroup, stickyTarget } from "./stickiness.ts";
import type { TargetPool } from "./target-pool.ts";

/** How long ALB waits for a connection. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Less while there may be another target: an address that vanished answers nothing at all. */
const IMPATIENT_CONNECT_TIMEOUT_MS = 2_000;

export interface Pools {
  pool(targetGroupArn: string): TargetPool | undefined;
  /** Reads the configuration anew: the last resort before a request fails. */
  reload(): Promise<void>;
}

export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly listener: ListenerRoute;
  readonly options: ForwardingOptions;
  readonly sourceIp: string;
  readonly clock: Clock;
}

export async function forward(forwarding: Forwarding, config: sdk.ForwardActionConfig, pools: Pools): Promise<void> {
  const { request, response, options, clock } = forwarding;
  const pool = choosePool(request, config, pools);
  if (!pool) return answerPage(response, 503);
  const stickySeconds = config.TargetGroupStickinessConfig?.DurationSeconds;
  const headers = requestHeaders(request, forwarding.listener, options, forwarding.sourceIp, clock.now());
  const secure = forwarding.listener.protocol === "HTTPS";
  const tried = new Set<LiveTarget>();
  const token = stickyTarget(request, pool);
  let failure: Failure | undefined;
  let reloaded = false;
  for (;;) {
    const target = pool.choose(tried, token, clock.now().getTime());
    if (!target) {
      if (reloaded) break;
      // Targets may have been replaced a moment ago.
      reloaded = true;
      await pools.reload();
      continue;
    }
    const exchange = {
      request,
      response,
      headers,
      idleTimeoutMs: options.idleTimeoutMs,
      decorate(answered: string[]) {
        addTargetCookie(answered, pool, target, clock.now(), secure);
        if (stickySeconds !== undefined) addGroupCookie(answered, pool, stickySeconds, clock.now(), secure);
      },
    };
    const connectTimeoutMs = pool.untried(tried) > 1 ? IMPATIENT_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS;
    failure = await attempt(exchange, target, { connectTimeoutMs, fresh: false });
    if (failure?.stale) failure = await attempt(exchange, target, { connectTimeoutMs, fresh: true });
    if (!failure) return;
    if (!failure.retryable) break;
    tried.add(target);
  }
  if (!response.destroyed) answerPage(response, failure?.status ?? 503);
}

/** By weight, unless the client's cookie names one of the groups. */
function choosePool(request: IncomingMessage, config: sdk.ForwardActionConfig, pools: Pools): TargetPool | undefined {
  const groups = (config.TargetGroups ?? []).flatMap(({ TargetGroupArn, Weight = 1 }) => {
    const pool = pools.pool(TargetGroupArn!);
    return pool ? [{ pool, weight: Weight }] : [];
  });
  if (groups.length === 1) return groups[0]!.weight > 0 ? groups[0]!.pool : undefined;
  if (config.TargetGroupStickinessConfig?.Enabled) {
    const token = stickyGroup(request);
    const sticky = groups.find(({ pool, weight }) => pool.token === token && weight > 0);
    if (sticky) return sticky.pool;
  }
  let point = Math.random() * groups.reduce((sum, { weight }) => sum + weight, 0);
  return groups.find(({ weight }) => {
    point -= weight;
    return point < 0;
  })?.pool;
}
