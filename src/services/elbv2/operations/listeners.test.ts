import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { testSystem } from "../../../../tests/helpers/test-system.ts";
import { elbv2 } from "../index.ts";
import { aListener, aLoadBalancer, aTargetGroup, forwardTo } from "../testing.ts";

async function start() {
  const system = await testSystem({ services: [elbv2], work: false });
  const { arn } = await aLoadBalancer(system.root);
  const group = await aTargetGroup(system.root);
  const rule = (listener: string, Priority: number, input: Partial<sdk.CreateRuleInput> = {}) =>
    system.root.send(
      new sdk.CreateRuleCommand({
        ListenerArn: listener,
        Priority,
        Conditions: [{ Field: "path-pattern", Values: ["/api/*"] }],
        Actions: [forwardTo(group)],
        ...input,
      }),
    );
  return { system, arn, group, rule, [Symbol.asyncDispose]: () => system[Symbol.asyncDispose]() };
}

const CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/c0ffee";
const forbidden: sdk.Action = { Type: "fixed-response", FixedResponseConfig: { StatusCode: "403" } };

test("a listener shows its actions with the defaults filled in", async () => {
  await using context = await start();
  const { system, arn, group } = context;
  const listener = await aListener(system.root, arn, forwardTo(group));
  const { Listeners } = await system.root.send(new sdk.DescribeListenersCommand({ LoadBalancerArn: arn }));
  assert.deepEqual(Listeners, [
    {
      ListenerArn: listener,
      LoadBalancerArn: arn,
      Port: 80,
      Protocol: "HTTP",
      DefaultActions: [
        {
          Type: "forward",
          TargetGroupArn: group,
          ForwardConfig: {
            TargetGroups: [{ TargetGroupArn: group, Weight: 1 }],
            TargetGroupStickinessConfig: { Enabled: false },
          },
        },
      ],
    },
  ]);
});

test("wrong listeners are refused", async () => {
  await using context = await start();
  const { system, arn, group } = context;
  await aListener(system.root, arn, forwardTo(group));
  const create = (action: sdk.Action, input: Partial<sdk.CreateListenerInput>) =>
    aListener(system.root, arn, action, { Port: 81, ...input });
  const redirect = (RedirectConfig: sdk.RedirectActionConfig): sdk.Action => ({ Type: "redirect", RedirectConfig });
  const cases: [sdk.Action, Partial<sdk.CreateListenerInput>, string, RegExp][] = [
    [forbidden, { Port: 80 }, "DuplicateListenerException", /already exists on this port/],
    [forbidden, { Protocol: "TCP" }, "UnsupportedProtocolException", /must be one of 'HTTPS, HTTP'/],
    [forbidden, { Protocol: "HTTPS" }, "ValidationError", /certificate must be specified/],
    [forbidden, { Port: undefined }, "ValidationError", /listener port must be specified/],
    [forbidden, { LoadBalancerArn: `${arn}0` }, "LoadBalancerNotFoundException", /not found/],
    [forwardTo(`${group}0`), {}, "TargetGroupNotFoundException", /Target group '.*' not found/],
    [{ Type: "forward" }, {}, "ValidationError", /target group ARN must be specified/],
    [redirect({ StatusCode: "HTTP_302" }), {}, "InvalidLoadBalancerActionException", /creates a loop/],
    [redirect({ StatusCode: "HTTP_302", Path: "x" }), {}, "ValidationError", /must begin with a '\/'/],
    [{ Type: "authenticate-oidc" }, {}, "InvalidLoadBalancerActionException", /not built/],
  ];
  for (const [action, input, name, message] of cases) {
    await assert.rejects(create(action, input), { name, message });
  }
});

test("a target group belongs to one load balancer", async () => {
  await using context = await start();
  const { system, arn, group } = context;
  await aListener(system.root, arn, forwardTo(group));
  const other = await aLoadBalancer(system.root, { Name: "other" });
  await assert.rejects(aListener(system.root, other.arn, forwardTo(group)), {
    name: "TargetGroupAssociationLimitException",
  });
});

test("ModifyListener changes port, protocol and actions", async () => {
  await using context = await start();
  const { system, arn, group } = context;
  const listener = await aListener(system.root, arn, forwardTo(group));
  const modify = (input: Partial<sdk.ModifyListenerInput>) =>
    system.root.send(new sdk.ModifyListenerCommand({ ListenerArn: listener, ...input }));
  const secure = await modify({ Port: 443, Protocol: "HTTPS", Certificates: [{ CertificateArn: CERTIFICATE }] });
  assert.equal(secure.Listeners![0]!.SslPolicy, "ELBSecurityPolicy-2016-08");
  assert.deepEqual((await modify({ DefaultActions: [forbidden] })).Listeners![0], {
    ...secure.Listeners![0],
    DefaultActions: [forbidden],
  });
  await system.root.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn: group }));
  await aListener(system.root, arn, forbidden);
  await assert.rejects(modify({ Port: 80 }), { name: "DuplicateListenerException" });
});

test("rules come by priority with the default rule last, and priorities can be swapped", async () => {
  await using context = await start();
  const { system, arn, rule } = context;
  const listener = await aListener(system.root, arn, forbidden);
  const [second, first] = [
    (await rule(listener, 20)).Rules![0]!.RuleArn!,
    (await rule(listener, 10)).Rules![0]!.RuleArn!,
  ];
  const list = async (input: Partial<sdk.DescribeRulesInput> = {}) => {
    const { Rules } = await system.root.send(new sdk.DescribeRulesCommand({ ListenerArn: listener, ...input }));
    return Rules!;
  };
  const [one, , last] = await list();
  assert.deepEqual(
    (await list()).map(({ Priority }) => Priority),
    ["10", "20", "default"],
  );
  assert.equal(one!.RuleArn, first);
  assert.deepEqual([last!.IsDefault, last!.Conditions, last!.Actions], [true, [], [forbidden]]);
  await assert.rejects(rule(listener, 10), {
    name: "PriorityInUseException",
    message: "Priority '10' is currently in use",
  });
  const set = (...RulePriorities: sdk.RulePriorityPair[]) =>
    system.root.send(new sdk.SetRulePrioritiesCommand({ RulePriorities }));
  await set({ RuleArn: first, Priority: 20 }, { RuleArn: second, Priority: 10 });
  assert.equal((await list())[0]!.RuleArn, second);
  await assert.rejects(set({ RuleArn: first, Priority: 10 }), { name: "PriorityInUseException" });
  const operations = [
    new sdk.DeleteRuleCommand({ RuleArn: last!.RuleArn }),
    new sdk.ModifyRuleCommand({ RuleArn: last!.RuleArn, Actions: [forbidden] }),
  ];
  for (const operation of operations) {
    await assert.rejects(system.root.send(operation), { name: "OperationNotPermittedException" });
  }
  await system.root.send(new sdk.DeleteRuleCommand({ RuleArn: first }));
  await assert.rejects(list({ ListenerArn: undefined, RuleArns: [first] }), {
    name: "RuleNotFoundException",
    message: "One or more rules not found",
  });
});

test("ModifyRule replaces conditions or actions", async () => {
  await using context = await start();
  const { system, arn, group, rule } = context;
  const listener = await aListener(system.root, arn, forbidden);
  const RuleArn = (await rule(listener, 1)).Rules![0]!.RuleArn!;
  const Conditions = [{ Field: "host-header", HostHeaderConfig: { Values: ["a.example"] } }];
  const { Rules } = await system.root.send(new sdk.ModifyRuleCommand({ RuleArn, Conditions }));
  assert.deepEqual(Rules![0]!.Conditions, [{ ...Conditions[0], Values: ["a.example"] }]);
  assert.equal(Rules![0]!.Actions![0]!.TargetGroupArn, group);
  await assert.rejects(system.root.send(new sdk.ModifyRuleCommand({ RuleArn })), {
    message: "Either conditions or actions must be specified",
  });
});

test("wrong conditions are refused", async () => {
  await using context = await start();
  const { system, arn, rule } = context;
  const listener = await aListener(system.root, arn, forbidden);
  const cases: [sdk.RuleCondition[], RegExp][] = [
    [[], /A condition must be specified/],
    [[{ Field: "cookie", Values: ["a"] }], /Condition field 'cookie' must be one of/],
    [[{ Field: "path-pattern", Values: ["x".repeat(129)] }], /too long; the limit is '128'/],
    [[{ Field: "source-ip", SourceIpConfig: { Values: ["10.0.0.0/33"] } }], /must be a valid CIDR block/],
    [[{ Field: "source-ip", Values: ["10.0.0.0/8"] }], /not compatible with 'source-ip'/],
    [[{ Field: "http-request-method", HttpRequestMethodConfig: { Values: ["get"] } }], /allowed characters are A-Z/],
    [[{ Field: "http-header", HttpHeaderConfig: { Values: ["a"] } }], /'HttpHeaderName' must be specified/],
    [[{ Field: "query-string", QueryStringConfig: { Values: [{ Key: "a" }] } }], /A 'Value' must be specified/],
    [[{ Field: "path-pattern", RegexValues: ["(?=a)"] }], /is not valid/],
    [
      [{ Field: "path-pattern", PathPatternConfig: { Values: ["1", "2", "3", "4", "5", "6"] } }],
      /'5' condition values/,
    ],
    [[{ Field: "path-pattern", Values: ["/*/*/*/*/*/*/*"] }], /'6' condition wildcards/],
    [
      [
        { Field: "host-header", Values: ["a"] },
        { Field: "host-header", Values: ["b"] },
      ],
      /only have one 'host-header'/,
    ],
  ];
  for (const [Conditions, message] of cases) {
    await assert.rejects(rule(listener, 1, { Conditions }), { name: "ValidationError", message });
  }
});
