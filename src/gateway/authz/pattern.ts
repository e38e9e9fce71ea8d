/**
 * Texts of a policy that are compared with a request's: wildcards, policy variables, or both.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
import { matchesWildcard, toLiteral, toWildcard, type Wildcard } from "./wildcard.ts";

/** What a request says of itself. Keys in lower case; undefined and an empty list both mean that the key is absent. */
export type RequestContext = Readonly<Record<string, string | readonly string[] | undefined>>;

export type TextTest = (text: string, context: RequestContext) => boolean;

export interface PatternOptions {
  /** `${…}` is a variable: true from policy version 2012-10-17 on. */
  readonly variables: boolean;
  /** `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  readonly ignoreCase?: boolean;
}

interface Variable {
  /** As it is written. */
  readonly name: string;
  /** The same in lower case. */
  readonly key: string;
  readonly default: string | undefined;
}

type Part = Wildcard | Variable;

/** A test for one text. A variable without value and default makes it false for every text. */
export function textTest(pattern: string, options: PatternOptions): TextTest {
  const resolve = resolver(pattern, options);
  const fold = options.ignoreCase === true;
  if (typeof resolve === "function") {
    const prefix = literalPrefix(pattern);
    return (text, context) => {
      // Most requests are about something else altogether: seen before anything is resolved.
      if (!fold && !text.startsWith(prefix)) return false;
      const wildcard = resolve(context);
      return wildcard !== undefined && matchesWildcard(wildcard, fold ? text.toLowerCase() : text);
    };
  }
  const test = constantTest(resolve, fold ? pattern.toLowerCase() : pattern);
  return fold ? (text) => test(text.toLowerCase()) : test;
}

/** What every text that matches must begin with. */
function literalPrefix(pattern: string): string {
  return /^[^*?$]*/.exec(pattern)![0];
}

/** Most patterns of real policies are `*`, a plain name, or a prefix with one `*`: these need no matcher. */
function constantTest(wildcard: Wildcard, source: string): (text: string) => boolean {
  const first = wildcard.findIndex((code) => code < 0);
  if (first < 0) {
    const literal = toText(wildcard);
    return (text) => text === literal;
  }
  if (source === "*") return () => true;
  if (first === wildcard.length - 1 && source.endsWith("*")) {
    const prefix = toText(wildcard.slice(0, first));
    return (text) => text.startsWith(prefix);
  }
  return (text) => matchesWildcard(wildcard, text);
}

/** One by one: a policy's text may be longer than a call's list of arguments. */
function toText(literal: Wildcard): string {
  let text = "";
  for (const code of literal) text += String.fromCharCode(code);
  return text;
}

/** The pattern itself where it holds no variables, else how to come by it for a request. */
export function resolver(
  pattern: string,
  options: PatternOptions,
): Wildcard | ((context: RequestContext) => Wildcard | undefined) {
  const parts = patternParts(pattern, options);
  if (parts.every((part) => !("key" in part))) return parts.flat() as number[];
  const variables = parts.filter((part) => "key" in part);
  // A principal's requests follow one another, with the same values: what they resolved to serves again.
  let latest: { readonly values: readonly string[]; readonly wildcard: Wildcard } | undefined;
  return (context) => {
    if (latest !== undefined && sameValues(variables, latest.values, context)) return latest.wildcard;
    const values: string[] = [];
    for (const variable of variables) {
      const value = variableValue(variable, context);
      if (value === undefined) return undefined;
      values.push(value);
    }
    latest = { values, wildcard: filledIn(parts, values, options) };
    return latest.wildcard;
  };
}

function sameValues(variables: readonly Variable[], values: readonly string[], context: RequestContext): boolean {
  for (let index = 0; index < variables.length; index++) {
    if (variableValue(variables[index]!, context) !== values[index]) return false;
  }
  return true;
}

/** Wildcards in a value are literal: a user named "*" must not match everybody's folder. */
function filledIn(parts: readonly Part[], values: readonly string[], options: PatternOptions): Wildcard {
  const filled: number[] = [];
  let next = 0;
  for (const part of parts) {
    if ("key" in part) {
      const value = values[next++]!;
      for (const code of toLiteral(options.ignoreCase ? value.toLowerCase() : value)) filled.push(code);
    } else for (const code of part) filled.push(code);
  }
  return filled;
}

/** A key with several values cannot be used as a variable. */
function variableValue(variable: Variable, context: RequestContext): string | undefined {
  const value = Object.hasOwn(context, variable.key) ? context[variable.key] : undefined;
  return typeof value === "string" ? value : variable.default;
}

/** `${*}`, `${?}` and `${$}` are the characters themselves. */
const LITERALS: ReadonlySet<string> = new Set(["*", "?", "$"]);

/** The variables of a text, as they are written. Throws Error where one is malformed. */
export function variableNames(pattern: string): string[] {
  const parts = patternParts(pattern, { variables: true, wildcards: false });
  return parts.filter((part) => "key" in part).map(({ name }) => name);
}

/** Throws Error where a variable is malformed; `parsePolicy` has then refused the policy. */
function patternParts(pattern: string, options: PatternOptions): Part[] {
  const parts: Part[] = [];
  const fixed = (text: string) => {
    const folded = options.ignoreCase ? text.toLowerCase() : text;
    if (text !== "") parts.push(options.wildcards ? toWildcard(folded) : toLiteral(folded));
  };
  let from = 0;
  while (options.variables) {
    const start = pattern.indexOf("${", from);
    if (start < 0) break;
    const end = pattern.indexOf("}", start);
    if (end < 0) throw new Error("The policy variable is missing a closing curly brace.");
    fixed(pattern.slice(from, start));
    const name = pattern.slice(start + 2, end);
    parts.push(LITERALS.has(name) ? toLiteral(name) : toVariable(name));
    from = end + 1;
  }
  fixed(pattern.slice(from));
  return parts;
}

/** `aws:PrincipalTag/team` or `aws:PrincipalTag/team, 'company-wide'`. */
function toVariable(text: string): Variable {
  const match = /^([^\s,']+)(?:, '([^']*)')?$/.exec(text);
  if (match === null) throw new Error(`The policy variable \${${text}} is malformed.`);
  return { name: match[1]!, key: match[1]!.toLowerCase(), default: match[2] };
}
