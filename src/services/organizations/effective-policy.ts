/**
 * How management policies (tags, backups, …) of root, OUs and account become the account's effective policy.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_inheritance_mgmt.html
 */
import { MalformedPolicyError, parsePolicyJson } from "#gateway/authz/policy-document.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const OPERATORS = ["@@assign", "@@append", "@@remove"] as const;
type Operator = (typeof OPERATORS)[number];
const ALLOWED_FOR_CHILDREN = "@@operators_allowed_for_child_policies";

/** A policy as it is attached to a root, OU or account. */
export interface AttachedPolicy {
  readonly id: string;
  readonly content: string;
}

/** What policies come to: a setting, or a level of the document with settings below. */
export interface Effective {
  readonly value: Json | undefined;
  readonly children: ReadonlyMap<string, Effective>;
  /** The ids of those that said something here or further down. */
  readonly policies: ReadonlySet<string>;
}

interface Node extends Effective {
  value: Json | undefined;
  /** Who assigned it first on its level: "the policy that was attached first" wins. */
  assignedAt: number | undefined;
  /** Which operators the levels below may use here, and in all that is below here. */
  allowed: ReadonlySet<string>;
  readonly children: Map<string, Node>;
  readonly policies: Set<string>;
}

const ALL: ReadonlySet<string> = new Set(OPERATORS);

/** Throws MalformedPolicyError on what is not a management policy. */
export function parseManagementPolicy(content: string): void {
  const parsed = parsePolicyJson(content);
  if (!isObject(parsed)) throw new MalformedPolicyError("Policy: Expected an object");
  check(parsed, "Policy", 0);
}

/** Deeper than any type's syntax goes; keeps a hostile document from exhausting the stack. */
const MAX_DEPTH = 32;

function check(node: JsonObject, place: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new MalformedPolicyError(`${place}: The policy is nested too deeply`);
  for (const [key, value] of Object.entries(node)) {
    const at = `${place}.${key}`;
    if (key === ALLOWED_FOR_CHILDREN) {
      const known = ["@@all", "@@none", ...OPERATORS];
      if (!Array.isArray(value) || !value.every((name) => known.includes(String(name)))) {
        throw new MalformedPolicyError(`${at}: Expected a list of ${known.join(", ")}`);
      }
    } else if (key.startsWith("@@")) {
      if (!isOperator(key)) throw new MalformedPolicyError(`${at}: There is no operator ${key}`);
      const setting = Array.isArray(value) ? value.every(isScalar) : isScalar(value);
      if (!setting) throw new MalformedPolicyError(`${at}: Expected a value or a list of values`);
      if (key !== "@@assign" && !Array.isArray(value)) {
        throw new MalformedPolicyError(`${at}: This operator takes a list`);
      }
    } else if (isObject(value)) {
      check(value, at, depth + 1);
    } else {
      throw new MalformedPolicyError(`${at}: Expected an object or an operator such as @@assign`);
    }
  }
}

/**
 * `levels`: of the root, each OU on the path and the account, each level's policies in the order in which they were
 * attached. undefined where there are none at all.
 */
export function effectivePolicy(levels: readonly (readonly AttachedPolicy[])[]): Effective | undefined {
  if (levels.every((policies) => policies.length === 0)) return undefined;
  const root = newNode();
  for (const [index, policies] of levels.entries()) {
    const level = policies.map(({ id, content }) => ({ id, document: JSON.parse(content) as JsonObject }));
    for (const { id, document } of level) merge(root, document, ALL, { level: index, id });
    // What a level forbids binds the levels below it, not its own policies.
    for (const { document } of level) restrict(root, document);
  }
  return root;
}

/** The document. */
export function toPolicyContent(effective: Effective): string {
  return JSON.stringify(toJson(effective) ?? {});
}

function newNode(): Node {
  return { value: undefined, assignedAt: undefined, allowed: ALL, children: new Map(), policies: new Set() };
}

interface Merged {
  readonly level: number;
  readonly id: string;
}

/** Whether the document had a say, which levels above may have forbidden. */
function merge(node: Node, document: JsonObject, inherited: ReadonlySet<string>, from: Merged): boolean {
  const allowed = common(inherited, node.allowed);
  let said = false;
  for (const [key, value] of Object.entries(document)) {
    if (isOperator(key)) {
      if (!allowed.has(key)) continue;
      apply(node, key, value, from.level);
      said = true;
    } else if (key !== ALLOWED_FOR_CHILDREN && isObject(value)) {
      const name = existingName(node, key);
      const child = node.children.get(name) ?? newNode();
      node.children.set(name, child);
      said = merge(child, value, allowed, from) || said;
    }
  }
  if (said) node.policies.add(from.id);
  return said;
}

function common(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...a].filter((item) => b.has(item)));
}

/** Keys of settings, such as tag keys, are the same whatever their case. */
function existingName(node: Node, key: string): string {
  for (const name of node.children.keys()) if (name.toLowerCase() === key.toLowerCase()) return name;
  return key;
}

function apply(node: Node, operator: Operator, value: Json, level: number): void {
  if (operator === "@@assign") {
    if (node.assignedAt === level) return; // a policy that was attached earlier has set it
    node.value = value;
    node.assignedAt = level;
    return;
  }
  const present = Array.isArray(node.value) ? node.value : [];
  const given = Array.isArray(value) ? value : [value];
  node.value =
    operator === "@@append"
      ? [...present, ...given.filter((item) => !present.includes(item))]
      : present.filter((item) => !given.includes(item));
}

function restrict(node: Node, document: JsonObject): void {
  const allowed = document[ALLOWED_FOR_CHILDREN];
  if (Array.isArray(allowed) && !allowed.includes("@@all")) {
    node.allowed = common(node.allowed, new Set(allowed.map(String)));
  }
  for (const [key, value] of Object.entries(document)) {
    if (key.startsWith("@@") || !isObject(value)) continue;
    restrict(node.children.get(existingName(node, key))!, value);
  }
}

/** undefined where nothing is set. */
export function toJson(node: Effective): Json | undefined {
  if (node.value !== undefined) return Array.isArray(node.value) && node.value.length === 0 ? undefined : node.value;
  const entries = Array.from(node.children, ([key, child]) => [key, toJson(child)] as const);
  const set = entries.filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : (Object.fromEntries(set) as JsonObject);
}

function isOperator(key: string): key is Operator {
  return (OPERATORS as readonly string[]).includes(key);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: Json): boolean {
  return value === null || typeof value !== "object";
}
