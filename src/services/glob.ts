/**
 * Patterns for files in a buildspec and for branches in a pipeline's triggers: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}` and
 * `**` for any depth, as in CodeBuild and CodePipeline; hidden files match like any other. Compiled to RE2, which takes linear time: with a backtracking engine a pattern like
 * `*a*a*a*a*a*ab` would hold up the whole process for minutes.
 */
import { RE2JS } from "re2js";

/** Throws a SyntaxError for brackets or braces that are not closed. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const expression = RE2JS.compile(expressionOf(pattern), RE2JS.DOTALL);
  return (path) => expression.matches(path);
}

export function hasWildcard(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

function expressionOf(pattern: string): string {
  let expression = "";
  let openBraces = 0;
  let rest = pattern;
  const take = (length: number) => {
    rest = rest.slice(length);
  };
  while (rest !== "") {
    const character = rest[0]!;
    const folders = /^(?:\*\*\/)+/.exec(rest);
    const brackets = /^\[([!^]?)((?:\\.|\]?(?:\\.|[^\]\\]))+)\]/s.exec(rest);
    if (folders !== null && (expression === "" || expression.endsWith("/"))) {
      expression += "(?:[^/]*/)*";
      take(folders[0].length);
    } else if (rest === "**") {
      expression += ".*";
      take(2);
    } else if (character === "*") {
      expression += "[^/]*";
      take(/^\*+/.exec(rest)![0].length);
    } else if (character === "?") {
      expression += "[^/]";
      take(1);
    } else if (brackets !== null) {
      expression += `[${brackets[1] === "" ? "" : "^/"}${brackets[2]!.replace(/[[\]&~^]/g, "\\$&")}]`;
      take(brackets[0].length);
    } else if (character === "[") {
      throw new SyntaxError(`[ is not closed in ${pattern}`);
    } else if (character === "{") {
      expression += "(?:";
      openBraces += 1;
      take(1);
    } else if (openBraces > 0 && (character === "," || character === "}")) {
      expression += character === "," ? "|" : ")";
      openBraces -= character === "}" ? 1 : 0;
      take(1);
    } else {
      const escaped = character === "\\" && rest.length > 1;
      expression += RE2JS.quote(escaped ? rest[1]! : character);
      take(escaped ? 2 : 1);
    }
  }
  if (openBraces > 0) {
    throw new SyntaxError(`{ is not closed in ${pattern}`);
  }
  return expression;
}
