/** Where a policy's statements are in its text. */

export interface Position {
  /** From 1. */
  readonly Line: number;
  /** Of the character after the one that is meant, from 1. */
  readonly Column: number;
}

export interface Span {
  readonly start: Position;
  readonly end: Position;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * In the order of the statements. The spans are those that AWS's simulator answers: one ends behind its closing brace, and
 * begins behind what comes before it, which is the opening bracket or the statement before; a single statement that is in
 * no list begins behind its own brace. `json` is a policy that was parsed before.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html#API_SimulatePrincipalPolicy_Examples
 */
export function statementSpans(json: string): Span[] {
  const spans: Span[] = [];
  let depth = 0;
  let latest = "";
  let key = "";
  /** How deep the braces of the statements are; 0 outside of the element. */
  let level = 0;
  let begin = 0;
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    if (token === ":" && depth === 1) key = JSON.parse(latest) as string;
    latest = token;
    if (token === "{" || token === "[") {
      if (depth === 1 && key === "Statement") {
        level = token === "[" ? 2 : 1;
        begin = index;
      }
      depth++;
    } else if (token === "}" || token === "]") {
      depth--;
      if (token === "}" && level > 0 && depth === level) {
        spans.push({ start: after(json, begin), end: after(json, index) });
        begin = index;
      }
      if (depth === 1) level = 0;
    }
  }
  return spans;
}

function after(json: string, index: number): Position {
  const before = json.slice(0, index);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { Line: before.split("\n").length, Column: index - lineStart + 2 };
}
