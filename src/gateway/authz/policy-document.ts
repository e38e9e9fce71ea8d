/**
 * Policies as users write them, checked when they are put, so that nothing that IAM does not understand is ever evaluated.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { conditionTest } from "./conditions.ts";
import { duplicateKey } from "./json-keys.ts";
import { jsonMistakePlace, textPlace } from "./json-position.ts";
import { textTest } from "./pattern.ts";
import { actionMistake, principalMistake, resourceMistake } from "./policy-values.ts";

/** `session` is passed with AssumeRole, `trust` says who may do so, `resource` hangs on a bucket, repository or key, or is an RCP. */
export type PolicyKind = "identity" | "resource" | "trust" | "session" | "boundary" | "scp";

export const PRINCIPAL_TYPES = ["AWS", "Service", "Federated", "CanonicalUser"] as const;
export type Principals = "*" | Readonly<Record<(typeof PRINCIPAL_TYPES)[number], readonly string[]>>;

export interface Condition {
  /** With its qualifiers: `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** Lists where the grammar allows one value or many. Of an element and its Not form at most one is there. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: "Allow" | "Deny";
  readonly principal: Principals | undefined;
  readonly notPrincipal: Principals | undefined;
  readonly actions: readonly string[] | undefined;
  readonly notActions: readonly string[] | undefined;
  readonly resources: readonly string[] | undefined;
  readonly notResources: readonly string[] | undefined;
  readonly conditions: readonly Condition[];
}

export interface PolicyDocument {
  readonly version: "2008-10-17" | "2012-10-17";
  readonly id: string | undefined;
  readonly kind: PolicyKind;
  readonly statements: readonly Statement[];
}

/** Variables came with this version; in older policies `${` is plain text. */
export function hasVariables({ version }: Pick<PolicyDocument, "version">): boolean {
  return version === "2012-10-17";
}

/** `message` begins with the place: `Statement[0].Action: …`; then AWS's words where it has any. */
export class MalformedPolicyError extends Error {
  override readonly name = "MalformedPolicyError";
}

/** The longest policy document that IAM's API model takes (`policyDocumentType`). Quotas are the operations' matter. */
const MAXIMUM_LENGTH = 131_072;
const SYNTAX = "Syntax errors in policy.";

/** Throws MalformedPolicyError. The nesting is bounded by the grammar: nothing is walked that is not an element of it. */
export function parsePolicy(json: string, kind: PolicyKind): PolicyDocument {
  if (json.length > MAXIMUM_LENGTH)
    throw new MalformedPolicyError(`The policy is longer than ${MAXIMUM_LENGTH} characters`);
  const policy = object(parsedJson(json), "Policy");
  only(policy, ["Version", "Id", "Statement"], "");
  const version = policy.Version ?? "2008-10-17";
  if (version !== "2008-10-17" && version !== "2012-10-17") {
    fail("Version", `${SYNTAX} The version must be 2012-10-17 or 2008-10-17`);
  }
  if (policy.Id !== undefined && typeof policy.Id !== "string") fail("Id", SYNTAX);
  if (policy.Statement === undefined) fail("Statement", `${SYNTAX} Missing required field Statement`);

  const listed = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  if (listed.length === 0) fail("Statement", `${SYNTAX} Missing required field Statement`);
  const statements = listed.map((statement, index) =>
    toStatement(object(statement, `Statement[${index}]`), `Statement[${index}]`, kind, hasVariables({ version })),
  );
  requireUniqueSids(statements);
  return { version, id: policy.Id as string | undefined, kind, statements };
}

function parsedJson(json: string): unknown {
  const parsed = parsePolicyJson(json);
  const duplicate = duplicateKey(json);
  if (duplicate !== undefined) {
    const again = `The key ${shown(duplicate.key)} occurs twice in one object`;
    throw new MalformedPolicyError(`${SYNTAX} ${again}, again at ${textPlace(json, duplicate.position)}`);
  }
  return parsed;
}

/** Throws MalformedPolicyError, which says where the text stops being JSON. */
export function parsePolicyJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new MalformedPolicyError(`This policy contains invalid Json at ${jsonMistakePlace(json)}`);
  }
}

const ELEMENTS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
] as const;
type RawStatement = Readonly<Record<string, unknown>>;

function toStatement(raw: RawStatement, place: string, kind: PolicyKind, variables: boolean): Statement {
  only(raw, ELEMENTS, place);
  for (const element of ["Action", "Resource", "Principal"]) {
    if (raw[element] !== undefined && raw[`Not${element}`] !== undefined) {
      fail(place, `${SYNTAX} Statement/policy already has instance of ${element}`);
    }
  }
  if (raw.Effect === undefined) fail(place, `${SYNTAX} Missing required field Effect`);
  if (raw.Effect !== "Allow" && raw.Effect !== "Deny") {
    fail(`${place}.Effect`, `${SYNTAX} Invalid effect: ${shown(raw.Effect)}`);
  }
  requireElements(raw, place, kind);
  return {
    sid: sid(raw.Sid, place, kind),
    effect: raw.Effect,
    principal: principals(raw.Principal, `${place}.Principal`),
    notPrincipal: principals(raw.NotPrincipal, `${place}.NotPrincipal`),
    actions: checkedTexts(raw.Action, `${place}.Action`, (action) => actionMistake(action, kind)),
    notActions: checkedTexts(raw.NotAction, `${place}.NotAction`, (action) => actionMistake(action, kind)),
    resources: checkedTexts(raw.Resource, `${place}.Resource`, (text) => textMistake(text, variables)),
    notResources: checkedTexts(raw.NotResource, `${place}.NotResource`, (text) => textMistake(text, variables)),
    conditions: conditions(raw.Condition, `${place}.Condition`, variables),
  };
}

/** Which elements a statement must and must not have depends on what the policy hangs on. */
function requireElements(raw: RawStatement, place: string, kind: PolicyKind): void {
  const has = (element: string) => raw[element] !== undefined || raw[`Not${element}`] !== undefined;
  if (!has("Action")) fail(place, "Policy statement must contain actions.");
  const ofResource = kind === "resource" || kind === "trust";
  if (ofResource && !has("Principal")) fail(place, "Missing required field Principal");
  if (!ofResource && has("Principal")) fail(place, "Policy document should not specify a principal.");
  if (kind === "trust" && has("Resource")) fail(place, "Has prohibited field Resource");
  if (kind === "trust" && raw.NotPrincipal !== undefined) fail(place, "Has prohibited field NotPrincipal");
  // Some resource-based policies (ECR's) have no Resource: they hang on the only one they can mean.
  if (!ofResource && !has("Resource")) fail(place, "Policy statement must contain resources.");
}

function sid(value: unknown, place: string, kind: PolicyKind): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (typeof value !== "string") fail(`${place}.Sid`, SYNTAX);
  // Services allow more in the policies of their resources (S3 and KMS take spaces).
  if (kind !== "resource" && !/^[0-9A-Za-z]*$/.test(value)) {
    fail(
      `${place}.Sid`,
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  }
  return value;
}

function requireUniqueSids(statements: readonly Statement[]): void {
  const seen = new Set<string>();
  for (const [index, statement] of statements.entries()) {
    if (statement.sid === undefined) continue;
    if (seen.has(statement.sid)) {
      fail(`Statement[${index}].Sid`, "Statement IDs (SID) in a single policy must be unique.");
    }
    seen.add(statement.sid);
  }
}

function principals(value: unknown, place: string): Principals | undefined {
  if (value === undefined) return undefined;
  if (value === "*") return "*";
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(place, `Invalid principal in policy: ${shown(value)}`);
  }
  const raw = value as RawStatement;
  only(raw, PRINCIPAL_TYPES, place);
  if (Object.keys(raw).length === 0) fail(place, "Missing required field Principal cannot be empty!");
  const named = (type: (typeof PRINCIPAL_TYPES)[number]) =>
    checkedTexts(raw[type], `${place}.${type}`, (text) => principalMistake(type, text)) ?? [];
  return {
    AWS: named("AWS"),
    Service: named("Service"),
    Federated: named("Federated"),
    CanonicalUser: named("CanonicalUser"),
  };
}

function conditions(value: unknown, place: string, variables: boolean): Condition[] {
  if (value === undefined) return [];
  const found: Condition[] = [];
  for (const [operator, keys] of Object.entries(object(value, place))) {
    const asked = Object.entries(object(keys, `${place}.${operator}`));
    const unknown = asked.length === 0 && compileMistake(() => conditionTest(operator, "", [], variables));
    if (unknown) fail(`${place}.${operator}`, unknown);
    for (const [key, raw] of asked) {
      const keyPlace = `${place}.${operator}.${key}`;
      if (!/^[^:\s]+:\S.*$/.test(key)) {
        fail(keyPlace, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
      }
      const values = scalars(raw, keyPlace);
      const wrong = compileMistake(() => conditionTest(operator, key, values, variables));
      if (wrong !== undefined) fail(keyPlace, wrong);
      found.push({ operator, key, values });
    }
  }
  return found;
}

function textMistake(resource: string, variables: boolean): string | undefined {
  return resourceMistake(resource) ?? compileMistake(() => textTest(resource, { variables, wildcards: true }));
}

/** Compiling is the check: whatever passes it can be evaluated. */
function compileMistake(compile: () => unknown): string | undefined {
  try {
    compile();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** One text or a list of them; undefined where the element is not there. */
function checkedTexts(
  value: unknown,
  place: string,
  mistake: (text: string) => string | undefined,
): string[] | undefined {
  if (value === undefined) return undefined;
  const listed: unknown[] = Array.isArray(value) ? value : [value];
  if (listed.length === 0) fail(place, `${SYNTAX} The list is empty`);
  return listed.map((text, index) => {
    const at = listed === value ? `${place}[${index}]` : place;
    if (typeof text !== "string") fail(at, `${SYNTAX} Expected a string, not ${shown(text)}`);
    const wrong = mistake(text);
    if (wrong !== undefined) fail(at, wrong);
    return text;
  });
}

/** The values of a condition: quotation marks are optional for numbers and booleans. */
function scalars(value: unknown, place: string): string[] {
  const listed: unknown[] = Array.isArray(value) ? value : [value];
  if (listed.length === 0) fail(place, `${SYNTAX} The list is empty`);
  return listed.map((scalar, index) => {
    if (typeof scalar !== "string" && typeof scalar !== "number" && typeof scalar !== "boolean") {
      fail(listed === value ? `${place}[${index}]` : place, `${SYNTAX} Expected a string, not ${shown(scalar)}`);
    }
    return String(scalar);
  });
}

function object(value: unknown, place: string): RawStatement {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(place, `${SYNTAX} Expected an object`);
  return value as RawStatement;
}

function only(value: RawStatement, known: readonly string[], place: string): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) fail(place === "" ? key : `${place}.${key}`, `${SYNTAX} Unknown field ${key}`);
  }
}

function fail(place: string, message: string): never {
  throw new MalformedPolicyError(`${clipped(place)}: ${clipped(message)}`);
}

/** What stands there, in a few words whatever its size and depth. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : clipped(JSON.stringify(value));
}

/** What users write goes into messages, and may be as long as a document. */
const MAXIMUM_WORDS = 1000;

function clipped(text: string): string {
  return text.length > MAXIMUM_WORDS ? `${text.slice(0, MAXIMUM_WORDS)}...` : text;
}
