/**
 * Which services and actions identity-based policies grant, whatever the resource and the conditions. "Service last
 * accessed data does not use other policy types when determining whether a resource could access a service."
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
 */
import type { Statement } from "#gateway/authz/policy-document.ts";
import { matchesWildcard, toWildcard } from "#gateway/authz/wildcard.ts";
import { readPolicy } from "./policy-checks.ts";

/** Patterns of actions in lower case, by the service's prefix; those for all services under "*". */
type Patterns = ReadonlyMap<string, readonly string[]>;

interface Rule {
  readonly patterns: Patterns;
  /** The patterns are exceptions: of NotAction. */
  readonly inverted: boolean;
}

export class GrantedActions {
  readonly #allow: readonly Rule[];
  /** Denials that nothing limits. */
  readonly #deny: readonly Rule[];

  /** JSON texts. Throws InvalidInput for one that the evaluator does not take. */
  constructor(documents: readonly string[]) {
    const statements = documents.flatMap((document) => [...readPolicy(document, "identity").statements]);
    const rules = (wanted: readonly Statement[]) => wanted.map(toRule);
    this.#allow = rules(statements.filter(({ effect }) => effect === "Allow"));
    this.#deny = rules(statements.filter((statement) => statement.effect === "Deny" && isUnlimited(statement)));
  }

  /** Whether anything of the service is allowed and not denied altogether. */
  grantsService(prefix: string): boolean {
    return this.#allow
      .flatMap((rule) => reach(rule, prefix))
      .some((pattern) => !this.#deny.some((rule) => covers(rule, prefix, pattern)));
  }

  grantsAction(prefix: string, name: string): boolean {
    const action = `${prefix}:${name}`.toLowerCase();
    const applies = (rule: Rule) => covers(rule, prefix, action);
    return this.#allow.some(applies) && !this.#deny.some(applies);
  }
}

function isUnlimited({ conditions, resources }: Statement): boolean {
  return conditions.length === 0 && resources?.includes("*") === true;
}

function toRule({ actions, notActions = [] }: Statement): Rule {
  const patterns = Map.groupBy(
    (actions ?? notActions).map((pattern) => pattern.toLowerCase()),
    (pattern) => pattern.split(":", 1)[0]!,
  );
  return { patterns, inverted: actions === undefined };
}

function patternsFor({ patterns }: Rule, prefix: string): readonly string[] {
  return [...(patterns.get(prefix) ?? []), ...(patterns.get("*") ?? [])];
}

/** What a rule that allows may allow of the service, as patterns. */
function reach(rule: Rule, prefix: string): readonly string[] {
  const everything = `${prefix}:*`;
  if (!rule.inverted) return patternsFor(rule, prefix).map((pattern) => (pattern === "*" ? everything : pattern));
  return patternsFor(rule, prefix).some((pattern) => pattern === "*" || pattern === everything) ? [] : [everything];
}

/** Whether the rule is about all that the text, an action or a pattern of actions, stands for. */
function covers(rule: Rule, prefix: string, text: string): boolean {
  const matches = (pattern: string) => matchesWildcard(toWildcard(pattern), text);
  if (!rule.inverted) return patternsFor(rule, prefix).some(matches);
  const exceptions = patternsFor(rule, prefix);
  return text.includes("*") || text.includes("?") ? exceptions.length === 0 : !exceptions.some(matches);
}
