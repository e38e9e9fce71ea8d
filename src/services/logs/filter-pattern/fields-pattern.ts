/**
 * `[ip, user, status=4* || status=5*, ..., bytes > 100]` on events whose fields are separated by spaces. Text between
 * brackets or quotation marks is one field.
 */
import { invalidFilterPattern } from "../errors.ts";
import { comparison, type ValueTest } from "./comparison.ts";
import type { MessageTest } from "./filter-pattern.ts";
import { Scanner } from "./scanner.ts";

/** "..." in a pattern: any number of fields. */
type Column = ValueTest | "...";

const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const BARE_VALUE = /[^\s",%&|[\]]+/y;
const FIELD = /\[[^\]]*\]|"(?:[^"\\]|\\.)*"|\S+/g;

export function fieldsPattern(text: string): MessageTest {
  const scanner = new Scanner(text);
  scanner.expect("[");
  const columns = [column(scanner)];
  while (scanner.take(",")) columns.push(column(scanner));
  scanner.expect("]");
  if (!scanner.atEnd) throw scanner.mistake("nothing may follow ']'");
  const ellipsis = columns.indexOf("...");
  if (ellipsis !== columns.lastIndexOf("...")) throw invalidFilterPattern("'...' may occur once");
  return (message) => matches(columns, ellipsis, fieldsOf(message));
}

function column(scanner: Scanner): Column {
  if (scanner.take("...")) return "...";
  const test = conditions(scanner, scanner.match(NAME));
  return test ?? (() => true);
}

/** `w=1 || w=2`, `w!=1 && w!=2`: all about the one column. */
function conditions(scanner: Scanner, name: string | undefined): ValueTest | undefined {
  let test = comparison(scanner, BARE_VALUE);
  if (!test) {
    if (name === undefined) throw scanner.mistake("a field's name expected");
    return undefined;
  }
  for (let joint = scanner.take("&&", "||"); joint; joint = scanner.take("&&", "||")) {
    const again = scanner.match(NAME);
    if (again !== undefined && again !== name) throw scanner.mistake(`'${name}' expected`);
    const [left, right] = [test, comparison(scanner, BARE_VALUE)] as [ValueTest, ValueTest | undefined];
    if (!right) throw scanner.mistake("an operator expected");
    test = joint === "&&" ? (value) => left(value) && right(value) : (value) => left(value) || right(value);
  }
  return test;
}

function fieldsOf(message: string): readonly string[] {
  return (message.match(FIELD) ?? []).map((field) => (/^[["].*[\]"]$/s.test(field) ? field.slice(1, -1) : field));
}

function matches(columns: readonly Column[], ellipsis: number, fields: readonly string[]): boolean {
  if (ellipsis < 0 ? fields.length !== columns.length : fields.length < columns.length - 1) return false;
  return columns.every((test, index) => {
    if (test === "...") return true;
    // What stands behind the ellipsis is counted from the end.
    const field = ellipsis >= 0 && index > ellipsis ? fields.at(index - columns.length) : fields[index];
    return field !== undefined && test(field);
  });
}
