/** The `%…%` of filter patterns. They run on RE2, whose time is linear whatever the user writes. */
import { RE2JS } from "re2js";
import { invalidFilterPattern } from "../errors.ts";
import type { MessageTest } from "./filter-pattern.ts";

/**
 * Letters, digits, the symbols and operators that AWS lists; no parentheses, nothing outside ASCII.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
 */
const ALLOWED = /^[A-Za-z0-9 :_#=@/;,\-^$?[\]{}|\\*+.]*$/;

/** Whether the expression matches anywhere in a text. */
export function regexTest(source: string): MessageTest {
  // Whatever a backslash escapes is allowed: `%10\.10\.0\.1%`.
  if (!ALLOWED.test(source.replace(/\\[!-~]/g, ""))) {
    throw invalidFilterPattern(`the regular expression ${source} has a character that is not supported`);
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    throw invalidFilterPattern(`the regular expression ${source} is not valid: ${(error as Error).message}`);
  }
  return (text) => compiled.test(text);
}
