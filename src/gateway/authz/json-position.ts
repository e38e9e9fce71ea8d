/** Where a text stops being JSON, which JSON.parse does not always say. https://www.rfc-editor.org/rfc/rfc8259 */

const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;
const SPACE = /[ \t\n\r]*/y;
const TOKEN = new RegExp(`[{}[\\],:]|${STRING.source}|${NUMBER.source}|true|false|null`, "y");

/** What may come next: "first" is a value or key, or the end of the list or object that has just begun. */
type Expected = "value" | "first" | "key" | "colon" | "after";

/** Of a text that JSON.parse refuses: where the token is that cannot stand there, or the end. */
export function jsonMistakePlace(json: string): string {
  return textPlace(json, mistakeAt(json));
}

/** "line 2 column 5 (position 17)" */
export function textPlace(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  return `line ${line} column ${position - before.lastIndexOf("\n")} (position ${position})`;
}

function mistakeAt(json: string): number {
  const open: string[] = [];
  let expected: Expected | undefined = "value";
  let from = 0;
  for (;;) {
    from += matchAt(SPACE, json, from)!.length;
    const token = matchAt(TOKEN, json, from);
    expected = token === undefined ? undefined : step(expected, open, token);
    if (!expected) return from;
    from += token!.length;
  }
}

function matchAt(sticky: RegExp, text: string, from: number): string | undefined {
  sticky.lastIndex = from;
  return sticky.exec(text)?.[0];
}

/** What is expected after the token; undefined where it cannot stand. */
function step(expected: Expected, open: string[], token: string): Expected | undefined {
  const within = open.at(-1);
  const closing = within && (within === "{" ? "}" : "]");
  if (token === closing && (expected === "after" || expected === "first")) {
    open.pop();
    return "after";
  }
  if (expected === "after") {
    if (token !== "," || !within) return undefined;
    return within === "{" ? "key" : "value";
  }
  if (expected === "colon") return token === ":" ? "value" : undefined;
  if (expected === "key" || (expected === "first" && within === "{"))
    return token.startsWith('"') ? "colon" : undefined;
  if (token === "{" || token === "[") {
    open.push(token);
    return "first";
  }
  return "]},:".includes(token) ? undefined : "after";
}
