/**
 * Checks the targets of every target group that a load balancer uses: a new one at once, then at the interval. What it
 * finds goes to the database; who routes reads it from there. Each process checks for itself.
 */
import type { System } from "#gateway/context.ts";
import { TARGET_HEALTH_TOPIC, type Target, type TargetGroup } from "../model.ts";
import { checkInterval, healthAfter, isSameHealth, type Progress } from "../states.ts";
import { updateHealth } from "../store/targets.ts";
import { probe } from "./health-probe.ts";

interface Check {
  target: Target;
  group: TargetGroup;
  progress: Progress | undefined;
  timer: NodeJS.Timeout | undefined;
  readonly abort: AbortController;
}

export interface CheckedGroup {
  readonly group: TargetGroup;
  readonly targets: readonly Target[];
}

export class HealthChecker {
  readonly #system: System;
  readonly #checks = new Map<string, Check>();
  readonly #running = new Set<Promise<void>>();

  constructor(system: System) {
    this.#system = system;
  }

  /** Begins, goes on with and ends checks so that exactly these targets are checked. */
  sync(groups: readonly CheckedGroup[]): void {
    const wanted = new Set<string>();
    for (const { group, targets } of groups) {
      for (const target of targets) {
        if (group.targetType !== "ip" || target.drainingUntil !== undefined) continue;
        const key = `${group.arn}|${target.id}|${target.port}|${target.registeredAt}`;
        wanted.add(key);
        this.#update(key, target, group);
      }
    }
    for (const [key, check] of this.#checks) {
      if (wanted.has(key)) continue;
      this.#checks.delete(key);
      end(check);
    }
  }

  /** Ends every check, and waits for those that are under way. */
  async stop(): Promise<void> {
    for (const check of this.#checks.values()) end(check);
    this.#checks.clear();
    await Promise.all(this.#running);
  }

  #update(key: string, target: Target, group: TargetGroup): void {
    const known = this.#checks.get(key);
    if (!known) {
      const check: Check = { target, group, progress: undefined, timer: undefined, abort: new AbortController() };
      this.#checks.set(key, check);
      this.#run(check);
      return;
    }
    const changed = JSON.stringify(known.group.healthCheck) !== JSON.stringify(group.healthCheck);
    // Another process may have found something else.
    if (known.target.health.state !== target.health.state) known.progress = undefined;
    known.target = target;
    known.group = group;
    if (changed && known.timer) {
      clearTimeout(known.timer);
      this.#run(known);
    }
  }

  #run(check: Check): void {
    check.timer = undefined;
    const started = Date.now();
    const running = this.#check(check)
      .catch((error: unknown) => {
        this.#system.log("error", "a health check could not be recorded", {
          targetGroup: check.group.arn,
          error: String(error),
        });
      })
      .finally(() => {
        this.#running.delete(running);
        if (check.abort.signal.aborted) return;
        const interval = checkInterval(check.target.health, check.group.healthCheck);
        check.timer = setTimeout(() => this.#run(check), Math.max(started + interval - Date.now(), 0));
      });
    this.#running.add(running);
  }

  async #check(check: Check): Promise<void> {
    const outcome = await probe(check.target, check.group.healthCheck, check.abort.signal);
    if (check.abort.signal.aborted) return;
    const { target } = check;
    const now = this.#system.clock.now().getTime();
    const found = healthAfter(target.health, check.progress, outcome, check.group.healthCheck, now);
    check.progress = found.progress;
    if (isSameHealth(target.health, found.health)) return;
    const updated = await updateHealth(this.#system.db, target, found.health, now);
    if (!updated) return;
    const healthSince = found.health.state === target.health.state ? target.healthSince : now;
    check.target = { ...target, health: found.health, healthSince };
    this.#system.bus.publish(TARGET_HEALTH_TOPIC, target.targetGroupArn);
  }
}

function end(check: Check): void {
  clearTimeout(check.timer);
  check.abort.abort();
}
