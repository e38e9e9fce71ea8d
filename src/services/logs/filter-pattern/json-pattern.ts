/** `{ ($.user.id = 1) && ($.users[0].email = "John*" || $.error IS TRUE) }` on events that are JSON. */
import { invalidFilterPattern } from "../errors.ts";
import { comparison, type Value, type ValueTest } from "./comparison.ts";
import type { MessageTest } from "./filter-pattern.ts";
import { Scanner } from "./scanner.ts";

type DocumentTest = (document: unknown) => boolean;
/** A member's name, an element's index, or every element. */
type Step = string | number | "[*]";
const EVERY = "[*]";

const BARE_VALUE = /[^\s"%&|(){}]+/y;
/** Parentheses deeper than any pattern of 1,024 characters needs in earnest. */
const MAX_DEPTH = 100;

/** Events that are no JSON objects or arrays never match. */
export function jsonPattern(text: string): MessageTest {
  const scanner = new Scanner(text);
  scanner.expect("{");
  const test = disjunction(scanner, 0);
  scanner.expect("}");
  if (!scanner.atEnd) throw scanner.mistake("nothing may follow '}'");
  return (message) => {
    const document = parsedJson(message);
    return document !== undefined && test(document);
  };
}

function parsedJson(message: string): object | undefined {
  if (!/^\s*[{[]/.test(message)) return undefined; // most lines of most logs
  try {
    return JSON.parse(message) as object;
  } catch {
    return undefined;
  }
}

function disjunction(scanner: Scanner, depth: number): DocumentTest {
  const tests = [conjunction(scanner, depth)];
  while (scanner.take("||")) tests.push(conjunction(scanner, depth));
  return tests.length === 1 ? tests[0]! : (document) => tests.some((test) => test(document));
}

function conjunction(scanner: Scanner, depth: number): DocumentTest {
  const tests = [condition(scanner, depth)];
  while (scanner.take("&&")) tests.push(condition(scanner, depth));
  return tests.length === 1 ? tests[0]! : (document) => tests.every((test) => test(document));
}

function condition(scanner: Scanner, depth: number): DocumentTest {
  if (depth > MAX_DEPTH) throw invalidFilterPattern("the parentheses are nested too deeply");
  if (scanner.take("(")) {
    const test = disjunction(scanner, depth + 1);
    scanner.expect(")");
    return test;
  }
  const path = selector(scanner);
  if (scanner.keyword("NOT")) {
    if (!scanner.keyword("EXISTS")) throw scanner.mistake("EXISTS expected");
    return (document) => selected(document, path).length === 0;
  }
  if (scanner.keyword("EXISTS")) return (document) => selected(document, path).length > 0;
  if (scanner.keyword("IS")) {
    const expected = constant(scanner);
    return (document) => selected(document, path).some((value) => value === expected);
  }
  const test = comparison(scanner, BARE_VALUE);
  if (!test) throw scanner.mistake("an operator expected");
  return (document) => selected(document, path).some((value) => isValue(value) && jsonTest(test, value));
}

function jsonTest(test: ValueTest, value: Value): boolean {
  return typeof value === "boolean" ? false : test(value);
}

const isValue = (value: unknown): value is Value =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

function constant(scanner: Scanner): boolean | null {
  if (scanner.keyword("TRUE")) return true;
  if (scanner.keyword("FALSE")) return false;
  if (scanner.keyword("NULL")) return null;
  throw scanner.mistake("TRUE, FALSE or NULL expected");
}

/** `$.a.b`, `$.list[0]`, `$.list[*].c`, `$['a.b']`, `$.["a b"]` */
function selector(scanner: Scanner): readonly Step[] {
  scanner.expect("$");
  const steps: Step[] = [];
  for (;;) {
    const index = scanner.match(/\[(?:\d+|\*)\]/y);
    const bracketed = index ? undefined : scanner.match(/\.?\[(?:'[^']*'|"[^"]*")\]/y);
    const name = index || bracketed ? undefined : scanner.match(/\.[\p{L}\p{N}_@:-]+/uy);
    if (index) steps.push(index === EVERY ? EVERY : Number(index.slice(1, -1)));
    else if (bracketed) steps.push(bracketed.slice(bracketed.indexOf("[") + 2, -2));
    else if (name) steps.push(name.slice(1));
    else break;
  }
  if (steps.length === 0) throw scanner.mistake("a property after '$' expected");
  return steps;
}

/** The values at the path: none, one, or several where it has `[*]`. */
function selected(document: unknown, path: readonly Step[]): readonly unknown[] {
  let values: unknown[] = [document];
  for (const step of path) values = values.flatMap((value) => stepped(value, step));
  return values;
}

function stepped(value: unknown, step: Step): unknown[] {
  if (Array.isArray(value)) {
    if (step === EVERY) return value;
    return typeof step === "number" && step < value.length ? [value[step]] : [];
  }
  if (typeof value !== "object" || value === null || typeof step === "number") return [];
  return Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : [];
}
