/**
 * IAM's wildcards: `*` is any number of characters, `?` exactly one. A pattern is a list of UTF-16 code units in which
 * negative numbers stand for the wildcards, so that a literal `*` (from `${*}` or a variable's value) is told apart.
 *
 * Patterns are written by users; they never reach a regular expression engine.
 */
export type Wildcard = readonly number[];

export const ANY_SEQUENCE = -1;
export const ANY_CHARACTER = -2;

const ASTERISK = 0x2a;
const QUESTION_MARK = 0x3f;

/** Every character stands for itself. */
export function toLiteral(text: string): number[] {
  const codes: number[] = [];
  for (let index = 0; index < text.length; index++) codes.push(text.charCodeAt(index));
  return codes;
}

/** `*` and `?` are wildcards. */
export function toWildcard(text: string): number[] {
  return toLiteral(text).map((code) =>
    code === ASTERISK ? ANY_SEQUENCE : code === QUESTION_MARK ? ANY_CHARACTER : code,
  );
}

/**
 * Whether the whole text matches. Two pointers: after a mismatch only the latest `*` takes in one character more, for
 * what the earlier ones took can stay as it is. So at worst length × length steps, and constant memory.
 */
export function matchesWildcard(pattern: Wildcard, text: string): boolean {
  let at = 0;
  let inText = 0;
  let afterStar = -1;
  let takenByStar = 0;
  while (inText < text.length) {
    const code = pattern[at];
    if (code === ANY_SEQUENCE) {
      at += 1;
      afterStar = at;
      takenByStar = inText;
    } else if (code === ANY_CHARACTER || code === text.charCodeAt(inText)) {
      at += 1;
      inText += 1;
    } else if (afterStar >= 0) {
      takenByStar += 1;
      at = afterStar;
      inText = takenByStar;
    } else {
      return false;
    }
  }
  while (pattern[at] === ANY_SEQUENCE) at += 1;
  return at === pattern.length;
}
