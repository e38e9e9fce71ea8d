/** A task's targets: registered when its containers run, drained before they stop. */
import { once } from "node:events";
import type { System } from "#gateway/context.ts";
import { groupIdOf, type Task, type TaskTarget } from "../model.ts";
import { LoadBalancing } from "./load-balancing.ts";

/** The bus topic on which Elastic Load Balancing says that a target group's targets changed. */
export const TARGET_HEALTH_TOPIC = "elbv2:target-health";
const LOOK_MS = 1_000;

export class TargetSteps {
  readonly #system: System;
  readonly #signal: AbortSignal;

  constructor(system: System, signal: AbortSignal) {
    this.#system = system;
    this.#signal = signal;
  }

  /** Registering a target again changes nothing. */
  async register(task: Task): Promise<TaskTarget[]> {
    const targets: TaskTarget[] = [];
    const balancing = new LoadBalancing(this.#system, task);
    for (const { targetGroupArn = "", containerPort = 0 } of task.document.loadBalancers) {
      const { host, port } = await this.#system.engine.address(groupIdOf(task.id), containerPort);
      const target = { targetGroupArn, id: host, port };
      await balancing.register(target);
      targets.push(target);
    }
    return targets;
  }

  /**
   * Takes the targets out; with `drain` it returns when the last request that may be under way has had its time: the
   * target group's deregistration delay.
   */
  async deregister(task: Task, { drain }: { drain: boolean }): Promise<void> {
    const { targets } = task.document;
    const balancing = new LoadBalancing(this.#system, task);
    for (const target of targets) await balancing.deregister(target);
    if (!drain) return;
    for (const target of targets) {
      while ((await balancing.health(target))?.State === "draining") await this.#healthChange();
    }
  }

  /** Resolves soon after targets changed, and after a second at the latest. Throws when the signal aborts. */
  async #healthChange(): Promise<void> {
    const woken = new EventTarget();
    const wake = () => woken.dispatchEvent(new Event("wake"));
    const unsubscribe = this.#system.bus.subscribe(TARGET_HEALTH_TOPIC, wake);
    const timer = setTimeout(wake, LOOK_MS);
    try {
      await once(woken, "wake", { signal: this.#signal });
    } finally {
      clearTimeout(timer);
      unsubscribe();
    }
  }
}
