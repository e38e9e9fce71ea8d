/** Values that a simulation is given for context keys. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ContextEntry.html */
import { isIP } from "node:net";
import type * as sdk from "@aws-sdk/client-iam";
import type { RequestContext } from "#gateway/authz/pattern.ts";
import { invalidInput } from "../errors.ts";

const VALID: Readonly<Record<string, (value: string) => boolean>> = {
  string: () => true,
  numeric: (value) => value.trim() !== "" && Number.isFinite(Number(value)),
  boolean: (value) => /^(true|false)$/i.test(value),
  ip: (value) => isIP(value.split("/", 1)[0]!) !== 0,
  binary: (value) => /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  date: (value) => /^\d+(\.\d+)?$/.test(value) || !Number.isNaN(Date.parse(value)),
};

/**
 * Keys in lower case. Throws InvalidInput for a value that is not of its entry's type, for a type of one value with
 * several, and for a key that is given twice.
 */
export function contextOf(entries: readonly sdk.ContextEntry[]): RequestContext {
  const context: Record<string, string | readonly string[]> = {};
  for (const { ContextKeyName, ContextKeyValues = [], ContextKeyType = "string" } of entries) {
    if (ContextKeyName === undefined) throw invalidInput("A context entry must have a name.");
    const key = ContextKeyName.toLowerCase();
    if (Object.hasOwn(context, key)) throw invalidInput(`The context key ${ContextKeyName} is given twice.`);
    const isList = ContextKeyType.endsWith("List");
    const type = isList ? ContextKeyType.slice(0, -"List".length) : ContextKeyType;
    const wrong = ContextKeyValues.find((value) => VALID[type]?.(value) !== true);
    if (wrong !== undefined) {
      throw invalidInput(
        `The value "${wrong}" of the context key ${ContextKeyName} is not of the type ${ContextKeyType}.`,
      );
    }
    if (!isList && ContextKeyValues.length > 1) {
      throw invalidInput(`The context key ${ContextKeyName} of the type ${ContextKeyType} can have only one value.`);
    }
    context[key] = isList ? ContextKeyValues : (ContextKeyValues[0] ?? []);
  }
  return context;
}
