/** Terms in unstructured events: `ERROR "out of memory" -debug`, `?ERROR ?WARN`, `%regex%`. */
import type { MessageTest } from "./filter-pattern.ts";
import { regexTest } from "./regex.ts";
import { Scanner } from "./scanner.ts";

/** Until the next space; a quotation mark inside a word is part of it. */
const BARE_TERM = /[^\s"%][^\s]*/y;

export function termsPattern(text: string): MessageTest {
  const scanner = new Scanner(text);
  const required: MessageTest[] = [];
  const optional: MessageTest[] = [];
  const excluded: MessageTest[] = [];
  while (!scanner.atEnd) {
    const sign = scanner.take("?", "-");
    const test = term(scanner);
    if (sign === "?") optional.push(test);
    else if (sign === "-") excluded.push(test);
    else required.push(test);
  }
  // "If you combine ? with other terms, the ? terms are ignored."
  const any = required.length === 0 && excluded.length === 0 && optional.length > 0;
  return (message) =>
    required.every((test) => test(message)) &&
    !excluded.some((test) => test(message)) &&
    (!any || optional.some((test) => test(message)));
}

function term(scanner: Scanner): MessageTest {
  const regex = scanner.regex();
  if (regex !== undefined) return regexTest(regex);
  const phrase = scanner.quoted() ?? scanner.match(BARE_TERM);
  if (!phrase) throw scanner.mistake("a term expected");
  return wordsTest(phrase);
}

const WORD_CHARACTER = /[\p{L}\p{N}_]/u;

/**
 * Terms are whole words, compared with case: `AUTHORIZED` does not find UNAUTHORIZED, which is what AWS shows `%…%` for.
 */
function wordsTest(phrase: string): MessageTest {
  const startsWord = WORD_CHARACTER.test(phrase[0]!);
  const endsWord = WORD_CHARACTER.test(phrase.at(-1)!);
  return (message) => {
    for (let at = message.indexOf(phrase); at >= 0; at = message.indexOf(phrase, at + 1)) {
      const before = message[at - 1] ?? " ";
      const behind = message[at + phrase.length] ?? " ";
      const insideWord = (startsWord && WORD_CHARACTER.test(before)) || (endsWord && WORD_CHARACTER.test(behind));
      if (!insideWord) return true;
    }
    return false;
  };
}
