/** `= 4*`, `!= "x"`, `> 1000`, `= %5\d\d%`: what JSON members and space-delimited fields are compared with. */

import { regexTest } from "./regex.ts";
import type { Scanner } from "./scanner.ts";

/** A string or number of JSON; a field of text. */
export type Value = string | number | boolean;
export type ValueTest = (value: Value) => boolean;

const OPERATORS = ["!=", "<=", ">=", "=", "<", ">"] as const;
export type Operator = (typeof OPERATORS)[number];

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** undefined where no operator comes next. `bare` is what a value without quotation marks may consist of. */
export function comparison(scanner: Scanner, bare: RegExp): ValueTest | undefined {
  const operator = scanner.take(...OPERATORS);
  if (operator === undefined) return undefined;
  const regex = scanner.regex();
  if (regex !== undefined) return equality(operator, scanner, textTest(regexTest(regex)));
  const quoted = scanner.quoted();
  if (quoted !== undefined) return equality(operator, scanner, textTest(wildcardTest(quoted)));
  const value = scanner.match(bare);
  if (value === undefined) throw scanner.mistake("a value expected");
  if (NUMBER.test(value)) return numberTest(operator, Number(value));
  return equality(operator, scanner, textTest(wildcardTest(value)));
}

function equality(operator: Operator, scanner: Scanner, equal: ValueTest): ValueTest {
  if (operator === "=") return equal;
  if (operator === "!=") return (value) => !equal(value);
  throw scanner.mistake(`'${operator}' needs a number`);
}

/** Texts of JSON are no numbers there, but the fields of a line of text are what they look like. */
function numberTest(operator: Operator, expected: number): ValueTest {
  const holds: Record<Operator, (value: number) => boolean> = {
    "=": (value) => value === expected,
    "!=": (value) => value !== expected,
    "<": (value) => value < expected,
    "<=": (value) => value <= expected,
    ">": (value) => value > expected,
    ">=": (value) => value >= expected,
  };
  return (value) => {
    const number = typeof value === "string" && NUMBER.test(value) ? Number(value) : value;
    return typeof number === "number" ? holds[operator](number) : operator === "!=";
  };
}

function textTest(test: (text: string) => boolean): ValueTest {
  return (value) => test(String(value));
}

/** `*` stands for any characters. Greedy from the left is enough: the last piece is looked for at the end. */
function wildcardTest(pattern: string): (text: string) => boolean {
  const pieces = pattern.split("*");
  if (pieces.length === 1) return (text) => text === pattern;
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1);
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= text.length - last.length;
  };
}
