/**
 * Conditions of a listener rule, compiled once: all of a rule's conditions must hold, and of a condition's values one.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
 */
import { BlockList, isIPv6 } from "node:net";
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { RE2JS } from "re2js";
import { type ConditionField, conditionValues, regexValues } from "../conditions.ts";
import { matchesWildcard } from "./wildcard.ts";

/** What of a request rules look at. */
export interface RoutedRequest {
  readonly method: string;
  /** Without port, in lower case. */
  readonly host: string;
  /** Without the query, as it was sent. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly sourceIp: string;
}

export type Matcher = (request: RoutedRequest) => boolean;

export function toMatcher(conditions: readonly sdk.RuleCondition[]): Matcher {
  const matchers = conditions.map((condition) => COMPILERS[condition.Field as ConditionField](condition));
  return (request) => matchers.every((matches) => matches(request));
}

/** Whether a text is one of the condition's values. Host names and headers compare without regard to case. */
function toTextMatcher(condition: sdk.RuleCondition, ignoreCase: boolean): (text: string) => boolean {
  const regexes = regexValues(condition);
  if (regexes) {
    const compiled = regexes.map((regex) => RE2JS.compile(regex, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
    return (text) => compiled.some((regex) => regex.matcher(text).find());
  }
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  const patterns = conditionValues(condition).map(fold);
  return (text) => patterns.some((pattern) => matchesWildcard(pattern, fold(text)));
}

const COMPILERS: Readonly<Record<ConditionField, (condition: sdk.RuleCondition) => Matcher>> = {
  "path-pattern": (condition) => {
    const matches = toTextMatcher(condition, false);
    return ({ path }) => matches(path);
  },
  "host-header": (condition) => {
    const matches = toTextMatcher(condition, true);
    return ({ host }) => matches(host);
  },
  "http-header": (condition) => {
    const name = condition.HttpHeaderConfig!.HttpHeaderName!.toLowerCase();
    const matches = toTextMatcher(condition, true);
    return ({ headers }) => {
      const value = headers[name];
      return value !== undefined && [value].flat().some(matches);
    };
  },
  "http-request-method": (condition) => {
    const methods = conditionValues(condition);
    return ({ method }) => methods.includes(method);
  },
  "query-string": (condition) => {
    const pairs = (condition.QueryStringConfig?.Values ?? []).map(({ Key, Value = "" }) => ({
      key: Key?.toLowerCase(),
      value: Value.toLowerCase(),
    }));
    return ({ query }) => {
      const given = [...new URLSearchParams(query)].map(([key, value]) => [key.toLowerCase(), value.toLowerCase()]);
      return pairs.some((pair) =>
        given.some(
          ([key = "", value = ""]) =>
            (pair.key === undefined || matchesWildcard(pair.key, key)) && matchesWildcard(pair.value, value),
        ),
      );
    };
  },
  "source-ip": (condition) => {
    const list = new BlockList();
    for (const cidr of conditionValues(condition)) {
      const [address = "", prefix] = cidr.split("/");
      list.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
    }
    return ({ sourceIp }) => list.check(sourceIp, isIPv6(sourceIp) ? "ipv6" : "ipv4");
  },
};
