/** Random values that are the same again for the same seed, and the values that break what trusts its input. */
import type { NormalizedSchema } from "@smithy/core/schema";
import type { StaticStructureSchema } from "@smithy/types";
import type { Service } from "#gateway/service.ts";
import type { Limit } from "#gateway/validate.ts";

/** Written into the request as it is: what no value of JavaScript becomes. */
export class Raw {
  readonly json: string;
  readonly text: string;

  constructor(json: string, text = json) {
    this.json = json;
    this.text = text;
  }
}

/** mulberry32 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

export const STRINGS: readonly string[] = [
  "",
  " ",
  "fixture",
  "*",
  "../../etc/passwd",
  "a/b",
  "arn:",
  "arn:aws:iam::111122223333:role/fixture",
  "arn:aws:s3:::x",
  "arn:aws:kms:us-east-1:111122223333:key/",
  "arn:aws:ecs:us-east-1:111122223333:service/a/b/c/d",
  "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/x",
  "alias/",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\ud800",
  "a\u0000b",
  "\ufeff\u202e",
  "ü😀",
  "%",
  "%ZZ",
  "'\"<>&;",
  "{",
  "{}",
  "[]",
  "null",
  '{"Version":"2012-10-17","Statement":{}}',
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}',
  '{"rules":[{}]}',
  "(((((",
  "$.a = *",
  "NaN",
  "-1",
  "0",
  "1e400",
  "9007199254740993",
  "x".repeat(3000),
  "2020-01-01T00:00:00Z",
  "e30=",
  "sha256:",
  `sha256:${"0".repeat(64)}`,
];

export const NUMBERS: readonly unknown[] = [
  0,
  -1,
  1,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  new Raw("9007199254740993"),
  new Raw("1e999", "1e999"),
  new Raw("123456789012345678901234567890"),
];

function nested(depth: number): Raw {
  return new Raw("[".repeat(depth) + "]".repeat(depth), "x");
}

function nestedObjects(depth: number): Raw {
  return new Raw(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`, "x");
}

/** Of every type, also where another is expected. */
export function junk(random: Random): unknown {
  switch (random.below(12)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
    case 3:
      return random.pick(NUMBERS);
    case 4:
      return [];
    case 5:
      return {};
    case 6:
      return [random.pick(STRINGS), random.pick(NUMBERS), null, {}];
    case 7:
      return new Raw(`{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`, "x");
    case 8:
      return random.pick([nested(50), nested(5000), nestedObjects(100), nestedObjects(5000)]);
    case 9:
      return random.pick([new Raw("NaN"), new Raw("Infinity"), new Raw("undefined"), new Raw('"\\u00"', "%u00")]);
    default:
      return random.pick(STRINGS);
  }
}

/** A value of the schema's type: some of its optional members, with strange contents. */
export function strange(service: Service, schema: NormalizedSchema, random: Random, limit?: Limit, depth = 0): unknown {
  if (schema.isStructSchema()) {
    const structure = schema.getSchema() as StaticStructureSchema;
    const made: Record<string, unknown> = {};
    let index = 0;
    for (const [name, member] of schema.structIterator()) {
      const required = index++ < (structure[6] ?? 0);
      if (!required && (depth > 5 || random.chance(0.7))) continue;
      made[name] = strange(service, member, random, service.limits[structure[2]]?.[name], depth + 1);
    }
    return made;
  }
  if (schema.isListSchema()) {
    const length = random.pick([0, 1, 1, 2]);
    return Array.from({ length }, () => strange(service, schema.getValueSchema(), random, limit?.item, depth + 1));
  }
  if (schema.isMapSchema()) {
    const value = () => strange(service, schema.getValueSchema(), random, limit?.item, depth + 1);
    return Object.fromEntries([[random.pick(STRINGS), value()]]);
  }
  if (schema.isBooleanSchema()) return random.chance(0.5);
  if (schema.isNumericSchema()) {
    return random.chance(0.5) ? between(limit?.min ?? 0, limit?.max ?? 10, random) : random.pick(NUMBERS);
  }
  if (schema.isTimestampSchema()) return random.pick([0, 1_700_000_000, -1, 1e15, new Raw("1e999")]);
  if (schema.isBlobSchema()) return random.pick(["", "e30=", "not base64!", "AAAA"]);
  if (limit?.enum && random.chance(0.9)) return random.pick(limit.enum);
  return random.pick(STRINGS);
}

function between(low: number, high: number, random: Random): number {
  return low + random.below(Math.max(1, Math.min(high - low + 1, 1000)));
}

/** The same tree with one of its nodes replaced by `value`. */
export function withOneReplaced(tree: unknown, random: Random, value: () => unknown): unknown {
  if (tree === null || typeof tree !== "object" || tree instanceof Raw || tree instanceof Uint8Array) return value();
  const keys = Object.keys(tree);
  if (keys.length === 0 || random.chance(0.15)) return value();
  const key = random.pick(keys);
  const copy: Record<string, unknown> = Array.isArray(tree) ? ([...tree] as never) : { ...tree };
  copy[key] = withOneReplaced(copy[key], random, value);
  return copy;
}
