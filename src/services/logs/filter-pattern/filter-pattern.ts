/**
 * CloudWatch Logs' filter patterns.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 *
 *   ERROR "out of memory"      all of the terms
 *   ?ERROR ?WARN               any of the terms
 *   ERROR -EXITING             without the term
 *   %[Ee]rror|[Ff]ail%         a regular expression
 *   { $.code = 5* && $.ms > 9 } members of JSON events
 *   [ip, user, code=4*, bytes]  fields of space-delimited events
 */

import { fieldsPattern } from "./fields-pattern.ts";
import { jsonPattern } from "./json-pattern.ts";
import { termsPattern } from "./terms-pattern.ts";

export type MessageTest = (message: string) => boolean;

/** Compiled once per request. Throws InvalidParameterException on a pattern that does not follow the grammar. */
export function filterPattern(pattern: string): MessageTest {
  const text = pattern.trim();
  if (text === "") return () => true;
  if (text.startsWith("{")) return jsonPattern(text);
  if (text.startsWith("[")) return fieldsPattern(text);
  return termsPattern(text);
}
