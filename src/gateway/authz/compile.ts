/** Policies compiled to tests: once per policy, not once per request. */
import { type ConditionTest, conditionTest } from "./conditions.ts";
import { conditionKeys, resourceKeys } from "./mentioned-keys.ts";
import { type RequestContext, type TextTest, textTest } from "./pattern.ts";
import { hasVariables, type PolicyDocument, type PolicyKind, type Statement } from "./policy-document.ts";
import {
  type Grant,
  notPrincipalMatcher,
  type PrincipalMatcher,
  type PrincipalView,
  principalMatcher,
  stronger,
} from "./principals.ts";

/** An AuthorizationRequest in the form in which statements are tested. */
export interface StatementRequest {
  /** Lower case: action names are compared without regard to case. */
  readonly action: string;
  readonly resource: string;
  readonly principal: PrincipalView;
  readonly context: RequestContext;
  /** Whether the principal has a permissions boundary: NotPrincipal with Deny then denies it in any case. */
  readonly bounded: boolean;
}

interface CompiledStatement {
  readonly applies: (request: StatementRequest) => boolean;
  /** Whether it is about action and resource, as far as that can be said before the variables of its resources are known. */
  readonly mayBeAbout: (request: StatementRequest) => boolean;
  /** Of conditions and variables, in lower case. */
  readonly keys: readonly string[];
  /** undefined in policies that belong to the principal itself. */
  readonly principals: PrincipalMatcher | undefined;
  readonly notPrincipal: boolean;
  /** As it was written, to explain a denial with. */
  readonly source: Statement;
}

export class CompiledPolicy {
  /** Of a managed policy or one of Organizations; the others have none. */
  readonly arn: string | undefined;
  readonly #allow: readonly CompiledStatement[];
  readonly #deny: readonly CompiledStatement[];
  readonly #withKeys: readonly CompiledStatement[];

  constructor(statements: readonly CompiledStatement[], arn: string | undefined) {
    this.arn = arn;
    this.#allow = statements.filter(({ source }) => source.effect === "Allow");
    this.#deny = statements.filter(({ source }) => source.effect === "Deny");
    this.#withKeys = statements.filter(({ keys }) => keys.length > 0);
  }

  /** Keys that the context does not have, and on which it may hang whether a statement applies to the request. */
  missingKeys(request: StatementRequest): string[] {
    const isMissing = (key: string) => !Object.hasOwn(request.context, key);
    return this.#withKeys
      .filter(({ keys, mayBeAbout }) => keys.some(isMissing) && mayBeAbout(request))
      .flatMap(({ keys }) => keys.filter(isMissing));
  }

  /** Whether a Deny statement applies to the request. */
  denies(request: StatementRequest): boolean {
    return this.#deny.some((statement) => deniedBy(statement, request));
  }

  /** The Deny statements that apply to the request. */
  denying(request: StatementRequest): Statement[] {
    return this.#deny.filter((statement) => deniedBy(statement, request)).map(({ source }) => source);
  }

  /** The strongest grant of all Allow statements that apply. Without a Principal element: `direct`. */
  grant(request: StatementRequest): Grant {
    let grant: Grant = "none";
    for (const { applies, principals } of this.#allow) {
      if (grant === "direct") break;
      if (applies(request))
        grant = stronger(grant, principals === undefined ? "direct" : principals(request.principal));
    }
    return grant;
  }

  /** For policies without Principal elements. */
  allows(request: StatementRequest): boolean {
    return this.grant(request) !== "none";
  }
}

function deniedBy(statement: CompiledStatement, request: StatementRequest): boolean {
  if (!statement.applies(request)) return false;
  if (statement.principals === undefined || (statement.notPrincipal && request.bounded)) return true;
  return statement.principals(request.principal) !== "none";
}

/** `arn`: the policy's own, where it has one. Throws Error on a document that did not come from `parsePolicy`. */
export function compilePolicy(document: PolicyDocument, arn?: string): CompiledPolicy {
  const variables = hasVariables(document);
  const completes = IDENTITY_BASED.has(document.kind);
  const statements = document.statements.map((statement) => compileStatement(statement, variables, completes));
  return new CompiledPolicy(statements, arn);
}

function compileStatement(statement: Statement, variables: boolean, completes: boolean): CompiledStatement {
  const { actions, notActions, resources, notResources, principal, notPrincipal } = statement;
  const action = listTest(actions, notActions, actionTest);
  const resource = listTest(resources, notResources, (pattern) => resourceTest(pattern, variables, completes));
  const conditions = statement.conditions.map(({ operator, key, values }) =>
    conditionTest(operator, key, values, variables),
  );
  const ofResource = resourceKeys(statement, variables);
  const ofConditions = statement.conditions.flatMap((condition) => conditionKeys(condition, variables));
  return {
    applies: (request) =>
      action(request.action, request.context) &&
      resource(request.resource, request.context) &&
      all(conditions, request.context),
    mayBeAbout(request) {
      try {
        if (!action(request.action, request.context)) return false;
        return ofResource.length > 0 || resource(request.resource, request.context);
      } catch {
        return true; // what fails here fails in `applies` too, where it makes a denial
      }
    },
    keys: [...ofResource, ...ofConditions].map((key) => key.toLowerCase()),
    principals: principal ? principalMatcher(principal) : notPrincipal ? notPrincipalMatcher(notPrincipal) : undefined,
    notPrincipal: notPrincipal !== undefined,
    source: statement,
  };
}

/** An element or its Not form; where a statement has neither, everything matches (trust policies have no Resource). */
function listTest(
  patterns: readonly string[] | undefined,
  notPatterns: readonly string[] | undefined,
  compile: (pattern: string) => TextTest,
): TextTest {
  const tests = (patterns ?? notPatterns ?? []).map(compile);
  if (patterns !== undefined) return (text, context) => tests.some((test) => test(text, context));
  if (notPatterns !== undefined) return (text, context) => !tests.some((test) => test(text, context));
  return () => true;
}

/** Requests come with the action in lower case, so the pattern is lowered once instead of ignoring case every time. */
function actionTest(pattern: string): TextTest {
  return textTest(pattern.toLowerCase(), { variables: false, wildcards: true });
}

/** In the form of identity-based policies, whose incomplete ARNs are completed. */
const IDENTITY_BASED: ReadonlySet<PolicyKind> = new Set(["identity", "boundary", "session"]);

/**
 * "When you specify an incomplete ARN (one with fewer than the standard six fields) in an identity-based policy, AWS
 * automatically completes the ARN by adding wildcard characters (*) to all missing fields." In all policies a `*` at the end
 * of a field reaches over colons.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function resourceTest(pattern: string, variables: boolean, completes: boolean): TextTest {
  if (pattern === "*") return () => true;
  // The colon of a variable parts no fields.
  const fields = variables ? pattern.replaceAll(/\$\{[^}]*\}/g, "") : pattern;
  const missing = completes ? 6 - fields.split(":").length : 0;
  return textTest(missing > 0 ? pattern + ":*".repeat(missing) : pattern, { variables, wildcards: true });
}

function all(conditions: readonly ConditionTest[], context: RequestContext): boolean {
  for (const condition of conditions) if (!condition(context)) return false;
  return true;
}
