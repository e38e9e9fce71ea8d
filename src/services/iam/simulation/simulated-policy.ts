/** A policy that is simulated: what the evaluator needs of it, and what the simulator tells about it. */
import type * as sdk from "@aws-sdk/client-iam";
import { type CompiledPolicy, compilePolicy, type StatementRequest } from "#gateway/authz/compile.ts";
import { conditionKeys, resourceKeys } from "#gateway/authz/mentioned-keys.ts";
import { hasVariables, type PolicyDocument, type Statement } from "#gateway/authz/policy-document.ts";
import { readPolicy } from "../policy-checks.ts";
import { type Span, statementSpans } from "./statement-positions.ts";

/** AWS answers these texts, which are not among the values that its model lists. */
export type SourceType = "IAM Policy" | "Resource Policy";

interface SimulatedStatement {
  readonly effect: Statement["effect"];
  readonly span: Span;
  readonly compiled: CompiledPolicy;
  /** Whatever resource and conditions are. */
  readonly action: CompiledPolicy;
  /** Whatever the conditions are. */
  readonly unconditional: CompiledPolicy;
  readonly resourceKeys: readonly string[];
  readonly conditionKeys: readonly string[];
}

export class SimulatedPolicy {
  readonly compiled: CompiledPolicy;
  readonly #id: string;
  readonly #type: SourceType;
  readonly #statements: readonly SimulatedStatement[];

  /** Throws InvalidInput for a malformed document. */
  constructor(id: string, type: SourceType, json: string) {
    const document = readPolicy(json, type === "Resource Policy" ? "resource" : "identity");
    const spans = statementSpans(json);
    this.#id = id;
    this.#type = type;
    this.compiled = compilePolicy(document);
    this.#statements = document.statements.map((statement, index) => toStatement(document, statement, spans[index]!));
  }

  /**
   * The statements of one effect that apply. Within an account (`crossAccount` is false) a statement that names the account
   * as its principal leaves the decision to identity-based policies, and so decides nothing.
   */
  matched(effect: Statement["effect"], request: StatementRequest, crossAccount: boolean): sdk.Statement[] {
    const decides = (policy: CompiledPolicy) => crossAccount || policy.grant(request) !== "account";
    return this.#statements
      .filter((statement) => statement.effect === effect && applies(statement.compiled, effect, request))
      .filter(({ compiled }) => effect === "Deny" || decides(compiled))
      .map(({ span }) => ({
        SourcePolicyId: this.#id,
        SourcePolicyType: this.#type as sdk.PolicySourceType,
        StartPosition: span.start,
        EndPosition: span.end,
      }));
  }

  /** Keys without a value that decide whether statements about the action, and the resource, apply. */
  missingKeys(request: StatementRequest): string[] {
    const missing = (keys: readonly string[]) =>
      keys.filter((key) => !Object.hasOwn(request.context, key.toLowerCase()));
    return this.#statements.flatMap(({ effect, action, unconditional, ...keys }) => [
      ...(applies(action, effect, request) ? missing(keys.resourceKeys) : []),
      ...(applies(unconditional, effect, request) ? missing(keys.conditionKeys) : []),
    ]);
  }
}

function applies(policy: CompiledPolicy, effect: Statement["effect"], request: StatementRequest): boolean {
  return effect === "Deny" ? policy.denies(request) : policy.allows(request);
}

function toStatement(document: PolicyDocument, statement: Statement, span: Span): SimulatedStatement {
  const variables = hasVariables(document);
  const alone = (changes: Partial<Statement>) =>
    compilePolicy({ ...document, statements: [{ ...statement, ...changes }] });
  return {
    effect: statement.effect,
    span,
    compiled: alone({}),
    action: alone({ resources: undefined, notResources: undefined, conditions: [] }),
    unconditional: alone({ conditions: [] }),
    resourceKeys: resourceKeys(statement, variables),
    conditionKeys: statement.conditions.flatMap((condition) => conditionKeys(condition, variables)),
  };
}
