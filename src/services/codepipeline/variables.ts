/**
 * `#{namespace.variable}` in action configurations.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
 */
import { ActionFailure } from "./actions/action-provider.ts";

/** By namespace: an action's, `variables` for the pipeline's own, `codepipeline`. */
export type Namespaces = Readonly<Record<string, Readonly<Record<string, string>>>>;

const REFERENCE = /#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}/g;

/** Throws ActionFailure for a variable that no namespace has. */
export function resolvedConfiguration(
  configuration: Readonly<Record<string, string>>,
  namespaces: Namespaces,
): Record<string, string> {
  return Object.fromEntries(Object.entries(configuration).map(([key, value]) => [key, resolved(value, namespaces)]));
}

/** In a value that is JSON, values are put into its strings, so that a quote in a commit message does not break it. */
function resolved(value: string, namespaces: Namespaces): string {
  if (!value.includes("#{")) return value;
  const json = /^\s*[[{]/.test(value) ? parsedJson(value) : undefined;
  return json === undefined ? substituted(value, namespaces) : JSON.stringify(resolvedJson(json, namespaces));
}

function resolvedJson(json: unknown, namespaces: Namespaces): unknown {
  if (typeof json === "string") return substituted(json, namespaces);
  if (Array.isArray(json)) return json.map((item) => resolvedJson(item, namespaces));
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, resolvedJson(item, namespaces)]));
}

function substituted(text: string, namespaces: Namespaces): string {
  return text.replaceAll(REFERENCE, (reference, namespace: string, name: string) => {
    const values = Object.hasOwn(namespaces, namespace) ? namespaces[namespace]! : {};
    if (!Object.hasOwn(values, name)) {
      throw new ActionFailure(
        "ConfigurationError",
        `The variable ${reference} in the action's configuration could not be resolved: there is no such output variable of an action that has run`,
      );
    }
    return values[name]!;
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The namespaces that a text refers to. */
export function referencedNamespaces(text: string): string[] {
  return Array.from(text.matchAll(REFERENCE), ([, namespace]) => namespace!);
}
