/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { toActions } from "../actions.ts";
import * as errors from "../errors.ts";
import { requireForwardable } from "../forwarding.ts";
import { existingListener, existingLoadBalancer, requireArn } from "../lookup.ts";
import {
  CONFIGURATION_TOPIC,
  DEFAULT_PRIORITY,
  isDefaultRule,
  type Listener,
  newListenerArn,
  newRuleArn,
  type Rule,
} from "../model.ts";
import { pageOf } from "../paging.ts";
import {
  deleteListener,
  findDefaultRule,
  findListener,
  insertListener,
  listListeners,
  listRules,
  updateListener,
  updateRule,
} from "../store/listeners.ts";
import { listLoadBalancers } from "../store/load-balancers.ts";
import { putTags } from "../store/tags.ts";
import { requestKeys, requestTags, requireTagging, toTags } from "../tagging.ts";

/** What AWS gives listeners that name none. */
const DEFAULT_SSL_POLICY = "ELBSecurityPolicy-2016-08";

const ofListener = (input: { ListenerArn?: string | undefined }) => [input.ListenerArn!];

export const CreateListener: OperationOf<sdk.CreateListenerCommand> = {
  authorize: {
    action: "elasticloadbalancing:CreateListener",
    resources: (input) => [input.LoadBalancerArn!],
    context: (input) => ({
      ...requestTags(input),
      ...requestKeys({ Protocol: input.Protocol, SslPolicy: input.SslPolicy }),
    }),
  },
  async run(input, call) {
    const loadBalancer = await existingLoadBalancer(call, input.LoadBalancerArn!);
    const tags = toTags(input.Tags);
    const arn = newListenerArn(loadBalancer.arn);
    await requireTagging(call, "CreateListener", arn, input);
    if (input.Protocol === undefined) throw errors.validationError("A listener protocol must be specified");
    if (input.Port === undefined) throw errors.validationError("A listener port must be specified");
    const listener: Listener = {
      accountId: call.accountId,
      region: call.region,
      arn,
      loadBalancerArn: loadBalancer.arn,
      port: input.Port,
      ...toTransport(input.Protocol, input.SslPolicy, input.Certificates),
      createdAt: call.now.getTime(),
    };
    const actions = toActions(input.DefaultActions);
    await requireForwardable(call, actions, loadBalancer.arn);
    const defaultRule: Rule = {
      arn: newRuleArn(arn),
      listenerArn: arn,
      loadBalancerArn: loadBalancer.arn,
      priority: DEFAULT_PRIORITY,
      conditions: [],
      actions,
    };
    const inserted = await inTransaction(call.db, async (trx) => {
      if (!(await insertListener(trx, listener, defaultRule))) return false;
      await putTags(trx, arn, tags);
      return true;
    });
    if (!inserted) throw errors.duplicateListener(loadBalancer.arn);
    call.system.bus.publish(CONFIGURATION_TOPIC, arn);
    return { Listeners: [toOutput(listener, defaultRule)] };
  },
};

export const DescribeListeners: OperationOf<sdk.DescribeListenersCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeListeners", resources: () => ["*"] },
  async run(input, call) {
    const arns = input.ListenerArns ?? [];
    if (arns.length > 0 === (input.LoadBalancerArn !== undefined)) {
      throw errors.validationError("You must specify either listener ARNs or a load balancer ARN");
    }
    let listeners: readonly Listener[];
    if (input.LoadBalancerArn !== undefined) {
      requireArn("load balancer", call, input.LoadBalancerArn);
      const known = await listLoadBalancers(call.db, call);
      if (!known.some(({ arn }) => arn === input.LoadBalancerArn)) throw errors.someNotFound("load balancer");
      listeners = await listListeners(call.db, input.LoadBalancerArn);
    } else {
      for (const arn of arns) requireArn("listener", call, arn);
      const found = await Promise.all(arns.map((arn) => findListener(call.db, call, arn)));
      listeners = found.filter((listener) => listener !== undefined);
      if (listeners.length < arns.length) throw errors.someNotFound("listener");
    }
    const { items, NextMarker } = pageOf(listeners, ({ arn }) => arn, input);
    const rules = new Map<string, Rule>();
    for (const loadBalancerArn of new Set(items.map((item) => item.loadBalancerArn))) {
      for (const rule of await listRules(call.db, { loadBalancerArn })) {
        if (isDefaultRule(rule)) rules.set(rule.listenerArn, rule);
      }
    }
    return { Listeners: items.map((item) => toOutput(item, rules.get(item.arn)!)), NextMarker };
  },
};

export const ModifyListener: OperationOf<sdk.ModifyListenerCommand> = {
  authorize: {
    action: "elasticloadbalancing:ModifyListener",
    resources: ofListener,
    context: ({ Protocol, SslPolicy }) => requestKeys({ Protocol, SslPolicy }),
  },
  async run(input, call) {
    const found = await existingListener(call, input.ListenerArn!);
    const sameProtocol = input.Protocol === undefined || input.Protocol === found.protocol;
    const keptCertificate = sameProtocol && found.certificateArn ? [{ CertificateArn: found.certificateArn }] : [];
    const changes = {
      port: input.Port ?? found.port,
      ...toTransport(
        input.Protocol ?? found.protocol,
        input.SslPolicy ?? (sameProtocol ? found.sslPolicy : undefined),
        input.Certificates ?? keptCertificate,
      ),
    };
    const defaultRule = await findDefaultRule(call.db, found.arn);
    const actions = input.DefaultActions ? toActions(input.DefaultActions) : defaultRule.actions;
    await requireForwardable(call, actions, found.loadBalancerArn);
    await inTransaction(call.db, async (trx) => {
      if (!(await updateListener(trx, found, changes))) throw errors.duplicateListener(found.loadBalancerArn);
      await updateRule(trx, { ...defaultRule, actions });
    });
    call.system.bus.publish(CONFIGURATION_TOPIC, found.arn);
    return { Listeners: [toOutput({ ...found, ...changes }, { ...defaultRule, actions })] };
  },
};

export const DeleteListener: OperationOf<sdk.DeleteListenerCommand> = {
  authorize: { action: "elasticloadbalancing:DeleteListener", resources: ofListener },
  async run(input, call) {
    const { arn } = await existingListener(call, input.ListenerArn!);
    await deleteListener(call.db, arn);
    call.system.bus.publish(CONFIGURATION_TOPIC, arn);
    return {};
  },
};

type Transport = Pick<Listener, "protocol" | "sslPolicy" | "certificateArn">;

/** HTTPS needs a certificate; which one is stored only, as Slipway's own authority signs what clients see. */
function toTransport(
  protocol: string,
  sslPolicy: string | undefined,
  certificates: readonly sdk.Certificate[] | undefined,
): Transport {
  if (protocol !== "HTTP" && protocol !== "HTTPS") {
    throw errors.unsupportedProtocol(`Listener protocol '${protocol}' must be one of 'HTTPS, HTTP'`);
  }
  const [certificate, ...more] = certificates ?? [];
  if (protocol === "HTTP") {
    if (certificate) throw errors.validationError("Certificates cannot be specified for HTTP listeners");
    if (sslPolicy !== undefined) throw errors.validationError("An SSL policy cannot be specified for HTTP listeners");
    return { protocol, sslPolicy: undefined, certificateArn: undefined };
  }
  if (!certificate?.CertificateArn) throw errors.validationError("A certificate must be specified for HTTPS listeners");
  if (more.length > 0) throw errors.validationError("Exactly one certificate must be specified");
  if (
    !/^arn:aws[\w-]*:(acm:[^:]*:\d{12}:certificate|iam::\d{12}:server-certificate)\/.+$/.test(
      certificate.CertificateArn,
    )
  ) {
    throw errors.validationError(`Certificate ARN '${certificate.CertificateArn}' is not valid`);
  }
  if (sslPolicy !== undefined && !sslPolicy.startsWith("ELBSecurityPolicy-")) throw errors.sslPolicyNotFound(sslPolicy);
  return { protocol, sslPolicy: sslPolicy ?? DEFAULT_SSL_POLICY, certificateArn: certificate.CertificateArn };
}

function toOutput(listener: Listener, defaultRule: Rule): sdk.Listener {
  return {
    ListenerArn: listener.arn,
    LoadBalancerArn: listener.loadBalancerArn,
    Port: listener.port,
    Protocol: listener.protocol,
    ...(listener.certificateArn && { Certificates: [{ CertificateArn: listener.certificateArn }] }),
    ...(listener.sslPolicy && { SslPolicy: listener.sslPolicy }),
    DefaultActions: [...defaultRule.actions],
  };
}
