/**
 * What a scenario expects of an answer, written as JSON: an object matches when each member named does, other members
 * are of no interest; an array matches element by element; anything else must be equal. An object whose only member
 * starts with "$" is a matcher, see `MATCHERS`.
 */
import { isDeepStrictEqual } from "node:util";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

interface JsonObject {
  readonly [name: string]: Json;
}

type Matcher = (argument: Json, actual: Json | undefined, path: string) => readonly string[];

const MATCHERS: Readonly<Record<string, Matcher>> = {
  /** There, and not null. */
  $any: (_, actual, path) => (actual === undefined || actual === null ? [differs(path, "anything", actual)] : []),
  /** A string that the regular expression is found in. */
  $match: (pattern, actual, path) =>
    typeof actual === "string" && new RegExp(String(pattern), "s").test(actual)
      ? []
      : [differs(path, `a string like /${pattern}/`, actual)],
  $absent: (_, actual, path) => (actual === undefined ? [] : [differs(path, "nothing", actual)]),
  /** An array or a string of that length. */
  $length: (length, actual, path) =>
    (Array.isArray(actual) || typeof actual === "string") && actual.length === length
      ? []
      : [differs(path, `a length of ${length}`, actual)],
  /** An array that has, in any order and among others, an element for each of these. */
  $includes: (expected, actual, path) => {
    if (!Array.isArray(expected)) throw new Error(`${path}: $includes wants an array`);
    if (!Array.isArray(actual)) return [differs(path, "an array", actual)];
    return expected
      .filter((each) => !actual.some((element) => mismatches(each, element, path).length === 0))
      .map((each) => differs(path, `an element like ${show(each)}`, actual));
  },
};

/** A sentence for each difference, led by its path in `actual`; none where it is as expected. */
export function mismatches(expected: Json, actual: Json | undefined, path = "$"): readonly string[] {
  if (Array.isArray(expected)) return arrayMismatches(expected, actual, path);
  if (isObject(expected)) {
    const [name, ...others] = Object.keys(expected);
    if (name?.startsWith("$")) {
      const matcher = MATCHERS[name];
      if (!matcher || others.length > 0) throw new Error(`${path}: ${show(expected)} is no matcher`);
      return matcher(expected[name]!, actual, path);
    }
    if (!isObject(actual)) return [differs(path, "an object", actual)];
    return Object.entries(expected).flatMap(([key, value]) => mismatches(value, actual[key], `${path}.${key}`));
  }
  return isDeepStrictEqual(expected, actual) ? [] : [differs(path, show(expected), actual)];
}

function arrayMismatches(expected: readonly Json[], actual: Json | undefined, path: string): readonly string[] {
  if (!Array.isArray(actual)) return [differs(path, "an array", actual)];
  if (actual.length !== expected.length) return [differs(path, `${expected.length} elements`, actual)];
  return expected.flatMap((value, index) => mismatches(value, actual[index], `${path}[${index}]`));
}

/** `repositories[0].repositoryUri`; undefined where the path leads nowhere. */
export function valueAt(document: Json, path: string): Json | undefined {
  const names = path.match(/[^.[\]]+/g) ?? [];
  let value: Json | undefined = document;
  for (const name of names) {
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isObject(value)) value = value[name];
    else return undefined;
  }
  return value;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function differs(path: string, expected: string, actual: Json | undefined): string {
  return `${path}: expected ${expected}, got ${actual === undefined ? "nothing" : show(actual)}`;
}

function show(value: Json): string {
  return JSON.stringify(value);
}
