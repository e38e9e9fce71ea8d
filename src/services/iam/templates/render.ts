/**
 * Policy templates: what partners register for temporary delegation, and what role templates make roles of.
 * `@{name}` in a text is replaced; a list's values multiply the text. A statement with `@Enabled` is there only where its
 * parameter is "True", or with `!` before the name where it is not.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation-partner-guide.html
 */

/** The parameters by name. A list stays one where it has a single value. */
export type ParameterValues = ReadonlyMap<string, string | readonly string[]>;

/** A template and its parameters do not go together; the words are AWS's. */
export class RenderError extends Error {
  override readonly name = "RenderError";
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type PolicyTemplate = { readonly [key: string]: Json };

const ENABLED = "@Enabled";
/** More do not go into a policy of 2,048 characters. */
const MAX_TEXTS = 1_000;
const PLACEHOLDER = /@\{([^{}]+)\}/g;

/** The policy as JSON; undefined where no statement is left. Throws RenderError. */
export function renderedPolicy(template: PolicyTemplate, values: ParameterValues): string | undefined {
  const { Statement = [] } = template;
  const statements = (Array.isArray(Statement) ? Statement : [Statement]) as readonly PolicyTemplate[];
  const left = statements.filter((statement) => isEnabled(statement[ENABLED], values));
  if (left.length === 0) return undefined;
  const rendered = left.map(({ [ENABLED]: _, ...statement }) => replaced(statement, values));
  return JSON.stringify({ ...template, Statement: rendered });
}

/** Of a text that cannot be several: a role's name or path. Throws RenderError. */
export function renderedText(pattern: string, values: ParameterValues): string {
  const [text, ...more] = texts(pattern, values);
  if (text === undefined || more.length > 0) throw new RenderError(`${pattern} has more than one value`);
  return text;
}

/** The parameters that the templates mention. */
export function parametersOf(...templates: readonly Json[]): ReadonlySet<string> {
  const text = JSON.stringify(templates);
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
  const conditions = [...text.matchAll(/"@Enabled":"!?([^"]+)"/g)].map(([, name]) => name!);
  return new Set([...names, ...conditions]);
}

/** Throws RenderError for a value that no template asks for. */
export function requireKnown(values: ParameterValues, known: ReadonlySet<string>): void {
  for (const name of values.keys()) if (!known.has(name)) throw new RenderError(`Unrecognized parameter: ${name}`);
}

/** Whatever the case: AWS takes "true" too. */
function isEnabled(condition: Json | undefined, values: ParameterValues): boolean {
  if (typeof condition !== "string") return true;
  const negated = condition.startsWith("!");
  const value = values.get(negated ? condition.slice(1) : condition);
  const isTrue = typeof value === "string" && value.toLowerCase() === "true";
  return isTrue !== negated;
}

function replaced(value: Json, values: ParameterValues): Json {
  if (typeof value === "string") return several(value, values) ? texts(value, values) : texts(value, values)[0]!;
  if (Array.isArray(value)) {
    return (value as readonly Json[]).flatMap((item): readonly Json[] =>
      typeof item === "string" ? texts(item, values) : [replaced(item, values)],
    );
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, values)]));
}

function several(text: string, values: ParameterValues): boolean {
  return [...text.matchAll(PLACEHOLDER)].some(([, name]) => typeof values.get(name!) === "object");
}

/** "StringList parameters create a cross-product of all combinations." */
function texts(pattern: string, values: ParameterValues): readonly string[] {
  let made = [""];
  let end = 0;
  for (const { 0: placeholder, 1: name, index } of pattern.matchAll(PLACEHOLDER)) {
    const value: string | readonly string[] | undefined = values.get(name!);
    if (value === undefined) throw new RenderError(`Parameter '${name}' not found.`);
    const before = pattern.slice(end, index);
    const choices = typeof value === "string" ? [value] : value;
    made = made.flatMap((text) => choices.map((choice) => text + before + choice));
    if (made.length > MAX_TEXTS) throw new RenderError(`${pattern} has more than ${MAX_TEXTS} values`);
    end = index + placeholder.length;
  }
  return made.map((text) => text + pattern.slice(end));
}
