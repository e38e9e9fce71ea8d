/**
 * The conditions of listener rules, as far as they can be wrong.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
 */
import { isIP } from "node:net";
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { RE2JS } from "re2js";
import { validationError } from "./errors.ts";

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html */
const MAX_VALUES_PER_RULE = 5;
const MAX_WILDCARDS_PER_RULE = 6;
const MAX_VALUE_LENGTH = 128;
const MAX_HEADER_NAME_LENGTH = 40;

const FIELDS = [
  "path-pattern",
  "host-header",
  "http-header",
  "http-request-method",
  "query-string",
  "source-ip",
] as const;
export type ConditionField = (typeof FIELDS)[number];

/** A rule has at most one of these. */
const ONCE: ReadonlySet<string> = new Set(["path-pattern", "host-header", "http-request-method", "source-ip"]);
const WITH_WILDCARDS: ReadonlySet<string> = new Set(["path-pattern", "host-header", "http-header", "query-string"]);

/** Where each field keeps its values. */
const CONFIGS = {
  "path-pattern": "PathPatternConfig",
  "host-header": "HostHeaderConfig",
  "http-header": "HttpHeaderConfig",
  "http-request-method": "HttpRequestMethodConfig",
  "query-string": "QueryStringConfig",
  "source-ip": "SourceIpConfig",
} as const satisfies Record<ConditionField, keyof sdk.RuleCondition>;

/** As AWS describes them later. Throws ValidationError. */
export function toConditions(given: readonly sdk.RuleCondition[]): readonly sdk.RuleCondition[] {
  if (given.length === 0) throw validationError("A condition must be specified");
  const conditions = given.map(toCondition);
  for (const field of ONCE) {
    if (conditions.filter((condition) => condition.Field === field).length > 1) {
      throw validationError(`A rule can only have one '${field}' condition`);
    }
  }
  const values = conditions.flatMap((condition) => conditionValues(condition));
  if (values.length > MAX_VALUES_PER_RULE) {
    throw validationError(`A rule can only have '${MAX_VALUES_PER_RULE}' condition values`);
  }
  const wildcards = conditions
    .filter((condition) => WITH_WILDCARDS.has(condition.Field!) && !regexValues(condition))
    .flatMap(conditionValues)
    .reduce((count, value) => count + (value.match(/[*?]/g)?.length ?? 0), 0);
  if (wildcards > MAX_WILDCARDS_PER_RULE) {
    throw validationError(`A rule can only have '${MAX_WILDCARDS_PER_RULE}' condition wildcards`);
  }
  return conditions;
}

/** A query-string pair counts as one value. */
export function conditionValues(condition: sdk.RuleCondition): readonly string[] {
  const regexes = regexValues(condition);
  if (regexes) return regexes;
  if (condition.Field === "query-string") {
    return (condition.QueryStringConfig?.Values ?? []).map(({ Key = "", Value = "" }) => `${Key}${Value}`);
  }
  const config = condition[CONFIGS[condition.Field as ConditionField]] as { Values?: string[] } | undefined;
  return config?.Values ?? condition.Values ?? [];
}

/** undefined where the condition has plain values. */
export function regexValues(condition: sdk.RuleCondition): readonly string[] | undefined {
  const { PathPatternConfig, HostHeaderConfig, HttpHeaderConfig } = condition;
  const regexes =
    condition.RegexValues ??
    PathPatternConfig?.RegexValues ??
    HostHeaderConfig?.RegexValues ??
    HttpHeaderConfig?.RegexValues;
  return regexes && regexes.length > 0 ? regexes : undefined;
}

function toCondition(given: sdk.RuleCondition): sdk.RuleCondition {
  const field = given.Field as ConditionField;
  if (!FIELDS.includes(field)) {
    throw validationError(`Condition field '${given.Field ?? ""}' must be one of '[${FIELDS.join(", ")}]'`);
  }
  const simple = field === "path-pattern" || field === "host-header";
  if (given.Values && given.Values.length > 0 && !simple) {
    throw validationError(`The 'Values' field is not compatible with '${field}'`);
  }
  const config = CONFIGS[field];
  if (given.Values && given.Values.length > 0 && given[config]) {
    throw validationError(`You cannot provide both Values and '${config}' for a condition of type '${field}'`);
  }
  if (!simple && !given[config]) throw validationError(`A '${config}' must be specified with '${field}'`);
  const values = conditionValues(given);
  if (values.length === 0) throw validationError("A condition value must be specified");
  const regexes = regexValues(given);
  if (regexes) for (const regex of regexes) requireRegex(regex);
  else VALUE_CHECKS[field](given, values);
  // AWS gives the values of these two in both forms.
  if (simple && !regexes) return { Field: field, Values: [...values], [config]: { Values: [...values] } };
  return { Field: field, [config]: given[config], ...(given.RegexValues && { RegexValues: given.RegexValues }) };
}

/** AWS takes RE2-like expressions without look-around; RE2 itself needs no more than linear time. */
function requireRegex(regex: string): void {
  requireShort("regex", regex);
  try {
    RE2JS.compile(regex);
  } catch {
    throw validationError(`The regular expression '${regex}' is not valid`);
  }
}

const VALUE_CHECKS: Readonly<
  Record<ConditionField, (condition: sdk.RuleCondition, values: readonly string[]) => void>
> = {
  "path-pattern": (_, values) => {
    for (const value of values) {
      requireShort("path-pattern", value);
      if (!/^[A-Za-z0-9_\-.$/~"'@:+&*?=%]*$/.test(value)) {
        throw validationError(`The 'path-pattern' value '${value}' contains characters that are not allowed`);
      }
    }
  },
  "host-header": (_, values) => {
    for (const value of values) {
      requireShort("host-header", value);
      if (!/^[A-Za-z0-9\-.*?:]*$/.test(value)) {
        throw validationError(`The 'host-header' value '${value}' contains characters that are not allowed`);
      }
    }
  },
  "http-header": ({ HttpHeaderConfig }, values) => {
    const name = HttpHeaderConfig?.HttpHeaderName;
    if (!name) throw validationError("A 'HttpHeaderName' must be specified with 'http-header'");
    if (name.length > MAX_HEADER_NAME_LENGTH) {
      throw validationError(`The 'HttpHeaderName' value is too long; the limit is '${MAX_HEADER_NAME_LENGTH}'`);
    }
    if (name.toLowerCase() === "host") {
      throw validationError("The 'HttpHeaderName' value 'Host' is not allowed: use a 'host-header' condition");
    }
    for (const value of values) requireShort("http-header", value);
  },
  "http-request-method": (_, values) => {
    for (const value of values) {
      if (value.length > 40) throw validationError("The 'http-request-method' value is too long; the limit is '40'");
      if (!/^[A-Z_-]+$/.test(value)) {
        throw validationError(
          "The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and underscore",
        );
      }
    }
  },
  "query-string": ({ QueryStringConfig }) => {
    for (const { Key, Value } of QueryStringConfig?.Values ?? []) {
      if (Value === undefined) throw validationError("A 'Value' must be specified in 'QueryStringKeyValuePair'");
      requireShort("Key", Key ?? "");
      requireShort("Value", Value);
    }
  },
  "source-ip": (_, values) => {
    for (const value of values) {
      if (!isCidr(value)) throw validationError(`The 'source-ip' value '${value}' must be a valid CIDR block`);
    }
  },
};

function requireShort(what: string, value: string): void {
  if (value.length > MAX_VALUE_LENGTH) {
    throw validationError(`The '${what}' value is too long; the limit is '${MAX_VALUE_LENGTH}'`);
  }
}

function isCidr(text: string): boolean {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}
