/** Reads a filter pattern from left to right. */
import { invalidFilterPattern } from "../errors.ts";

export class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    this.#skipSpace();
    return this.#at >= this.#text.length;
  }

  /** Takes the first of the literals that comes next, after any space. */
  take<const L extends string>(...literals: readonly L[]): L | undefined {
    this.#skipSpace();
    const found = literals.find((literal) => this.#text.startsWith(literal, this.#at));
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  expect(literal: string): void {
    if (this.take(literal) === undefined) throw this.mistake(`'${literal}' expected`);
  }

  /** The text that a sticky expression matches next, after any space. */
  match(expression: RegExp): string | undefined {
    this.#skipSpace();
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text);
    if (!found) return undefined;
    this.#at += found[0].length;
    return found[0];
  }

  /** A word of letters, whatever their case, that ends where the word ends. */
  keyword(word: string): boolean {
    return this.match(new RegExp(`${word}\\b`, "iy")) !== undefined;
  }

  /** The inside of `"…"`, with `\"` and `\\` resolved; undefined where no quotation mark comes next. */
  quoted(): string | undefined {
    const found = this.match(/"(?:[^"\\]|\\.)*"/y);
    if (found === undefined && this.take('"')) throw this.mistake("a quotation mark is not closed");
    return found?.slice(1, -1).replace(/\\(["\\])/g, "$1");
  }

  /** The inside of `%…%`; undefined where no percent sign comes next. */
  regex(): string | undefined {
    const found = this.match(/%(?:[^%\\]|\\.)+%/y);
    if (found === undefined && this.take("%")) throw this.mistake("a regular expression is not closed by '%'");
    return found?.slice(1, -1);
  }

  mistake(what: string): Error {
    return invalidFilterPattern(`${what} at position ${this.#at + 1}`);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}
