/** The targets of one group: who gets the next request. All in memory. */
import { effectiveAttributes, TARGET_GROUP_ATTRIBUTES } from "../attributes.ts";
import type { Target, TargetGroup } from "../model.ts";
import { LiveTarget, tokenOf } from "./live-target.ts";

/** How clients stay with a target; undefined where they do not. */
export interface Stickiness {
  readonly type: "lb_cookie" | "app_cookie";
  readonly seconds: number;
  /** The application's own cookie, for app_cookie. */
  readonly cookieName: string;
}

export class TargetPool {
  /** What a cookie carries that keeps a client with this group. */
  readonly token: string;
  #attributes: Readonly<Record<string, string>> = {};
  #stickiness: Stickiness | undefined;
  readonly #targets = new Map<string, LiveTarget>();
  /** Those that may get requests. */
  #eligible: readonly LiveTarget[] = [];
  #next = 0;

  constructor(group: TargetGroup, targets: readonly Target[]) {
    this.token = tokenOf(group.arn);
    this.update(group, targets);
  }

  get stickiness(): Stickiness | undefined {
    return this.#stickiness;
  }

  update(group: TargetGroup, targets: readonly Target[]): void {
    this.#attributes = effectiveAttributes(TARGET_GROUP_ATTRIBUTES, group.attributes);
    this.#stickiness = toStickiness(this.#attributes);
    const known = new Set<string>();
    for (const target of targets) {
      if (group.targetType !== "ip") continue;
      const key = `${target.id}|${target.port}|${target.registeredAt}`;
      known.add(key);
      const live = this.#targets.get(key);
      if (live) live.update(target);
      else this.#targets.set(key, new LiveTarget(target, group.protocol));
    }
    for (const [key, live] of this.#targets) {
      if (known.has(key)) continue;
      live.close();
      this.#targets.delete(key);
    }
    this.#eligible = this.#routable();
  }

  /** undefined where every target was tried or there is none. `token`: whom the client's cookie names. */
  choose(tried: ReadonlySet<LiveTarget>, token: string | undefined, now: number): LiveTarget | undefined {
    const candidates = tried.size === 0 ? this.#eligible : this.#eligible.filter((target) => !tried.has(target));
    if (candidates.length <= 1) return candidates[0];
    const sticky = token === undefined ? undefined : candidates.find((target) => target.token === token);
    return sticky ?? this.#choose(candidates, now);
  }

  /** How many `choose` could still answer. */
  untried(tried: ReadonlySet<LiveTarget>): number {
    return this.#eligible.filter((target) => !tried.has(target)).length;
  }

  close(): void {
    for (const target of this.#targets.values()) target.close();
    this.#targets.clear();
    this.#eligible = [];
  }

  #choose(candidates: readonly LiveTarget[], now: number): LiveTarget {
    const turn = this.#next++ % candidates.length;
    switch (this.#attributes["load_balancing.algorithm.type"]) {
      case "least_outstanding_requests": {
        // Beginning at whose turn it is, so that equals take turns.
        const rotated = [...candidates.slice(turn), ...candidates.slice(0, turn)];
        return rotated.reduce((least, target) => (target.outstanding < least.outstanding ? target : least));
      }
      case "weighted_random":
        return candidates[Math.floor(Math.random() * candidates.length)]!;
      default:
        return this.#inSlowStart(candidates[turn]!, now)
          ? candidates[(turn + 1) % candidates.length]!
          : candidates[turn]!;
    }
  }

  /** A target that became healthy just now passes its turn on, ever more rarely until its slow start is over. */
  #inSlowStart({ target }: LiveTarget, now: number): boolean {
    const duration = Number(this.#attributes["slow_start.duration_seconds"]) * 1000;
    if (duration === 0) return false;
    return Math.random() > (now - target.healthSince) / duration;
  }

  /** The healthy ones; where they are too few, all: ALB fails open. Never those that are draining. */
  #routable(): readonly LiveTarget[] {
    const active = [...this.#targets.values()].filter((target) => !target.draining);
    const healthy = active.filter(({ target }) => target.health.state === "healthy");
    const minimum = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    const count = Math.min(Number(this.#attributes[`${minimum}.count`]), active.length);
    const percentage = this.#attributes[`${minimum}.percentage`];
    const share = percentage === "off" ? 0 : (active.length * Number(percentage)) / 100;
    return healthy.length >= Math.max(count, share) ? healthy : active;
  }
}

function toStickiness(attributes: Readonly<Record<string, string>>): Stickiness | undefined {
  if (attributes["stickiness.enabled"] !== "true") return undefined;
  const type = attributes["stickiness.type"] as Stickiness["type"];
  return {
    type,
    seconds: Number(attributes[`stickiness.${type}.duration_seconds`]),
    cookieName: attributes["stickiness.app_cookie.cookie_name"]!,
  };
}
