/**
 * The condition operators.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
import { BlockList, isIP } from "node:net";
import { type RequestContext, resolver, type TextTest, textTest } from "./pattern.ts";
import { matchesWildcard, type Wildcard } from "./wildcard.ts";

export type ConditionTest = (context: RequestContext) => boolean;

/** Compiles one value of the policy. Throws Error where the value is not of the operator's type. */
type ValueCompiler = (expected: string, variables: boolean) => TextTest;

interface Operator {
  readonly compile: ValueCompiler;
  readonly negated?: true;
}

const stringEquals: ValueCompiler = (expected, variables) => textTest(expected, { variables, wildcards: false });
const stringEqualsIgnoreCase: ValueCompiler = (expected, variables) =>
  textTest(expected, { variables, wildcards: false, ignoreCase: true });
const stringLike: ValueCompiler = (expected, variables) => textTest(expected, { variables, wildcards: true });

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { compile: stringEquals },
  StringNotEquals: { compile: stringEquals, negated: true },
  StringEqualsIgnoreCase: { compile: stringEqualsIgnoreCase },
  StringNotEqualsIgnoreCase: { compile: stringEqualsIgnoreCase, negated: true },
  StringLike: { compile: stringLike },
  StringNotLike: { compile: stringLike, negated: true },
  NumericEquals: { compile: numeric((actual, expected) => actual === expected) },
  NumericNotEquals: { compile: numeric((actual, expected) => actual === expected), negated: true },
  NumericLessThan: { compile: numeric((actual, expected) => actual < expected) },
  NumericLessThanEquals: { compile: numeric((actual, expected) => actual <= expected) },
  NumericGreaterThan: { compile: numeric((actual, expected) => actual > expected) },
  NumericGreaterThanEquals: { compile: numeric((actual, expected) => actual >= expected) },
  DateEquals: { compile: date((actual, expected) => actual === expected) },
  DateNotEquals: { compile: date((actual, expected) => actual === expected), negated: true },
  DateLessThan: { compile: date((actual, expected) => actual < expected) },
  DateLessThanEquals: { compile: date((actual, expected) => actual <= expected) },
  DateGreaterThan: { compile: date((actual, expected) => actual > expected) },
  DateGreaterThanEquals: { compile: date((actual, expected) => actual >= expected) },
  Bool: { compile: stringEqualsIgnoreCase },
  BinaryEquals: { compile: binaryEquals },
  IpAddress: { compile: ipAddress },
  NotIpAddress: { compile: ipAddress, negated: true },
  ArnEquals: { compile: arnLike },
  ArnLike: { compile: arnLike },
  ArnNotEquals: { compile: arnLike, negated: true },
  ArnNotLike: { compile: arnLike, negated: true },
};

/** All but `Null`. */
export const CONDITION_OPERATORS: readonly string[] = Object.keys(OPERATORS);

const QUALIFIED_OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/**
 * One line of a Condition element: `{ operator: { key: values } }`. Values of the policy are alternatives; with a negated
 * operator none of them may match. Throws Error on an unknown operator or a value that is not of the operator's type.
 */
export function conditionTest(
  operatorName: string,
  key: string,
  values: readonly string[],
  variables: boolean,
): ConditionTest {
  const match = QUALIFIED_OPERATOR.exec(operatorName);
  const [, set, name = "", ifExists] = match ?? [];
  const contextKey = key.toLowerCase();
  if (name === "Null" && ifExists === undefined) return nullTest(contextKey, values, set);
  if (!Object.hasOwn(OPERATORS, name)) throw new Error(`Invalid Condition type : ${operatorName}`);

  const { compile, negated = false } = OPERATORS[name]!;
  const tests = values.map((value) => compile(value, variables));
  const holds = (value: string, context: RequestContext) => tests.some((test) => test(value, context)) !== negated;
  if (set === undefined) {
    return (context) => {
      const actual = contextValues(context, contextKey);
      if (actual.length === 0) return ifExists !== undefined || negated;
      // Without a set operator several values are equal to nothing, and so unequal to everything.
      return actual.length === 1 ? holds(actual[0]!, context) : negated;
    };
  }
  const forAll = set === "ForAllValues";
  return (context) => {
    const actual = contextValues(context, contextKey);
    if (actual.length === 0) return ifExists !== undefined || forAll;
    // "The key values resolve to a null data set, such as an empty string": that the key is there makes no difference.
    if (actual.every(isEmpty)) return forAll;
    return forAll ? actual.every((value) => holds(value, context)) : actual.some((value) => holds(value, context));
  };
}

function isEmpty(value: string): boolean {
  return value === "";
}

function contextValues(context: RequestContext, key: string): readonly string[] {
  const value = Object.hasOwn(context, key) ? context[key] : undefined;
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

/**
 * `"true"`: the key must be absent; `"false"`: it must be there. A set operator asks it of each of the key's values, so that
 * without any its own rule decides: ForAllValues "also returns true if there are no context keys in the request",
 * ForAnyValue returns false. IfExists does not go with it.
 */
function nullTest(key: string, values: readonly string[], set: string | undefined): ConditionTest {
  const wanted = values.map((value) => {
    const text = value.toLowerCase();
    if (text !== "true" && text !== "false") throw new Error(`The value of Null must be true or false, not "${value}"`);
    return text === "true";
  });
  const whenAbsent = set === undefined ? wanted.includes(true) : set === "ForAllValues";
  const whenPresent = wanted.includes(false);
  return (context) => (contextValues(context, key).length === 0 ? whenAbsent : whenPresent);
}

function numeric(compare: (actual: number, expected: number) => boolean): ValueCompiler {
  return (expectedText) => {
    const expected = toNumber(expectedText);
    if (expected === undefined) throw new Error(`"${expectedText}" is not a number`);
    return (text) => {
      const actual = toNumber(text);
      return actual !== undefined && compare(actual, expected);
    };
  };
}

function toNumber(text: string): number | undefined {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function date(compare: (actual: number, expected: number) => boolean): ValueCompiler {
  return (expectedText) => {
    const expected = dateMilliseconds(expectedText);
    if (expected === undefined) throw new Error(`"${expectedText}" is neither an ISO 8601 date nor epoch seconds`);
    return (text) => {
      const actual = dateMilliseconds(text);
      return actual !== undefined && compare(actual, expected);
    };
  };
}

/** The forms of https://www.w3.org/TR/NOTE-datetime; a time without zone is taken as UTC. */
const ISO_DATE = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const EPOCH_SECONDS = /^\d{5,15}(\.\d+)?$/;

/** Milliseconds since the epoch. Four digits are a year, more are epoch seconds. */
function dateMilliseconds(text: string): number | undefined {
  if (EPOCH_SECONDS.test(text)) return Number(text) * 1000;
  const match = ISO_DATE.exec(text);
  if (match === null) return undefined;
  const zoneless = match[3] !== undefined && match[6] === undefined;
  const time = Date.parse(zoneless ? `${text}Z` : text);
  return Number.isNaN(time) ? undefined : time;
}

/** Both sides are base64 texts; compared are the bytes. */
function binaryEquals(expectedText: string): TextTest {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(expectedText)) throw new Error(`"${expectedText}" is not base64`);
  const expected = Buffer.from(expectedText, "base64");
  return (text) => Buffer.from(text, "base64").equals(expected);
}

/** An address or a range in CIDR notation, IPv4 or IPv6. Without prefix length: that one address. */
function ipAddress(expectedText: string): TextTest {
  const [address = "", prefix, ...more] = expectedText.split("/");
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === 0 || more.length > 0 || !(length <= bits))
    throw new Error(`"${expectedText}" is not an IP address range`);
  const range = new BlockList();
  range.addSubnet(address, length, familyName(family));
  return (text) => {
    const actual = isIP(text);
    return actual !== 0 && range.check(text, familyName(actual));
  };
}

function familyName(family: number): "ipv4" | "ipv6" {
  return family === 4 ? "ipv4" : "ipv6";
}

const COLON = 0x3a;
const ARN_COMPONENTS = 6;

/** Each of an ARN's six components is matched by itself: a wildcard does not reach over a colon. `*` alone is any ARN. */
function arnLike(expectedText: string, variables: boolean): TextTest {
  if (expectedText === "*") return () => true;
  const resolve = resolver(expectedText, { variables, wildcards: true });
  if (typeof resolve !== "function") {
    const components = arnPatternComponents(resolve);
    return (text) => matchesComponents(components, text);
  }
  return (text, context) => {
    const pattern = resolve(context);
    return pattern !== undefined && matchesComponents(arnPatternComponents(pattern), text);
  };
}

function arnPatternComponents(pattern: Wildcard): Wildcard[] {
  const components: Wildcard[] = [];
  let from = 0;
  while (components.length < ARN_COMPONENTS - 1) {
    const colon = pattern.indexOf(COLON, from);
    if (colon < 0) break;
    components.push(pattern.slice(from, colon));
    from = colon + 1;
  }
  components.push(pattern.slice(from));
  return components;
}

function matchesComponents(patterns: readonly Wildcard[], arn: string): boolean {
  const components = arnComponents(arn);
  if (patterns.length !== ARN_COMPONENTS || components.length !== ARN_COMPONENTS) return false;
  return patterns.every((pattern, index) => matchesWildcard(pattern, components[index]!));
}

/** The last component keeps its colons. */
function arnComponents(arn: string): string[] {
  const components = arn.split(":");
  if (components.length <= ARN_COMPONENTS) return components;
  return [...components.slice(0, ARN_COMPONENTS - 1), components.slice(ARN_COMPONENTS - 1).join(":")];
}
