/**
 * Where AWS documents what the oracle does otherwise. Each explanation writes a case anew in words that mean the same by
 * the page named in `differences.json`, and that both understand alike. It explains a disagreement only if the oracle,
 * asked the rewritten case, comes to the verdict that Slipway gave to the original one.
 */
import { PRINCIPALS, type RandomCase, type RawPolicy, type RawStatement } from "./random-case.ts";

type Rewrite = (given: RandomCase) => RandomCase;

export const EXPLANATIONS: Readonly<Record<string, Rewrite>> = {
  "epoch-seconds": withConditionValues((operator, values) => (/Date/.test(operator) ? values.map(asIsoDate) : values)),
  "address-without-prefix": withConditionValues((operator, values) =>
    /IpAddress/.test(operator) ? values.map(withPrefix) : values,
  ),
  "every-ipv4-address": withConditionValues((operator, values) =>
    /IpAddress/.test(operator)
      ? values.flatMap((value) => (value === "0.0.0.0/0" ? ["0.0.0.0/1", "128.0.0.0/1"] : [value]))
      : values,
  ),
  "literal-variables-without-wildcards": (given) =>
    mapPolicies(given, (policy) => (policy.Version === "2008-10-17" ? policy : withoutLiteralVariables(policy))),
  "no-variables-before-2012": (given) =>
    mapPolicies(given, (policy) => {
      if (policy.Version === "2012-10-17") return policy;
      const text = JSON.stringify(policy.Statement).replaceAll("${", "${$}{");
      return { Version: "2012-10-17", Statement: JSON.parse(text) as RawStatement[] };
    }),
  "variable-without-value": (given) => {
    const valueless = (text: string) => (lacksValue(text, given.context) ? NO_SUCH_RESOURCE : text);
    return mapResources(withConditionValues((_, values) => values.map(valueless))(given), valueless);
  },
  "incomplete-arn": (given) => {
    const { scps, resourcePolicy, ...identityBased } = given;
    return {
      ...mapResources(identityBased as RandomCase, completed),
      // Elsewhere a `*` at the end reaches over the colons that are missing; without one it names nothing.
      ...(scps && { scps: mapResources({ ...given, scps }, reachingOrNothing).scps! }),
      ...(resourcePolicy && { resourcePolicy: mapResources(given, reachingOrNothing).resourcePolicy! }),
    };
  },
  "null-data-set": (given) => {
    const isNull = (key: string) => {
      const value = given.context[key];
      return Array.isArray(value) && value.every((text) => text === "");
    };
    const entries = Object.entries(given.context).filter(([key]) => !isNull(key));
    const changed = mapStatements(given, (statement) => {
      if (!statement.Condition) return statement;
      // The key is there, so that IfExists changes nothing; taking the key away must not bring it in.
      const Condition: NonNullable<RawStatement["Condition"]> = {};
      for (const [operator, keys] of Object.entries(statement.Condition)) {
        for (const [key, values] of Object.entries(keys)) {
          const name = isNull(key) ? operator.replace(/IfExists$/, "") : operator;
          Condition[name] = { ...Condition[name], [key]: values };
        }
      }
      return { ...statement, Condition };
    });
    return { ...changed, context: Object.fromEntries(entries) };
  },
  "if-exists-with-set-operator": (given) =>
    mapStatements(given, (statement) => {
      const { Condition, ...rest } = statement;
      const kept: NonNullable<RawStatement["Condition"]> = {};
      for (const [operator, keys] of Object.entries(Condition ?? {})) {
        for (const [key, values] of Object.entries(keys)) {
          const holds = /^For.*IfExists$/.test(operator) && given.context[key] === undefined;
          if (!holds) kept[operator] = { ...kept[operator], [key]: values };
        }
      }
      return Object.keys(kept).length > 0 ? { ...rest, Condition: kept } : rest;
    }),
  "service-principals-have-resource-policies-only": (given) => {
    if (given.principal !== "service" && given.principal !== "anonymous") return given;
    const { scps: _, boundary: __, session: ___, ...rest } = given;
    return { ...rest, identity: [] };
  },
  "root-has-full-access": (given) => {
    if (given.principal !== "root") return given;
    return { ...given, identity: [...given.identity, allowing([{ Action: ["*"], Resource: "*" }])] };
  },
  "federated-users-have-their-session-policy": (given) => {
    if (given.principal !== "federated" || given.session) return given;
    return { ...given, session: allowing([{ Action: ["none:None"], Resource: "arn:aws:none:::none" }]) };
  },
  "session-named-by-resource-policy": (given) => {
    const { session, resourcePolicy } = given;
    const { arn, accountId } = PRINCIPALS[given.principal];
    if (!session || !resourcePolicy || accountId !== given.resourceAccountId) return given;
    const direct = resourcePolicy.Statement.filter(
      ({ Effect, Principal }) =>
        Effect === "Allow" && (Principal === "*" || (Principal?.AWS ?? []).some((name) => name === arn)),
    );
    const granted = direct.map(({ Principal: _, ...statement }) => statement);
    return { ...given, session: { ...session, Statement: [...session.Statement, ...granted] } };
  },
  "not-principal-names-the-account": (given) => {
    if (given.principal === "root") return given;
    return mapStatements(given, ({ NotPrincipal, ...statement }) => {
      if (!NotPrincipal) return statement;
      const AWS = (NotPrincipal.AWS ?? []).filter((name) => !/^\d{12}$|:root$/.test(name));
      return { ...statement, NotPrincipal: { AWS: AWS.length > 0 ? AWS : ["arn:aws:iam::999999999999:user/nobody"] } };
    });
  },
};

/** Every rewriting that changes the case, in turn; with the names of those that did. */
export function rewritten(given: RandomCase): { readonly inOtherWords: RandomCase; readonly names: readonly string[] } {
  const names: string[] = [];
  let inOtherWords = given;
  for (const [name, rewrite] of Object.entries(EXPLANATIONS)) {
    const next = rewrite(inOtherWords);
    if (JSON.stringify(next) !== JSON.stringify(inOtherWords)) names.push(name);
    inOtherWords = next;
  }
  return { inOtherWords, names };
}

function allowing(statements: readonly Omit<RawStatement, "Effect">[]): RawPolicy {
  return {
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...statement }) as RawStatement),
  };
}

function mapPolicies(given: RandomCase, map: (policy: RawPolicy) => RawPolicy): RandomCase {
  return {
    ...given,
    identity: given.identity.map(map),
    ...(given.boundary && { boundary: map(given.boundary) }),
    ...(given.session && { session: map(given.session) }),
    ...(given.scps && { scps: given.scps.map((level) => level.map(map)) }),
    ...(given.resourcePolicy && { resourcePolicy: map(given.resourcePolicy) }),
  };
}

function mapStatements(given: RandomCase, map: (statement: RawStatement) => RawStatement): RandomCase {
  return mapPolicies(given, (policy) => ({ ...policy, Statement: policy.Statement.map(map) }));
}

function mapResources(given: RandomCase, map: (text: string) => string): RandomCase {
  const texts = (value: string | string[]) => (typeof value === "string" ? map(value) : value.map(map));
  return mapStatements(given, (statement) => ({
    ...statement,
    ...(statement.Resource && { Resource: texts(statement.Resource) }),
    ...(statement.NotResource && { NotResource: texts(statement.NotResource) }),
  }));
}

const NO_SUCH_RESOURCE = "arn:aws:none:::no/such-value";

function completed(text: string): string {
  const missing = 6 - text.split(":").length;
  return text.startsWith("arn:") && missing > 0 ? text + ":*".repeat(missing) : text;
}

function reachingOrNothing(text: string): string {
  return completed(text) === text || text.endsWith("*") ? completed(text) : NO_SUCH_RESOURCE;
}

/** Also the request's dates are rewritten: both sides of a comparison must be in one form. */
function withConditionValues(map: (operator: string, values: string[]) => string[]): Rewrite {
  return (given) => {
    const mapped = mapStatements(given, (statement) => {
      if (!statement.Condition) return statement;
      const operators = Object.entries(statement.Condition).map(([operator, keys]) => [
        operator,
        Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, map(operator, values)])),
      ]);
      return { ...statement, Condition: Object.fromEntries(operators) };
    });
    const dates = Object.entries(given.context).map(([key, value]) => [
      key,
      /Time$/.test(key) && typeof value === "string" ? map("Date", [value])[0] : value,
    ]);
    return { ...mapped, context: Object.fromEntries(dates) };
  };
}

/** `${*}` and `${?}` in operators that have no wildcards: the character itself. */
function withoutLiteralVariables(policy: RawPolicy): RawPolicy {
  const exact = /^(?:For\w+:)?String(?:Not)?Equals/;
  return {
    ...policy,
    Statement: policy.Statement.map((statement) => {
      if (!statement.Condition) return statement;
      const text = Object.entries(statement.Condition).map(([operator, keys]) => [
        operator,
        exact.test(operator) ? JSON.parse(JSON.stringify(keys).replaceAll("${*}", "*").replaceAll("${?}", "?")) : keys,
      ]);
      return { ...statement, Condition: Object.fromEntries(text) };
    }),
  };
}

/** A year is a date of NOTE-datetime; more digits are epoch seconds. */
function asIsoDate(text: string): string {
  if (/^\d{4}$/.test(text)) return `${text}-01-01`;
  return /^\d{5,}$/.test(text) ? new Date(Number(text) * 1000).toISOString() : text;
}

function withPrefix(text: string): string {
  if (text.includes("/")) return text;
  return text.includes(":") ? `${text}/128` : `${text}/32`;
}

function lacksValue(text: string, context: RandomCase["context"]): boolean {
  return [...text.matchAll(/\$\{([A-Za-z][^,}]*)(, '[^']*')?\}/g)].some(
    ([, key, fallback]) => fallback === undefined && typeof context[key!] !== "string",
  );
}
