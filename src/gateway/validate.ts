/**
 * Types, required members and modelled constraints of a deserialised input. The SDK's schemas carry neither lengths nor
 * patterns nor enums, and its deserialisers check no types, so both are checked here.
 * Words as AWS's services print them: "1 validation error detected: Value '' at 'names' failed to satisfy constraint:
 * Member must have length greater than or equal to 1".
 */
import type { NormalizedSchema } from "@smithy/core/schema";
import type { StaticStructureSchema } from "@smithy/types";
import { WireError } from "./errors.ts";

/** Constraints of a member; `item` for list members and map values, `key` for map keys. */
export interface Limit {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly item?: Limit;
  readonly key?: Limit;
}
/** By structure, then member. */
export type Limits = Readonly<Record<string, Readonly<Record<string, Limit>>>>;

export interface Violation {
  /** "project.name", "names.1.member", "roleSessionName": AWS prints members in lower camel case whatever the model has. */
  readonly path: string;
  /** undefined where a required member is missing; HIDDEN where the model calls it sensitive. */
  readonly value: unknown;
  /** "have length less than or equal to 100" */
  readonly must: string;
  /** The regular expression where `must` is about one. */
  readonly pattern?: string;
}

/** Stands for what neither an answer nor the audit trail may repeat. */
export const HIDDEN = Symbol("hidden");

/** Inputs nested deeper than this are refused before they can exhaust the stack; AWS's own models stay below 20. */
const MAX_DEPTH = 64;
const MAX_VIOLATIONS = 10;

/** Every violated constraint. Throws SerializationException where a value has the wrong type altogether. */
export function violations(schema: NormalizedSchema, input: unknown, limits: Limits): readonly Violation[] {
  const found: Violation[] = [];
  new Walk(limits, found).visit(schema, input, "", undefined, 0);
  return found;
}

/** AWS's usual sentence for a list of violations. */
export function validationMessage(found: readonly Violation[]): string {
  const sentences = found.map(({ path, value, must }) => {
    return `Value ${shown(value)}at '${path}' failed to satisfy constraint: Member must ${must}`;
  });
  return `${found.length} validation error${found.length === 1 ? "" : "s"} detected: ${sentences.join("; ")}`;
}

/** AWS leaves sensitive values out: "Value at 'password' failed to satisfy constraint". */
function shown(value: unknown): string {
  if (value === HIDDEN) return "";
  const text = value === undefined ? "null" : `'${typeof value === "object" ? JSON.stringify(value) : value}'`;
  return text.length > 512 ? `${text.slice(0, 512)}…' ` : `${text} `;
}

class Walk {
  readonly #limits: Limits;
  readonly #found: Violation[];

  constructor(limits: Limits, found: Violation[]) {
    this.#limits = limits;
    this.#found = found;
  }

  visit(schema: NormalizedSchema, value: unknown, path: string, limit: Limit | undefined, depth: number): void {
    if (depth > MAX_DEPTH) throw new WireError("SerializationException", 400, "The request is nested too deeply");
    const before = this.#found.length;
    this.#visit(schema, value, path, limit, depth);
    if (this.#found.length > before && schema.getMergedTraits().sensitive) {
      for (let index = before; index < this.#found.length; index++) {
        this.#found[index] = { ...this.#found[index]!, value: HIDDEN };
      }
    }
  }

  #visit(schema: NormalizedSchema, value: unknown, path: string, limit: Limit | undefined, depth: number): void {
    if (schema.isStructSchema()) this.#structure(schema, value, path, depth);
    else if (schema.isListSchema()) this.#list(schema, value, path, limit, depth);
    else if (schema.isMapSchema()) this.#map(schema, value, path, limit, depth);
    else if (schema.isStringSchema()) {
      // A lazily parsed JSON-valued string is a String object.
      if (typeof value !== "string" && !(value instanceof String)) throw wrongType(path, "string");
      this.#string(String(value), path, limit);
    } else if (schema.isBooleanSchema()) {
      if (typeof value !== "boolean") throw wrongType(path, "boolean");
    } else if (schema.isNumericSchema()) {
      if (typeof value !== "number" && typeof value !== "bigint") throw wrongType(path, "number");
      if (Number.isNaN(Number(value))) throw wrongType(path, "number");
      if (typeof value === "number" && !Number.isSafeInteger(value) && !isFraction(path, value)) {
        throw wrongType(path, "integer");
      }
      this.#range(Number(value), value, path, limit);
    } else if (schema.isTimestampSchema()) {
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrongType(path, "timestamp");
    } else if (schema.isBlobSchema() && !schema.isStreaming()) {
      if (!(value instanceof Uint8Array)) throw wrongType(path, "blob");
      this.#length(value.length, value, path, limit);
    }
  }

  #structure(schema: NormalizedSchema, value: unknown, path: string, depth: number): void {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(path, "structure");
    const members = value as Record<string, unknown>;
    const structure = schema.getSchema() as StaticStructureSchema;
    const requiredCount = structure[6] ?? 0;
    const table = this.#limits[structure[2]];
    if (schema.isUnionSchema()) {
      const keys = Object.keys(members).filter((key) => members[key] != null);
      if (keys.length !== 1 || keys[0] === "$unknown")
        this.#fail(path, value, "have exactly one member of the union set");
    }
    let index = 0;
    for (const [name, member] of schema.structIterator()) {
      const printed = name.charAt(0).toLowerCase() + name.slice(1);
      const at = path ? `${path}.${printed}` : printed;
      const memberValue = members[name];
      if (memberValue != null) this.visit(member, memberValue, at, table?.[name], depth + 1);
      else if (index < requiredCount && !member.isIdempotencyToken()) this.#fail(at, undefined, "not be null");
      index++;
    }
  }

  #list(schema: NormalizedSchema, value: unknown, path: string, limit: Limit | undefined, depth: number): void {
    if (!Array.isArray(value)) throw wrongType(path, "list");
    this.#length(value.length, value, path, limit);
    const member = schema.getValueSchema();
    for (const [index, item] of value.entries()) {
      const at = `${path}.${index + 1}.member`;
      if (item != null) this.visit(member, item, at, limit?.item, depth + 1);
      else if (!isSparse(schema)) throw wrongType(at, "value");
    }
  }

  #map(schema: NormalizedSchema, value: unknown, path: string, limit: Limit | undefined, depth: number): void {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(path, "map");
    const entries = Object.entries(value);
    this.#length(entries.length, value, path, limit);
    const member = schema.getValueSchema();
    for (const [key, item] of entries) {
      this.#string(key, `${path}.${key}.key`, limit?.key);
      const at = `${path}.${key}.member`;
      if (item != null) this.visit(member, item, at, limit?.item, depth + 1);
      else if (!isSparse(schema)) throw wrongType(at, "value");
    }
  }

  #length(length: number, value: unknown, path: string, limit: Limit | undefined): void {
    if (limit?.min !== undefined && length < limit.min) {
      this.#fail(path, value, `have length greater than or equal to ${limit.min}`);
    }
    if (limit?.max !== undefined && length > limit.max) {
      this.#fail(path, value, `have length less than or equal to ${limit.max}`);
    }
  }

  #range(number: number, value: unknown, path: string, limit: Limit | undefined): void {
    if (limit?.min !== undefined && number < limit.min) {
      this.#fail(path, value, `have value greater than or equal to ${limit.min}`);
    }
    if (limit?.max !== undefined && number > limit.max) {
      this.#fail(path, value, `have value less than or equal to ${limit.max}`);
    }
  }

  #string(value: string, path: string, limit: Limit | undefined): void {
    if (!limit) return;
    this.#length(value.length, value, path, limit);
    if (limit.enum && !limit.enum.includes(value)) {
      this.#fail(path, value, `satisfy enum value set: [${limit.enum.join(", ")}]`);
    }
    if (limit.pattern && !matcher(limit).test(value)) {
      this.#fail(path, value, `satisfy regular expression pattern: ${limit.pattern}`, limit.pattern);
    }
  }

  #fail(path: string, value: unknown, must: string, pattern?: string): void {
    if (this.#found.length < MAX_VIOLATIONS) {
      this.#found.push(pattern === undefined ? { path, value, must } : { path, value, must, pattern });
    }
  }
}

/** Lists and maps whose values may be null say so. https://smithy.io/2.0/spec/type-refinement-traits.html#sparse-trait */
function isSparse(schema: NormalizedSchema): boolean {
  return Boolean((schema.getMergedTraits() as { sparse?: 1 }).sparse);
}

/** Members that the models have as floats or doubles, in lower camel case; the SDK's schemas call every number numeric. */
const FRACTIONS = /(^|\.)(canaryPercent|stepPercent|doubleValue|targetValue|defaultValue)$/;

function isFraction(path: string, value: number): boolean {
  return Number.isFinite(value) && FRACTIONS.test(path);
}

function wrongType(path: string, expected: string): WireError {
  return new WireError("SerializationException", 400, `Expected ${expected} at '${path || "the request's top level"}'`);
}

/**
 * Patterns come from AWS's models, never from users; each is compiled once with the limit it belongs to. The whole value must
 * match: of "(/)|(/[!-~]+/)" the models leave the anchors out, and the value "a/" is refused nevertheless.
 */
const matchers = new WeakMap<Limit, RegExp>();
function matcher(limit: Limit): RegExp {
  let found = matchers.get(limit);
  if (!found) {
    const source = `^(?:${limit.pattern ?? ""})$`;
    try {
      found = new RegExp(source, "su");
    } catch {
      found = new RegExp(source, "s"); // some models escape characters that the u flag refuses
    }
    matchers.set(limit, found);
  }
  return found;
}
