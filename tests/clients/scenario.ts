/** Scenarios for a command-line client: what a person types, one command after another, and what must come back. */
import { readFileSync } from "node:fs";
import type { Json } from "./matching.ts";

export interface Scenario {
  readonly name: string;
  /** Left out where the client is older than this major version or does not know the operation, for the reason given. */
  readonly requires?: {
    readonly version?: number;
    /** `["sts", "get-web-identity-token"]`, with arguments that came later than the operation. */
    readonly operation?: readonly [service: string, operation: string, ...args: string[]];
    readonly because: string;
  };
  /** By the administrator of a Slipway that takes nobody else's key; its account is shared with other such scenarios. */
  readonly strict?: true;
  /** By ARN: what the scenario's account has registered as a partner in temporary delegation. */
  readonly policyTemplates?: Json;
  readonly steps: readonly Step[];
}

/** In every string, `${name}` is a variable: one that an earlier step saved, or one of the runner's. */
export interface Step {
  /** Arguments of the client, without its name; a document stands for its JSON. */
  readonly aws: readonly Json[];
  /** Files in the working folder, which the scenario's steps share, by name; a document stands for its JSON, `{ "$base64": … }` for bytes. */
  readonly files?: Readonly<Record<string, Json>>;
  readonly stdin?: string;
  /** Beside the scenario's own: other credentials, another region. */
  readonly environment?: Readonly<Record<string, string>>;
  /** 0 unless said otherwise; with `error` or `stderr`, anything but 0. */
  readonly status?: number;
  /** Of the JSON that the client printed. */
  readonly output?: Json;
  /** A regular expression found in what the client printed. */
  readonly text?: string;
  /** What the service refused the call with. */
  readonly error?: { readonly code: Json; readonly message: Json };
  /** A regular expression found in what the client printed as its errors. */
  readonly stderr?: string;
  /** Files that the client wrote into the working folder. */
  readonly writes?: Readonly<Record<string, string>>;
  /**
   * The file with the Base32 seed of an MFA device, which the client wrote: saves `code1` to `code6`, the device's codes in
   * a row from half a minute ago on.
   */
  readonly authenticator?: string;
  /** Variables for later steps: a path in the output, or `$` for all the text that was printed. */
  readonly save?: Readonly<Record<string, string>>;
}

export type Variables = Map<string, string>;

export function readScenario(path: string): Scenario {
  const scenario = JSON.parse(readFileSync(path, "utf8")) as Scenario;
  for (const [index, step] of scenario.steps.entries()) {
    for (const name of Object.keys(step)) {
      // A misspelt expectation would hold always.
      if (!STEP_MEMBERS.has(name)) throw new Error(`${path}: step ${index + 1} has an unknown member ${name}`);
    }
  }
  return scenario;
}

const STEP_MEMBERS: ReadonlySet<string> = new Set<keyof Step>([
  "aws",
  "files",
  "stdin",
  "environment",
  "status",
  "output",
  "text",
  "error",
  "stderr",
  "writes",
  "authenticator",
  "save",
]);

/** The same document with its variables filled in; one that nobody saved is a mistake in the scenario. */
export function filledIn<T>(document: T, variables: ReadonlyMap<string, string>): T {
  if (typeof document === "string") {
    return document.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`No step saved \${${name}}`);
      return value;
    }) as T;
  }
  if (Array.isArray(document)) return document.map((element) => filledIn(element, variables)) as T;
  if (typeof document === "object" && document !== null) {
    const entries = Object.entries(document).map(([name, value]) => [name, filledIn(value, variables)]);
    return Object.fromEntries(entries) as T;
  }
  return document;
}
