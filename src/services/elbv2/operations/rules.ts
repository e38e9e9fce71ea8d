/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Rule.html */
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { toActions } from "../actions.ts";
import { toConditions } from "../conditions.ts";
import * as errors from "../errors.ts";
import { requireForwardable } from "../forwarding.ts";
import { existingListener, existingRule, requireArn } from "../lookup.ts";
import { CONFIGURATION_TOPIC, isDefaultRule, newRuleArn, type Rule } from "../model.ts";
import { pageOf } from "../paging.ts";
import { deleteRules, findRule, insertRule, listRules, updatePriorities, updateRule } from "../store/listeners.ts";
import { putTags } from "../store/tags.ts";
import { requestTags, requireTagging, toTags } from "../tagging.ts";

const ofRule = (input: { RuleArn?: string | undefined }) => [input.RuleArn!];

export const CreateRule: OperationOf<sdk.CreateRuleCommand> = {
  authorize: {
    action: "elasticloadbalancing:CreateRule",
    resources: (input) => [input.ListenerArn!],
    context: requestTags,
  },
  async run(input, call) {
    const listener = await existingListener(call, input.ListenerArn!);
    refuseTransforms(input.Transforms);
    const tags = toTags(input.Tags);
    const rule: Rule = {
      arn: newRuleArn(listener.arn),
      listenerArn: listener.arn,
      loadBalancerArn: listener.loadBalancerArn,
      priority: input.Priority!,
      conditions: toConditions(input.Conditions!),
      actions: toActions(input.Actions),
    };
    await requireTagging(call, "CreateRule", rule.arn, input);
    await requireForwardable(call, rule.actions, listener.loadBalancerArn);
    const inserted = await inTransaction(call.db, async (trx) => {
      if (!(await insertRule(trx, rule))) return false;
      await putTags(trx, rule.arn, tags);
      return true;
    });
    if (!inserted) throw errors.priorityInUse(rule.priority);
    call.system.bus.publish(CONFIGURATION_TOPIC, rule.arn);
    return { Rules: [toOutput(rule)] };
  },
};

export const DescribeRules: OperationOf<sdk.DescribeRulesCommand> = {
  authorize: { action: "elasticloadbalancing:DescribeRules", resources: () => ["*"] },
  async run(input, call) {
    const arns = input.RuleArns ?? [];
    if (arns.length > 0 === (input.ListenerArn !== undefined)) {
      throw errors.validationError("You must specify either listener rule ARNs or a listener ARN");
    }
    let rules: readonly Rule[];
    if (input.ListenerArn !== undefined) {
      const listener = await existingListener(call, input.ListenerArn);
      rules = await listRules(call.db, { listenerArn: listener.arn });
    } else {
      for (const arn of arns) requireArn("listener rule", call, arn);
      const found = await Promise.all(arns.map((arn) => findRule(call.db, call, arn)));
      rules = found.filter((rule) => rule !== undefined);
      if (rules.length < arns.length) throw errors.someNotFound("listener rule");
    }
    const { items, NextMarker } = pageOf(rules, ({ arn }) => arn, input);
    return { Rules: items.map(toOutput), NextMarker };
  },
};

export const ModifyRule: OperationOf<sdk.ModifyRuleCommand> = {
  authorize: { action: "elasticloadbalancing:ModifyRule", resources: ofRule },
  async run(input, call) {
    const found = await existingRule(call, input.RuleArn!);
    refuseTransforms(input.Transforms);
    if (isDefaultRule(found)) throw errors.operationNotPermitted(`Default rule '${found.arn}' cannot be modified`);
    if (!input.Conditions && !input.Actions) {
      throw errors.validationError("Either conditions or actions must be specified");
    }
    const rule: Rule = {
      ...found,
      conditions: input.Conditions ? toConditions(input.Conditions) : found.conditions,
      actions: input.Actions ? toActions(input.Actions) : found.actions,
    };
    await requireForwardable(call, rule.actions, rule.loadBalancerArn);
    await updateRule(call.db, rule);
    call.system.bus.publish(CONFIGURATION_TOPIC, rule.arn);
    return { Rules: [toOutput(rule)] };
  },
};

export const DeleteRule: OperationOf<sdk.DeleteRuleCommand> = {
  authorize: { action: "elasticloadbalancing:DeleteRule", resources: ofRule },
  async run(input, call) {
    const found = await existingRule(call, input.RuleArn!);
    if (isDefaultRule(found)) throw errors.operationNotPermitted(`Default rule '${found.arn}' cannot be deleted`);
    await deleteRules(call.db, [found]);
    call.system.bus.publish(CONFIGURATION_TOPIC, found.arn);
    return {};
  },
};

export const SetRulePriorities: OperationOf<sdk.SetRulePrioritiesCommand> = {
  authorize: {
    action: "elasticloadbalancing:SetRulePriorities",
    resources: (input) => input.RulePriorities!.map(({ RuleArn }) => RuleArn ?? "*"),
  },
  async run(input, call) {
    const wanted = new Map<string, number>();
    const rules: Rule[] = [];
    for (const { RuleArn, Priority } of input.RulePriorities!) {
      if (RuleArn === undefined || Priority === undefined) {
        throw errors.validationError("A rule ARN and a priority must be specified");
      }
      if ([...wanted.values()].includes(Priority)) {
        throw errors.validationError(`Priority '${Priority}' was provided multiple times`);
      }
      if (wanted.has(RuleArn)) throw errors.validationError(`Rule '${RuleArn}' was provided multiple times`);
      const rule = await existingRule(call, RuleArn);
      if (isDefaultRule(rule)) throw errors.operationNotPermitted(`Default rule '${rule.arn}' cannot be modified`);
      wanted.set(RuleArn, Priority);
      rules.push(rule);
    }
    for (const listenerArn of new Set(rules.map((rule) => rule.listenerArn))) {
      const others = (await listRules(call.db, { listenerArn })).filter(({ arn }) => !wanted.has(arn));
      const moved = rules.filter((rule) => rule.listenerArn === listenerArn).map(({ arn }) => wanted.get(arn)!);
      const taken = others.find(({ priority }) => moved.includes(priority));
      if (taken) throw errors.priorityInUse(taken.priority);
    }
    await updatePriorities(call.db, wanted);
    for (const { arn } of rules) call.system.bus.publish(CONFIGURATION_TOPIC, arn);
    return { Rules: rules.map((rule) => toOutput({ ...rule, priority: wanted.get(rule.arn)! })) };
  },
};

function refuseTransforms(transforms: readonly unknown[] | undefined): void {
  if (transforms && transforms.length > 0) {
    throw errors.invalidConfiguration("Rule transforms are not built in this version of Slipway");
  }
}

function toOutput(rule: Rule): sdk.Rule {
  const byDefault = isDefaultRule(rule);
  return {
    RuleArn: rule.arn,
    Priority: byDefault ? "default" : String(rule.priority),
    Conditions: [...rule.conditions],
    Actions: [...rule.actions],
    IsDefault: byDefault,
  };
}
