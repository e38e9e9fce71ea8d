/**
 * Lifecycle policies: which images a policy expires. Pure.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
 */
import { invalidParameter } from "./errors.ts";
import { matchesWildcards } from "./model.ts";

export interface LifecycleRule {
  readonly rulePriority: number;
  readonly tagStatus: "tagged" | "untagged" | "any";
  /** With `*` for any text; a prefix is a pattern that ends with it. An image must have a tag for each of them. */
  readonly tagPatterns: readonly string[];
  /** `imageCountMoreThan`: keep the newest so many. `sinceImagePushed`: keep those pushed in the last so many days. */
  readonly countType: "imageCountMoreThan" | "sinceImagePushed";
  readonly countNumber: number;
}

export interface LifecycleImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAt: Date;
  /** Named by a manifest list: "it cannot be expired without the manifest list being deleted first". */
  readonly isListed: boolean;
}

export interface Expiration {
  readonly digest: string;
  readonly rulePriority: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_WILDCARDS = 4;

/**
 * Each image is expired by at most one rule. Rules are applied by priority, and an image that a rule selects by its tags
 * is out of reach of the rules after it, which still count it.
 */
export function expirations(
  rules: readonly LifecycleRule[],
  images: readonly LifecycleImage[],
  now: Date,
): readonly Expiration[] {
  const newestFirst = [...images].sort(
    (a, b) => b.pushedAt.getTime() - a.pushedAt.getTime() || (a.digest < b.digest ? -1 : 1),
  );
  const claimed = new Set<string>();
  const expired: Expiration[] = [];
  for (const rule of [...rules].sort((a, b) => a.rulePriority - b.rulePriority)) {
    const selected = newestFirst.filter((image) => selects(rule, image));
    for (const image of tooMany(rule, selected, now)) {
      if (claimed.has(image.digest) || image.isListed) continue;
      expired.push({ digest: image.digest, rulePriority: rule.rulePriority });
    }
    for (const { digest } of selected) claimed.add(digest);
  }
  return expired;
}

function selects({ tagStatus, tagPatterns }: LifecycleRule, { tags }: LifecycleImage): boolean {
  if (tagStatus === "any") return true;
  if (tagStatus === "untagged") return tags.length === 0;
  return tagPatterns.every((pattern) => tags.some((tag) => matchesWildcards(tag, pattern)));
}

function tooMany(rule: LifecycleRule, newestFirst: readonly LifecycleImage[], now: Date): readonly LifecycleImage[] {
  if (rule.countType === "imageCountMoreThan") return newestFirst.slice(rule.countNumber);
  const oldest = now.getTime() - rule.countNumber * DAY_MS;
  return newestFirst.filter(({ pushedAt }) => pushedAt.getTime() < oldest);
}

type Json = Readonly<Record<string, unknown>>;

/** Throws InvalidParameterException with the JSON schema validator's words, as ECR does. */
export function parsedLifecyclePolicy(text: string): readonly LifecycleRule[] {
  const { rules } = members(parsedJson(text), ["rules"], []);
  if (!Array.isArray(rules))
    throw refused(`instance type (${typeName(rules)}) does not match any allowed primitive type (allowed: ["array"])`);
  if (rules.length === 0)
    throw refused("array is too short: must have at least 1 elements but instance has 0 elements");
  const parsed = rules.map(toRule);
  const priorities = new Set(parsed.map(({ rulePriority }) => rulePriority));
  if (priorities.size < parsed.length) throw refused("rulePriority must be unique among the rules");
  const any = parsed.find(({ tagStatus }) => tagStatus === "any");
  if (any && any.rulePriority < Math.max(...priorities)) {
    throw refused("a rule with tagStatus any must have the highest rulePriority");
  }
  if (parsed.filter(({ tagStatus }) => tagStatus === "untagged").length > 1) {
    throw refused("only one rule can have tagStatus untagged");
  }
  return parsed;
}

function toRule(value: unknown): LifecycleRule {
  const rule = members(value, ["rulePriority", "selection", "action"], ["description"]);
  const { type } = members(rule.action, ["type"], ["targetStorageClass"]);
  if (type === "transition")
    throw refused("the action transition needs the archive storage class, which Slipway does not have");
  oneOf(type, ["expire"]);
  const selection = members(
    rule.selection,
    ["tagStatus", "countType", "countNumber"],
    ["tagPrefixList", "tagPatternList", "countUnit", "storageClass"],
  );
  const tagStatus = oneOf(selection.tagStatus, ["any", "tagged", "untagged"] as const);
  const countType = oneOf(selection.countType, ["imageCountMoreThan", "sinceImagePushed"] as const);
  if (selection.storageClass !== undefined) oneOf(selection.storageClass, ["standard"]);
  // The schema has one shape with a unit and one without.
  if ((countType === "sinceImagePushed") !== (selection.countUnit !== undefined)) {
    throw refused("instance failed to match exactly one schema (matched 0 out of 2)");
  }
  if (selection.countUnit !== undefined) oneOf(selection.countUnit, ["days"]);
  return {
    rulePriority: atLeastOne(rule.rulePriority),
    tagStatus,
    tagPatterns: tagPatterns(tagStatus, selection),
    countType,
    countNumber: atLeastOne(selection.countNumber),
  };
}

function tagPatterns(tagStatus: LifecycleRule["tagStatus"], { tagPrefixList, tagPatternList }: Json): string[] {
  const prefixes = texts(tagPrefixList).map((prefix) => `${prefix}*`);
  const patterns = texts(tagPatternList);
  if (patterns.some((pattern) => pattern.split("*").length > MAX_WILDCARDS + 1)) {
    throw refused(`a tag pattern can have at most ${MAX_WILDCARDS} wildcards (*)`);
  }
  const given = Number(prefixes.length > 0) + Number(patterns.length > 0);
  if (tagStatus === "tagged" && given !== 1) {
    throw refused("exactly one of tagPrefixList and tagPatternList is required when tagStatus is tagged");
  }
  if (tagStatus !== "tagged" && given > 0) {
    throw refused("tagPrefixList and tagPatternList must be omitted unless tagStatus is tagged");
  }
  return [...prefixes, ...patterns];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused("Could not map policyString into LifecyclePolicy.");
  }
}

function members(value: unknown, required: readonly string[], optional: readonly string[]): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refused(`instance type (${typeName(value)}) does not match any allowed primitive type (allowed: ["object"])`);
  }
  const missing = required.filter((name) => !(name in value)).sort();
  if (missing.length > 0) throw refused(`object has missing required properties (${JSON.stringify(missing)})`);
  const unknown = Object.keys(value).filter((name) => !required.includes(name) && !optional.includes(name));
  if (unknown.length > 0) {
    throw refused(
      `object instance has properties which are not allowed by the schema: (${JSON.stringify(unknown.sort())})`,
    );
  }
  return value as Json;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  if (found === undefined) {
    throw refused(
      `instance value (${JSON.stringify(value)}) not found in enum (possible values: ${JSON.stringify(allowed)})`,
    );
  }
  return found;
}

function atLeastOne(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw refused(
      `instance type (${typeName(value)}) does not match any allowed primitive type (allowed: ["integer"])`,
    );
  }
  if (value < 1) throw refused(`numeric instance is lower than the required minimum (minimum: 1, found: ${value})`);
  return value;
}

function texts(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((text) => typeof text === "string" && text !== "")) {
    throw refused(`instance type (${typeName(value)}) does not match any allowed primitive type (allowed: ["array"])`);
  }
  return value as string[];
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

function refused(what: string): Error {
  return invalidParameter("LifecyclePolicyText", `Lifecycle policy validation failure: ${what}`);
}
