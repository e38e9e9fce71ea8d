/** Load balancers with their listeners and rules as traffic needs them: by host name, in the order of evaluation. */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { effectiveAttributes, LOAD_BALANCER_ATTRIBUTES } from "../attributes.ts";
import type { Listener, LoadBalancer, Rule } from "../model.ts";
import { type Matcher, type RoutedRequest, toMatcher } from "./rule-matcher.ts";

export interface ForwardingOptions {
  readonly idleTimeoutMs: number;
  readonly xForwardedFor: "append" | "preserve" | "remove";
  readonly xForwardedForPort: boolean;
  readonly tlsHeaders: boolean;
  readonly dropInvalidHeaders: boolean;
}

export interface ListenerRoute {
  readonly port: number;
  readonly protocol: Listener["protocol"];
  /** By priority; the last one takes everything. */
  readonly rules: readonly { readonly matches: Matcher; readonly action: sdk.Action }[];
}

export interface LoadBalancerRoute {
  readonly options: ForwardingOptions;
  readonly listeners: readonly ListenerRoute[];
}

/** By the DNS name without its suffix: `NAME-1234.REGION`. */
export type RoutingTable = ReadonlyMap<string, LoadBalancerRoute>;

export function toRoutingTable(
  loadBalancers: readonly LoadBalancer[],
  listeners: readonly Listener[],
  rules: readonly Rule[],
): RoutingTable {
  const rulesOf = Map.groupBy(rules, ({ listenerArn }) => listenerArn);
  const listenersOf = Map.groupBy(listeners, ({ loadBalancerArn }) => loadBalancerArn);
  return new Map(
    loadBalancers.map((loadBalancer) => {
      const routes = (listenersOf.get(loadBalancer.arn) ?? []).map(({ arn, port, protocol }) => ({
        port,
        protocol,
        rules: (rulesOf.get(arn) ?? [])
          .toSorted((one, other) => one.priority - other.priority)
          .map((rule) => ({ matches: toMatcher(rule.conditions), action: rule.actions.at(-1)! })),
      }));
      return [routedName(loadBalancer.dnsName)!, { options: toOptions(loadBalancer), listeners: routes }];
    }),
  );
}

/** What a host has before `.elb.amazonaws.com`, or `.elb.localhost`, which resolves to this machine; else undefined. */
export function routedName(host: string): string | undefined {
  return /^(.+)\.elb\.(?:amazonaws\.com|localhost)$/.exec(host)?.[1];
}

/**
 * Which listener a request is for. The ports of listeners are not open on this machine, so the port that the client
 * names decides, then the scheme's own, then whether there is but one listener to mean. undefined where that is unclear.
 */
export function listenerFor(
  { listeners }: LoadBalancerRoute,
  port: number | undefined,
  encrypted: boolean,
): ListenerRoute | undefined {
  const named = listeners.find((listener) => listener.port === port);
  if (named) return named;
  const usual = listeners.find((listener) => listener.port === (encrypted ? 443 : 80));
  if (usual) return usual;
  const secure = listeners.filter((listener) => listener.protocol === "HTTPS");
  if (encrypted && secure.length === 1) return secure[0];
  return listeners.find((listener) => listener.port === 80) ?? (listeners.length === 1 ? listeners[0] : undefined);
}

/** undefined only while a listener is being deleted. */
export function actionFor(listener: ListenerRoute, request: RoutedRequest): sdk.Action | undefined {
  return listener.rules.find(({ matches }) => matches(request))?.action;
}

function toOptions(loadBalancer: LoadBalancer): ForwardingOptions {
  const attributes = effectiveAttributes(LOAD_BALANCER_ATTRIBUTES, loadBalancer.attributes);
  const isOn = (key: string) => attributes[key] === "true";
  return {
    idleTimeoutMs: Number(attributes["idle_timeout.timeout_seconds"]) * 1000,
    xForwardedFor: attributes["routing.http.xff_header_processing.mode"] as ForwardingOptions["xForwardedFor"],
    xForwardedForPort: isOn("routing.http.xff_client_port.enabled"),
    tlsHeaders: isOn("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
    dropInvalidHeaders: isOn("routing.http.drop_invalid_header_fields.enabled"),
  };
}
