/**
 * Inputs of any operation from its schema: what the fixture has samples for, and for the rest whatever satisfies the
 * model's constraints. A new operation needs nothing here unless it names things in a new way.
 */
import type { NormalizedSchema } from "@smithy/core/schema";
import type { StaticStructureSchema } from "@smithy/types";
import type { OperationModel, Service } from "#gateway/service.ts";
import { type Limit, violations } from "#gateway/validate.ts";
import { ALWAYS, type Samples } from "./fixture/account.ts";

export interface Inputs {
  /** The required members alone, each optional member that names something beside them, and each further sample. */
  readonly variants: readonly Record<string, unknown>[];
  /** Why the operation cannot be called: what the samples lack. Empty where nothing is missing. */
  readonly missing: readonly string[];
}

/** Members that name something of somebody's: a required one without a sample is an error. */
const NAMES_SOMETHING = /(name|names|id|ids|arn|arns|identifiers?|url|token|digests?|alias|bucket|key|path)$/i;
/** Texts of the forms that the models' patterns ask for. */
const TEXTS = [
  "fixture",
  "fixture-text-of-some-length-0123456789",
  "1",
  "111122223333",
  "/",
  "a@example.com",
  "https://example.com",
  "arn:aws:iam::111122223333:role/fixture",
  "123456",
  "{}",
  "12345678-1234-1234-1234-123456789012",
];

export function inputsOf(service: Service, model: OperationModel, samples: Samples): Inputs {
  if (model.input.isUnitSchema()) return { variants: [{}], missing: [] };
  const filler = new Filler(service, model, samples);
  const structure = model.input.getSchema() as StaticStructureSchema;
  const requiredCount = structure[6] ?? 0;
  const base: Record<string, unknown> = {};
  const alternatives: [name: string, value: unknown][] = [];
  let index = 0;
  for (const [name, member] of model.input.structIterator()) {
    const found = filler.samplesOf(name);
    const required = index++ < requiredCount;
    if (found === undefined) {
      if (!required) continue;
      if (NAMES_SOMETHING.test(name) && isText(member)) filler.missing.push(`a sample for ${name}`);
      base[name] = filler.fill(member, structure[2], name, 0);
    } else {
      const [first, ...others] = found;
      const given =
        required || ALWAYS.has(`${service.name}.${name}`) || ALWAYS.has(`${service.name}.${model.name}.${name}`);
      if (given) base[name] = first;
      for (const value of given ? others : found) alternatives.push([name, value]);
    }
  }
  const variants = [base, ...alternatives.map(([name, value]) => ({ ...base, [name]: value }))];
  for (const { path, must } of violations(model.input, base, service.limits)) {
    filler.missing.push(`a sample for ${path}, which must ${must}`);
  }
  return { variants, missing: filler.missing };
}

function isText(schema: NormalizedSchema): boolean {
  return schema.isStringSchema() || (schema.isListSchema() && schema.getValueSchema().isStringSchema());
}

class Filler {
  readonly missing: string[] = [];
  readonly #service: Service;
  readonly #model: OperationModel;
  readonly #samples: Samples;

  constructor(service: Service, model: OperationModel, samples: Samples) {
    this.#service = service;
    this.#model = model;
    this.#samples = samples;
  }

  /** "kms.CreateAlias.AliasName" before "kms.AliasName" before "AliasName". */
  samplesOf(member: string): readonly unknown[] | undefined {
    const service = this.#service.name;
    for (const key of [`${service}.${this.#model.name}.${member}`, `${service}.${member}`, member]) {
      if (Object.hasOwn(this.#samples, key)) return this.#samples[key];
    }
    return undefined;
  }

  fill(schema: NormalizedSchema, shape: string, member: string, depth: number): unknown {
    return this.#value(schema, this.#service.limits[shape]?.[member], depth);
  }

  #value(schema: NormalizedSchema, limit: Limit | undefined, depth: number): unknown {
    if (schema.isStructSchema()) return this.#structure(schema, depth);
    if (schema.isListSchema()) return [this.#value(schema.getValueSchema(), limit?.item, depth + 1)];
    if (schema.isMapSchema()) {
      return { [text(limit?.key)]: this.#value(schema.getValueSchema(), limit?.item, depth + 1) };
    }
    if (schema.isStringSchema()) return text(limit);
    if (schema.isBooleanSchema()) return true;
    if (schema.isNumericSchema()) return limit?.min ?? 1;
    if (schema.isTimestampSchema()) return new Date(1_700_000_000_000);
    if (schema.isBlobSchema()) return Buffer.from("blob");
    return {};
  }

  #structure(schema: NormalizedSchema, depth: number): Record<string, unknown> {
    const structure = schema.getSchema() as StaticStructureSchema;
    const requiredCount = schema.isUnionSchema() ? 1 : (structure[6] ?? 0);
    const filled: Record<string, unknown> = {};
    let index = 0;
    for (const [name, member] of schema.structIterator()) {
      if (index++ >= requiredCount || depth > 8) break;
      filled[name] = this.samplesOf(name)?.[0] ?? this.fill(member, structure[2], name, depth + 1);
    }
    return filled;
  }
}

function text(limit: Limit | undefined): string {
  if (limit?.enum) return limit.enum[0]!;
  const fits = (candidate: string) =>
    candidate.length >= (limit?.min ?? 0) &&
    candidate.length <= (limit?.max ?? Number.POSITIVE_INFINITY) &&
    (limit?.pattern === undefined || new RegExp(limit.pattern, "u").test(candidate));
  return TEXTS.find(fits) ?? "fixture";
}

/** The first account's own input with one member after the other taken from the second account's samples. */
export function mixedInputs(service: Service, model: OperationModel, own: Samples, others: Samples) {
  const [base] = inputsOf(service, model, own).variants;
  const theirs = inputsOf(service, model, others).variants;
  const mixed: Record<string, unknown>[] = [];
  for (const variant of theirs) {
    for (const [name, value] of Object.entries(variant)) {
      if (JSON.stringify(value) === JSON.stringify(base![name])) continue;
      const input = { ...base, [name]: value };
      if (!mixed.some((known) => JSON.stringify(known) === JSON.stringify(input))) mixed.push(input);
    }
  }
  return mixed;
}
