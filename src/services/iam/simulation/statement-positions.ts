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
  let start: Position = { Line: 1, Column: 1 };
  const after = positions(json);
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    if (token === ":" && depth === 1) key = JSON.parse(latest) as string;
    latest = token;
    if (token === "{" || token === "[") {
      if (depth === 1 && key === "Statement") {
        level = token === "[" ? 2 : 1;
        start = after(index);
      }
      depth++;
    } else if (token === "}" || token === "]") {
      depth--;
      if (token === "}" && level > 0 && depth === level) {
        const end = after(index);
        spans.push({ start, end });
        start = end;
      }
      if (depth === 1) level = 0;
    }
  }
  return spans;
}

/** Asked for ascending places only, so that the text is gone through once. */
function positions(json: string): (index: number) => Position {
  let line = 1;
  let lineStart = 0;
  return (index) => {
    for (let end = json.indexOf("\n", lineStart); end >= 0 && end < index; end = json.indexOf("\n", lineStart)) {
      line++;
      lineStart = end + 1;
    }
    return { Line: line, Column: index - lineStart + 2 };
  };
}
