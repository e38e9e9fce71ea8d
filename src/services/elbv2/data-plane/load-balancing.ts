/**
 * The running load balancers of one system: configuration and health in memory, read anew from the database whenever
 * the bus says that something changed, so that no request waits for the database.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { System } from "#gateway/context.ts";
import { forwardedTargetGroups } from "../actions.ts";
import { CONFIGURATION_TOPIC, TARGET_HEALTH_TOPIC, type Target, type TargetGroup } from "../model.ts";
import { listListeners, listRules } from "../store/listeners.ts";
import { listLoadBalancers } from "../store/load-balancers.ts";
import { listTargetGroups } from "../store/target-groups.ts";
import { deleteDrainedTargets, listTargets } from "../store/targets.ts";
import { answerFixed, answerPage, answerRedirect, answerSentence } from "./answers.ts";
import { forward, type Pools } from "./forward.ts";
import { HealthChecker } from "./health-checker.ts";
import {
  actionFor,
  type ListenerRoute,
  type LoadBalancerRoute,
  listenerFor,
  type RoutingTable,
  routedName,
  toRoutingTable,
} from "./routing-table.ts";
import { TargetPool } from "./target-pool.ts";

/** The safety net for lost wake-ups. */
const POLL_MS = 5_000;

export class LoadBalancing implements Pools {
  readonly #system: System;
  readonly #checker: HealthChecker;
  readonly #pools = new Map<string, TargetPool>();
  readonly #unsubscribe: (() => void)[] = [];
  #table: RoutingTable = new Map();
  #poll: NodeJS.Timeout | undefined;
  /** Until the next target has drained. */
  #drained: NodeJS.Timeout | undefined;
  #loading: Promise<void> | undefined;
  #loadingNext: Promise<void> | undefined;
  #stopped = false;

  constructor(system: System) {
    this.#system = system;
    this.#checker = new HealthChecker(system);
  }

  async start(): Promise<void> {
    for (const topic of [CONFIGURATION_TOPIC, TARGET_HEALTH_TOPIC]) {
      this.#unsubscribe.push(this.#system.bus.subscribe(topic, () => void this.reload()));
    }
    this.#poll = setInterval(() => void this.reload(), POLL_MS);
    await this.reload();
  }

  /** Requests that are under way are cut. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    clearInterval(this.#poll);
    await this.#loading;
    clearTimeout(this.#drained);
    await this.#checker.stop();
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  pool(targetGroupArn: string): TargetPool | undefined {
    return this.#pools.get(targetGroupArn);
  }

  /** Resolves once everything that was written before the call is in memory. */
  reload(): Promise<void> {
    if (!this.#loading) {
      this.#loading = this.#load().finally(() => {
        this.#loading = undefined;
      });
      return this.#loading;
    }
    // What is being read may be older than the call.
    this.#loadingNext ??= this.#loading.then(() => {
      this.#loadingNext = undefined;
      return this.reload();
    });
    return this.#loadingNext;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, host = "", port] = /^(.*?)(?::(\d+))?$/.exec((request.headers.host ?? "").toLowerCase())!;
    const name = routedName(host) ?? "";
    // Not in memory means, most often, created a moment ago.
    if (!this.#table.has(name)) await this.reload();
    const route = this.#table.get(name);
    if (!route) return answerSentence(response, 404, `There is no load balancer with the DNS name ${host}.`);
    const encrypted = "encrypted" in request.socket;
    const named = port === undefined ? undefined : Number(port);
    const listener = listenerFor(route, named, encrypted);
    if (!listener) return answerSentence(response, 404, unclearListener(route));
    await this.#act(request, response, route, listener, host, named ?? (encrypted ? 443 : 80));
  }

  async #act(
    request: IncomingMessage,
    response: ServerResponse,
    route: LoadBalancerRoute,
    listener: ListenerRoute,
    host: string,
    port: number,
  ): Promise<void> {
    const [, path = "/", query = ""] = /^([^?]*)\??(.*)$/s.exec(request.url!)!;
    const sourceIp = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const routed = { method: request.method!, host, path, query, headers: request.headers, sourceIp };
    const action = actionFor(listener, routed);
    if (action?.Type === "fixed-response") return answerFixed(response, action.FixedResponseConfig!);
    if (action?.Type === "redirect") {
      return answerRedirect(response, action.RedirectConfig!, { protocol: listener.protocol, port }, routed);
    }
    if (!action?.ForwardConfig) return answerPage(response, 503);
    const { clock } = this.#system;
    const forwarding = { request, response, listener, options: route.options, sourceIp, clock };
    await forward(forwarding, action.ForwardConfig, this);
  }

  /** Never rejects: the old state serves until the next attempt. */
  async #load(): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.#read();
    } catch (error) {
      this.#system.log("error", "the load balancers' configuration could not be read", { error: String(error) });
    }
  }

  async #read(): Promise<void> {
    const { db, bus, clock } = this.#system;
    const now = clock.now().getTime();
    const drained = await deleteDrainedTargets(db, now);
    const groups = await listTargetGroups(db);
    const targets = Map.groupBy(await listTargets(db), ({ targetGroupArn }) => targetGroupArn);
    const rules = await listRules(db);
    this.#updatePools(groups, targets);
    this.#table = toRoutingTable(await listLoadBalancers(db), await listListeners(db), rules);
    const used = new Set(rules.flatMap(({ actions }) => forwardedTargetGroups(actions)));
    if (this.#stopped) return;
    this.#checker.sync(
      groups.filter(({ arn }) => used.has(arn)).map((group) => ({ group, targets: targets.get(group.arn) ?? [] })),
    );
    this.#awaitDrained([...targets.values()].flat(), now);
    for (const arn of drained) bus.publish(TARGET_HEALTH_TOPIC, arn);
  }

  #updatePools(groups: readonly TargetGroup[], targets: ReadonlyMap<string, readonly Target[]>): void {
    const known = new Set<string>();
    for (const group of groups) {
      known.add(group.arn);
      const its = targets.get(group.arn) ?? [];
      const pool = this.#pools.get(group.arn);
      if (pool) pool.update(group, its);
      else this.#pools.set(group.arn, new TargetPool(group, its));
    }
    for (const [arn, pool] of this.#pools) {
      if (known.has(arn)) continue;
      pool.close();
      this.#pools.delete(arn);
    }
  }

  #awaitDrained(targets: readonly Target[], now: number): void {
    clearTimeout(this.#drained);
    const next = Math.min(...targets.map(({ drainingUntil }) => drainingUntil ?? Number.POSITIVE_INFINITY));
    // Later than the poll's next turn, the poll finds it.
    if (next - now < POLL_MS) this.#drained = setTimeout(() => void this.reload(), Math.max(next - now, 0) + 1);
  }
}

function unclearListener({ listeners }: LoadBalancerRoute): string {
  if (listeners.length === 0) return "This load balancer has no listener.";
  const ports = listeners.map(({ port }) => port).join(", ");
  return `This load balancer listens on the ports ${ports}: name one of them in the Host header.`;
}
