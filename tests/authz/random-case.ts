/** Random authorization cases from a seed: the same seed always makes the same cases. */

type Json = string | string[];

/** A statement as it stands in a document. */
export interface RawStatement {
  Effect: "Allow" | "Deny";
  Principal?: "*" | Record<string, string[]>;
  NotPrincipal?: Record<string, string[]>;
  Action?: string[];
  NotAction?: string[];
  Resource?: Json;
  NotResource?: Json;
  Condition?: Record<string, Record<string, string[]>>;
}

export interface RawPolicy {
  Version: "2008-10-17" | "2012-10-17";
  Statement: RawStatement[];
}

export interface RandomCase {
  principal: keyof typeof PRINCIPALS;
  action: string;
  resource: string;
  resourceAccountId: string;
  /** Names in AWS's own case; lists for multivalued keys. */
  context: Record<string, string | string[]>;
  identity: RawPolicy[];
  boundary?: RawPolicy;
  session?: RawPolicy;
  scps?: RawPolicy[][];
  resourcePolicy?: RawPolicy;
  /** Trust and key policies. */
  resourcePolicyRequired: boolean;
}

const HOME = "111122223333";
const OTHER = "444455556666";

/** As the evaluator sees them; `arn` is what the oracle is told. */
export const PRINCIPALS = {
  user: { type: "User", accountId: HOME, arn: `arn:aws:iam::${HOME}:user/alice` },
  session: {
    type: "AssumedRole",
    accountId: HOME,
    arn: `arn:aws:sts::${HOME}:assumed-role/deployer/run`,
    roleArn: `arn:aws:iam::${HOME}:role/deployer`,
  },
  federated: { type: "FederatedUser", accountId: HOME, arn: `arn:aws:sts::${HOME}:federated-user/guest` },
  root: { type: "Root", accountId: HOME, arn: `arn:aws:iam::${HOME}:root` },
  service: { type: "Service", accountId: HOME, arn: "codebuild.amazonaws.com", service: "codebuild.amazonaws.com" },
  anonymous: { type: "Anonymous", accountId: "", arn: "" },
} as const;

interface Target {
  readonly action: string;
  readonly resource: (account: string) => string;
  /** Of the same service, for policies that mean something else. */
  readonly otherActions: readonly string[];
  readonly patterns: (account: string) => readonly string[];
  readonly required?: true;
  readonly weight: number;
}

const TARGETS: readonly Target[] = [
  {
    action: "codebuild:StartBuild",
    resource: (account) => `arn:aws:codebuild:ca-central-1:${account}:project/cruddur`,
    otherActions: ["codebuild:StopBuild", "codebuild:BatchGet*", "s3:*"],
    patterns: (account) => [
      `arn:aws:codebuild:ca-central-1:${account}:project/cruddur`,
      `arn:aws:codebuild:ca-central-1:${account}:project/crud*`,
      `arn:aws:codebuild:*:${account}:project/*`,
      `arn:aws:codebuild:ca-central-?:${account}:project/crudd?r`,
      `arn:aws:codebuild:ca-central-1:${account}:project/\${aws:PrincipalTag/team}`,
      `arn:aws:codebuild:ca-central-1:${account}:project/\${aws:PrincipalTag/team, 'cruddur'}`,
      `arn:aws:codebuild:us-east-1:${account}:project/*`,
      "arn:aws:codebuild:*",
      "arn:aws:codebuild:ca-central-1",
    ],
    weight: 4,
  },
  {
    action: "s3:GetObject",
    resource: () => "arn:aws:s3:::artifacts/alice/out.zip",
    otherActions: ["s3:PutObject", "s3:Get*", "codebuild:*"],
    patterns: () => [
      "arn:aws:s3:::artifacts/alice/out.zip",
      "arn:aws:s3:::artifacts/*",
      "arn:aws:s3:::art*/alice/*.zip",
      "arn:aws:s3:::artifacts/${aws:username}/*",
      "arn:aws:s3:::artifacts/${aws:username, 'alice'}/*",
      "arn:aws:s3:::artifacts/al?ce/out.zip",
      "arn:aws:s3:::Artifacts/*",
      "arn:aws:s3:::other/*",
    ],
    weight: 4,
  },
  {
    action: "kms:Decrypt",
    resource: (account) => `arn:aws:kms:ca-central-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
    otherActions: ["kms:Encrypt", "kms:*"],
    patterns: (account) => [
      `arn:aws:kms:ca-central-1:${account}:key/*`,
      `arn:aws:kms:*:${account}:key/1234abcd-*`,
      `arn:aws:kms:us-east-1:${account}:key/*`,
    ],
    required: true,
    weight: 1,
  },
  {
    action: "codebuild:ListProjects",
    resource: () => "*",
    otherActions: ["codebuild:List*", "codebuild:StartBuild"],
    patterns: () => ["*"],
    weight: 1,
  },
];

/** mulberry32: small, and the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }

  some<T>(items: readonly T[], most = 2): T[] {
    const count = 1 + Math.floor(this.next() * Math.min(most, items.length));
    return [...new Set(Array.from({ length: count }, () => this.pick(items)))];
  }
}

const STRINGS = ["alice", "Alice", "cruddur", "cr*", "?lice", "${aws:username}", "${aws:PrincipalTag/team}", "${*}"];
const TAGS = ["env", "team", "owner", "e*", ""];
const DATES = [
  "2026-03-01T12:00:00Z",
  "2026-03-01",
  "2026",
  "1772366400",
  "2026-03-01T13:00:00+01:00",
  "2025-12-31T23:59:59.5Z",
];
const NUMBERS = ["0", "10", "10.5", "-3", "3600"];
const RANGES = ["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "192.0.2.0/24", "2001:db8::/32", "2001:db8::1"];
const ADDRESSES = ["10.1.2.3", "192.0.2.77", "2001:db8::1", "2001:0db8:0:0:0:0:0:1", "203.0.113.9"];
const ARNS = [
  `arn:aws:iam::${HOME}:user/alice`,
  `arn:aws:iam::${HOME}:role/*`,
  `arn:aws:*::${HOME}:*`,
  `arn:aws:iam::${HOME}:user/\${aws:username}`,
  `arn:aws:iam::${OTHER}:role/deploye?`,
];

interface KeyKind {
  readonly key: string;
  readonly operators: readonly string[];
  readonly policyValues: readonly string[];
  readonly requestValues: readonly string[];
  readonly multivalued?: true;
}

const STRING_OPERATORS = [
  "StringEquals",
  "StringNotEquals",
  "StringEqualsIgnoreCase",
  "StringNotEqualsIgnoreCase",
  "StringLike",
  "StringNotLike",
];
const comparisons = (type: string) =>
  ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map((name) => type + name);

const KEYS: readonly KeyKind[] = [
  { key: "aws:username", operators: STRING_OPERATORS, policyValues: STRINGS, requestValues: ["alice", "bob", "*"] },
  {
    key: "aws:PrincipalTag/team",
    operators: STRING_OPERATORS,
    policyValues: STRINGS,
    requestValues: ["cruddur", "CRUDDUR", "alice"],
  },
  {
    key: "aws:TagKeys",
    operators: STRING_OPERATORS,
    policyValues: TAGS,
    requestValues: ["env", "team", "Team", ""],
    multivalued: true,
  },
  { key: "aws:CurrentTime", operators: comparisons("Date"), policyValues: DATES, requestValues: DATES.slice(0, 1) },
  { key: "aws:TokenIssueTime", operators: comparisons("Date"), policyValues: DATES, requestValues: DATES },
  {
    key: "aws:MultiFactorAuthAge",
    operators: comparisons("Numeric"),
    policyValues: NUMBERS,
    requestValues: ["10", "10.0", "300"],
  },
  {
    key: "aws:SecureTransport",
    operators: ["Bool"],
    policyValues: ["true", "false", "TRUE"],
    requestValues: ["true", "false"],
  },
  { key: "aws:SourceIp", operators: ["IpAddress", "NotIpAddress"], policyValues: RANGES, requestValues: ADDRESSES },
  {
    key: "aws:PrincipalArn",
    operators: ["ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", ...STRING_OPERATORS],
    policyValues: ARNS,
    requestValues: [`arn:aws:iam::${HOME}:user/alice`, `arn:aws:iam::${HOME}:role/deployer`],
  },
];

export function randomCase(random: Random): RandomCase {
  const target = random.pick(TARGETS.flatMap((target) => Array<Target>(target.weight).fill(target)));
  const principal = random.pick([
    ...(["user", "user", "user", "session", "session", "session"] as const),
    ...(["federated", "root", "service", "anonymous"] as const),
  ]);
  const resourceAccountId = random.chance(0.3) ? OTHER : HOME;
  const makes = new PolicyMaker(random, target, resourceAccountId);
  const scps = random.chance(0.5) ? Array.from({ length: random.pick([1, 2, 3]) }, () => makes.level()) : undefined;
  const withResourcePolicy = target.required || random.chance(0.5);
  return {
    principal,
    action: random.chance(0.1) ? target.action.replace(/:./, (text) => text.toLowerCase()) : target.action,
    resource: target.resource(resourceAccountId),
    resourceAccountId,
    context: makes.context(),
    identity: Array.from({ length: random.pick([1, 1, 2]) }, () => makes.policy(0.75)),
    // Boundaries are set on users and roles; a root user has none.
    ...(principal !== "root" && random.chance(0.4) && { boundary: makes.policy(0.85) }),
    ...((principal === "session" || principal === "federated") &&
      random.chance(0.5) && { session: makes.policy(0.85) }),
    ...(scps && { scps }),
    ...(withResourcePolicy && target.resource(HOME) !== "*" && { resourcePolicy: makes.resourcePolicy() }),
    resourcePolicyRequired: target.required ?? false,
  };
}

class PolicyMaker {
  readonly #random: Random;
  readonly #target: Target;
  readonly #account: string;

  constructor(random: Random, target: Target, account: string) {
    this.#random = random;
    this.#target = target;
    this.#account = account;
  }

  context(): RandomCase["context"] {
    const context: RandomCase["context"] = {};
    for (const { key, requestValues, multivalued } of KEYS) {
      if (this.#random.chance(0.3)) continue;
      context[key] = multivalued ? this.#random.some(requestValues, 3) : this.#random.pick(requestValues);
    }
    return context;
  }

  policy(allowing: number): RawPolicy {
    const Statement = [this.#statement("Allow", allowing)];
    if (this.#random.chance(0.5)) Statement.push(this.#statement("Allow", 0.5));
    if (this.#random.chance(0.3)) Statement.push(this.#statement("Deny", 0.3));
    return { Version: this.#random.chance(0.1) ? "2008-10-17" : "2012-10-17", Statement };
  }

  level(): RawPolicy[] {
    const everything: RawPolicy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["*"], Resource: "*" }],
    };
    const policies = this.#random.chance(0.8) ? [everything] : [];
    if (policies.length === 0 || this.#random.chance(0.5)) policies.push(this.policy(0.7));
    return policies;
  }

  resourcePolicy(): RawPolicy {
    const Statement: RawStatement[] = [];
    for (const _ of this.#random.chance(0.5) ? [1] : [1, 2]) {
      Statement.push({ ...this.#statement("Allow", 0.85), Principal: this.#principals() });
    }
    if (this.#random.chance(0.3)) {
      const denial = this.#statement("Deny", 0.5);
      Statement.push(
        this.#random.chance(0.4)
          ? { ...denial, NotPrincipal: { AWS: this.#named() } }
          : { ...denial, Principal: this.#principals() },
      );
    }
    return { Version: "2012-10-17", Statement };
  }

  #principals(): NonNullable<RawStatement["Principal"]> {
    if (this.#random.chance(0.15)) return "*";
    if (this.#random.chance(0.2))
      return { Service: [this.#random.pick(["codebuild.amazonaws.com", "ecs.amazonaws.com"])] };
    return { AWS: this.#named() };
  }

  #named(): string[] {
    return this.#random.some([
      `arn:aws:iam::${HOME}:user/alice`,
      `arn:aws:iam::${HOME}:user/bob`,
      `arn:aws:iam::${HOME}:role/deployer`,
      `arn:aws:sts::${HOME}:assumed-role/deployer/run`,
      `arn:aws:sts::${HOME}:federated-user/guest`,
      `arn:aws:iam::${HOME}:root`,
      OTHER,
    ]);
  }

  /** `matching`: how often action and resource are such that they fit. */
  #statement(Effect: "Allow" | "Deny", matching: number): RawStatement {
    const random = this.#random;
    const statement: RawStatement = { Effect };
    const { action, otherActions } = this.#target;
    const fitting = [action, `${action.slice(0, -3)}*`, `${action.split(":")[0]}:*`, action.toUpperCase()];
    if (random.chance(0.15)) statement.NotAction = random.some([...otherActions, "iam:*"]);
    else statement.Action = random.chance(matching) ? random.some(fitting) : random.some(otherActions);
    const patterns = this.#target.patterns(this.#account);
    if (random.chance(0.12) && patterns[0] !== "*") statement.NotResource = random.some(patterns);
    else statement.Resource = random.chance(matching / 2) ? "*" : random.some(patterns, 3);
    if (random.chance(0.45)) statement.Condition = this.#conditions();
    return statement;
  }

  #conditions(): NonNullable<RawStatement["Condition"]> {
    const conditions: NonNullable<RawStatement["Condition"]> = {};
    for (const kind of this.#random.some(KEYS)) {
      const { key, policyValues, multivalued } = kind;
      if (!multivalued && this.#random.chance(0.1)) {
        conditions.Null = { ...conditions.Null, [key]: [this.#random.pick(["true", "false"])] };
        continue;
      }
      const set = multivalued ? this.#random.pick(["ForAllValues:", "ForAnyValue:"]) : "";
      const operator = `${set}${this.#random.pick(kind.operators)}${this.#random.chance(0.2) ? "IfExists" : ""}`;
      conditions[operator] = { ...conditions[operator], [key]: this.#random.some(policyValues, 3) };
    }
    return conditions;
  }
}
