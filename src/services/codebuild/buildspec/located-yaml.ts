/**
 * YAML whose every value knows its key and line, so that a mistake in a buildspec can be named where it stands. Reads
 * what CodeBuild's own parser reads: one document, unique keys, aliases and merge keys (`<<`).
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import { BuildspecError } from "./buildspec.ts";
import { nearest } from "./nearest.ts";

/** Far above any hand-written buildspec; keeps a hostile file from costing more than it is worth. */
const maximumCharacters = 1024 * 1024;
/** Nodes visited, aliases expanded: stops alias bombs ("billion laughs") and aliases that contain themselves. */
const maximumNodes = 50_000;
/** Characters of a value's place: stops nesting long before the stack does. */
const maximumPathLength = 2_000;

type Entries = Map<string, Located>;

/** Parses the text and returns its root value. Throws BuildspecError on anything that is not one YAML document. */
export function parseLocatedYaml(text: string): Located {
  if (text.length > maximumCharacters) {
    throw new BuildspecError(`The buildspec has ${text.length} characters; the maximum is ${maximumCharacters}`);
  }
  if (text.includes("\0")) {
    throw new BuildspecError(`control characters are not allowed at line ${lineOf(text, text.indexOf("\0"))}`);
  }
  const lines = new LineCounter();
  const document = parsedDocument(text, lines);
  const error = document.errors[0];
  if (error !== undefined) {
    throw new BuildspecError(syntaxMessage(error, lines.linePos(error.pos[0]).line));
  }
  let visited = 0;
  const reader: Reader = {
    line: (node) => (node?.range ? lines.linePos(node.range[0]).line : 1),
    dereference: (node, key) => {
      if (key.length > maximumPathLength) {
        throw new BuildspecError(`the buildspec is nested too deeply (${key.slice(0, 80)}…)`);
      }
      visited += 1;
      if (visited > maximumNodes) {
        throw new BuildspecError(`${key} is too large: the buildspec expands to more than ${maximumNodes} values`);
      }
      if (!isAlias(node)) {
        return node;
      }
      const target = node.resolve(document);
      if (target === undefined) {
        throw new BuildspecError(`unknown anchor '${node.source}' referenced at line ${reader.line(node)}`);
      }
      return target;
    },
  };
  return new Located(reader, document.contents, "buildspec", "buildspec", 1);
}

function parsedDocument(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: "silent" });
  } catch (error) {
    if (error instanceof RangeError) {
      // The YAML parser recurses; a file of nothing but opening brackets ends its stack.
      throw new BuildspecError("the buildspec is nested too deeply");
    }
    throw error;
  }
}

interface Reader {
  line(node: Node | null | undefined): number;
  dereference(node: Node | null, key: string): Node | null;
}

/** One value of the file. `as…` methods return it in the wanted type or throw BuildspecError naming key and line. */
export class Located {
  readonly #reader: Reader;
  readonly #node: Node | null;
  /** The last part of the value's place, as CodeBuild words it in messages: `Commands[0]`. */
  readonly label: string;
  /** The value's place from the root: `phases/build/commands[0]`. */
  readonly path: string;
  readonly line: number;
  readonly keyLine: number;

  constructor(reader: Reader, node: Node | null, label: string, path: string, keyLine: number) {
    this.#reader = reader;
    this.#node = reader.dereference(node, path);
    this.label = label;
    this.path = path;
    this.keyLine = keyLine;
    this.line = node === null ? keyLine : reader.line(node);
  }

  get isNull(): boolean {
    return this.#node === null || (isScalar(this.#node) && this.#node.value === null);
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** CodeBuild's words for a value of the wrong type, with the key's whole place and a hint after them. */
  wrongType(expected: string, hint = ""): BuildspecError {
    return new BuildspecError(
      `Expected ${this.label} to be of ${expected} type: found ${this.#kind()} instead at line ${this.line}, ` +
        `value of the key tag on line ${this.keyLine} might be empty (${this.path})${hint === "" ? "" : `. ${hint}`}`,
    );
  }

  invalid(message: string): BuildspecError {
    return new BuildspecError(`${message} at line ${this.line} (${this.path})`);
  }

  /**
   * Any scalar as the text that stands in the file: `0.2`, `1.10` and `yes` keep their spelling. An empty value is
   * the empty string.
   */
  asString(hint?: string): string {
    const node = this.#node;
    if (this.isNull) {
      return "";
    }
    if (!isScalar(node)) {
      throw this.wrongType("string", hint);
    }
    return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
  }

  /** `yes`/`no` and `true`/`false` in any case, quoted or not. */
  asBoolean(): boolean {
    const text = this.asString().toLowerCase();
    if (["yes", "true", "on"].includes(text)) {
      return true;
    }
    if (["no", "false", "off"].includes(text)) {
      return false;
    }
    throw this.invalid(`Expected ${this.label} to be yes or no: found '${text}' instead`);
  }

  asList(): readonly Located[] {
    const node = this.#node;
    if (!isSeq(node)) {
      throw this.wrongType("string array", `Write each item of '${this.label}' on its own line after '- '`);
    }
    return node.items.map(
      (item, index) =>
        new Located(
          this.#reader,
          item as Node | null,
          `${capitalised(this.label)}[${index}]`,
          `${this.path}[${index}]`,
          this.keyLine,
        ),
    );
  }

  asStrings(hint?: string): readonly string[] {
    return this.asList().map((item) => item.asString(hint));
  }

  /** A mapping's values by key, in the file's order, with merge keys applied. An empty value is an empty mapping. */
  asEntries(): Entries {
    const node = this.#node;
    if (this.isNull) {
      return new Map();
    }
    if (!isMap(node)) {
      throw this.wrongType("mapping");
    }
    const own: Entries = new Map();
    const merged: Entries = new Map();
    for (const { key, value } of node.items) {
      const keyNode = key as Node;
      if (!isScalar(keyNode)) {
        throw new BuildspecError(`Keys must be strings at line ${this.#reader.line(keyNode)} (${this.path})`);
      }
      const name = typeof keyNode.value === "string" ? keyNode.value : (keyNode.source ?? String(keyNode.value));
      const line = this.#reader.line(keyNode);
      const path = this.path === "buildspec" ? name : `${this.path}/${name}`;
      const entry = new Located(this.#reader, value as Node | null, name, path, line);
      if (name === "<<") {
        for (const [mergedName, mergedEntry] of entry.#mergeSources().flatMap((source) => [...source.asEntries()])) {
          if (!merged.has(mergedName)) {
            merged.set(mergedName, mergedEntry);
          }
        }
      } else if (own.has(name)) {
        const first = own.get(name)!.keyLine;
        throw new BuildspecError(
          `mapping key "${name}" already defined at line ${first}, again at line ${line} (${path})`,
        );
      } else {
        own.set(name, entry);
      }
    }
    return new Map([...[...merged].filter(([name]) => !own.has(name)), ...own]);
  }

  /** The entries of a mapping that may hold only these keys. */
  asRecord(allowed: readonly string[]): Entries {
    const entries = this.asEntries();
    for (const [name, entry] of entries) {
      if (!allowed.includes(name)) {
        const suggestion = nearest(name, allowed);
        throw new BuildspecError(
          `Unknown key '${name}' at line ${entry.keyLine} (${entry.path}). ` +
            (suggestion === undefined ? `Expecting: ${allowed.join(", ")}` : `Did you mean '${suggestion}'?`),
        );
      }
    }
    return entries;
  }

  /** A mapping of names to scalars. */
  asStringRecord(): Record<string, string> {
    return Object.fromEntries([...this.asEntries()].map(([name, entry]) => [name, entry.asString()]));
  }

  /** The value as plain data, scalars as their text; for sections that are carried along without being understood. */
  asData(): unknown {
    if (isMap(this.#node)) {
      return Object.fromEntries([...this.asEntries()].map(([name, entry]) => [name, entry.asData()]));
    }
    return isSeq(this.#node) ? this.asList().map((item) => item.asData()) : this.asString();
  }

  #mergeSources(): readonly Located[] {
    return isSeq(this.#node) ? this.asList() : [this];
  }

  #kind(): string {
    if (this.isNull) {
      return "nothing";
    }
    return isMap(this.#node) ? "subkeys" : isSeq(this.#node) ? "a list" : "a string";
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/**
 * CodeBuild reports what libyaml says. Where the parser here finds the same mistake it is given in those words, as seen
 * in build logs; else in its own.
 */
function syntaxMessage(error: YAMLError, line: number): string {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return `found character that cannot start any token at line ${line}: indent with spaces, not with a tab`;
    case "BAD_SCALAR_START":
      return `found character that cannot start any token at line ${line}: ${error.message}`;
    case "BLOCK_AS_IMPLICIT_KEY":
      return `mapping values are not allowed in this context at line ${line}: put the value in quotation marks if ': ' belongs to it`;
    case "BAD_INDENT":
      return /Flow (sequence|map)/.test(error.message)
        ? `did not find expected ',' or '${error.message.includes("sequence") ? "]" : "}"}' at line ${line}`
        : `did not find expected key at line ${line}: ${error.message}`;
    case "MULTIPLE_DOCS":
      return `expected a single document, found another document at line ${line}`;
    default:
      return `${error.message} at line ${line}`;
  }
}
