/**
 * What is wrong with what policies come to when they are merged: elements that are missing, too many or of no use.
 * https://docs.aws.amazon.com/organizations/latest/userguide/invalid-policy-alerts.html
 *
 * Of the codes and sentences AWS publishes ELEMENTS_TOO_MANY only, in the log entry of an invalid effective policy:
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
 */
import type { EffectivePolicyType, EffectivePolicyValidationError } from "@aws-sdk/client-organizations";
import { type Effective, type Json, toJson } from "./effective-policy.ts";

export type EffectivePolicyError = Readonly<Required<EffectivePolicyValidationError>>;

interface Rule {
  /** From the top, `*` for any one key: `plans/*` */
  readonly at: string;
  readonly required?: readonly string[];
  /** One of them and no other. */
  readonly oneOf?: readonly string[];
  /** How many there may be directly below. */
  readonly max?: number;
  /** Says what is wrong with what is set here, under that key. */
  readonly objection?: (value: Json, parentKey: string) => string | undefined;
}

const TAG = ["tag_key", "tag_value"];
const RULE = "plans/*/rules/*";
const SELECTION = "plans/*/selections";

/**
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-limits.html#aws-backup-policies-quotas-table
 */
const BACKUP: readonly Rule[] = [
  { at: "plans/*", required: ["rules", "regions", "selections"] },
  { at: "plans/*/rules", max: 10 },
  { at: RULE, required: ["schedule_expression", "target_backup_vault_name"] },
  {
    at: `${RULE}/start_backup_window_minutes`,
    objection: (value) => (Number(value) >= 60 ? undefined : "must be at least 60"),
  },
  { at: `${RULE}/lifecycle`, objection: coldStorage },
  { at: `${RULE}/copy_actions`, max: 5 },
  { at: `${RULE}/copy_actions/*/lifecycle`, objection: coldStorage },
  { at: `${RULE}/recovery_point_tags`, max: 10 },
  { at: `${RULE}/recovery_point_tags/*`, required: TAG },
  // "There are two mutually exclusive elements: tags and resources. An effective policy must have either."
  { at: SELECTION, oneOf: ["tags", "resources"] },
  { at: `${SELECTION}/tags`, max: 10 },
  { at: `${SELECTION}/tags/*`, required: ["iam_role_arn", ...TAG] },
  { at: `${SELECTION}/resources`, max: 100 },
  { at: `${SELECTION}/resources/*`, required: ["iam_role_arn", "resource_types"] },
  { at: "plans/*/backup_plan_tags/*", required: TAG },
];

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out_syntax.html */
const AI_OPT_OUT: readonly Rule[] = [
  {
    at: "services/*/opt_out_policy",
    objection: (value) => (value === "optIn" || value === "optOut" ? undefined : "must be optIn or optOut"),
  },
];

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html */
const TAGS: readonly Rule[] = [
  {
    at: "tags/*/tag_key",
    objection: (value, parentKey) =>
      String(value).toLowerCase() === parentKey.toLowerCase()
        ? undefined
        : "must match the policy key, except for the case treatment",
  },
  {
    at: "tags/*/tag_value",
    objection: (value) =>
      listed(value).some((item) => String(item).split("*").length > 2) ? "can have one wildcard per value" : undefined,
  },
];

/** Types without an entry have no published rule that only shows when policies are merged. */
const RULES: Partial<Record<EffectivePolicyType, readonly Rule[]>> = {
  BACKUP_POLICY: BACKUP,
  AISERVICES_OPT_OUT_POLICY: AI_OPT_OUT,
  TAG_POLICY: TAGS,
};

/** "The delete_after_days must be 90 days greater than move_to_cold_storage_after_days." */
function coldStorage(value: Json): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "needs settings";
  const { move_to_cold_storage_after_days: move, delete_after_days: end } = value;
  if (move === undefined || end === undefined || Number(end) >= Number(move) + 90) return undefined;
  return "needs delete_after_days to be 90 days greater than move_to_cold_storage_after_days";
}

function listed(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}

/** In the order of the document. */
export function errorsOf(type: EffectivePolicyType, effective: Effective): EffectivePolicyError[] {
  return errorsBelow(RULES[type] ?? [], [], effective);
}

function errorsBelow(rules: readonly Rule[], path: readonly string[], node: Effective): EffectivePolicyError[] {
  const here = rules.filter(({ at }) => matches(at, path)).flatMap((rule) => violations(rule, path, node));
  const below = settingsOf(node).map(([key, child]) => errorsBelow(rules, [...path, key], child));
  return [...here, ...below.flat()];
}

/** What of the levels below is in the document. */
function settingsOf(node: Effective): (readonly [key: string, child: Effective])[] {
  return [...node.children].filter(([, child]) => toJson(child) !== undefined);
}

function matches(at: string, path: readonly string[]): boolean {
  const keys = at.split("/");
  return keys.length === path.length && keys.every((key, index) => key === "*" || key === path[index]);
}

function violations(rule: Rule, path: readonly string[], node: Effective): EffectivePolicyError[] {
  const settings = new Map(settingsOf(node));
  const error = (ErrorCode: string, ErrorMessage: string): EffectivePolicyError => ({
    ErrorCode,
    ErrorMessage,
    PathToError: path.join("/"),
    ContributingPolicies: [...node.policies].sort(),
  });
  const missing = (rule.required ?? []).filter((key) => !settings.has(key)).map((key) => `'${key}' is missing`);
  const given = rule.oneOf?.filter((key) => settings.has(key));
  if (given?.length === 0) missing.push(`${quoted(rule.oneOf!, "or")} is missing`);
  const errors = missing.map((message) => error("KEY_REQUIRED", message));
  if (rule.max !== undefined && settings.size > rule.max) {
    errors.push(error("ELEMENTS_TOO_MANY", `'${path.at(-1)}' exceeds the allowed maximum limit ${rule.max}`));
  }
  if (given && given.length > 1) errors.push(error("VALUE_INVALID", `${quoted(given, "and")} exclude each other`));
  const value = toJson(node);
  const objection = value === undefined ? undefined : rule.objection?.(value, path.at(-2) ?? "");
  if (objection !== undefined) errors.push(error("VALUE_INVALID", `'${path.at(-1)}' ${objection}`));
  return errors;
}

function quoted(keys: readonly string[], between: string): string {
  return keys.map((key) => `'${key}'`).join(` ${between} `);
}
