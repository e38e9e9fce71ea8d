/**
 * Traffic of load balancers: requests whose Host is a load balancer's DNS name, `NAME-1234.REGION.elb.amazonaws.com`, or
 * the same with `.elb.localhost`, which browsers and curl resolve to this machine (RFC 6761 §6.3).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { System } from "#gateway/context.ts";
import type { DataPlane } from "#gateway/service.ts";
import { LoadBalancing } from "./data-plane/load-balancing.ts";
import { routedName } from "./data-plane/routing-table.ts";

export class LoadBalancerDataPlane implements DataPlane {
  /** A service is defined once, and may serve several systems in one process. */
  readonly #running = new Map<System, LoadBalancing>();

  matches({ host }: { readonly host: string }): boolean {
    return routedName(host) !== undefined;
  }

  async handle(request: IncomingMessage, response: ServerResponse, system: System): Promise<void> {
    const balancing = this.#running.get(system);
    if (!balancing) throw new Error("A request for a load balancer came before the data plane was started");
    await balancing.serve(request, response);
  }

  async start(system: System): Promise<void> {
    const balancing = new LoadBalancing(system);
    this.#running.set(system, balancing);
    await balancing.start();
  }

  async stop(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(all.map((balancing) => balancing.stop()));
  }
}
