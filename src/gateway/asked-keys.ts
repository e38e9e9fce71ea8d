/**
 * Condition keys that cost something to know (tags are read from the store, a request may be large) are fetched only where
 * a policy asks for them: the evaluator runs on what is known, and again with what it missed.
 */
import type { RequestContext } from "./authz/pattern.ts";
import type { ContextKeys } from "./operation.ts";

export interface KeySource {
  /** Whether the key, in lower case, is one that `read` may give. */
  supplies(key: string): boolean;
  read(): ContextKeys | Promise<ContextKeys>;
}

/** The result of `evaluate` once nothing that it asks for is unread; what a source throws passes through. */
export async function withAskedKeys<T>(
  known: RequestContext,
  sources: readonly KeySource[],
  evaluate: (context: RequestContext) => T,
): Promise<T> {
  let context = known;
  let unread = sources;
  for (;;) {
    const missed = new Set<string>();
    const result = evaluate(noting(context, missed));
    const wanted = unread.filter((source) => [...missed].some((key) => source.supplies(key)));
    if (wanted.length === 0) return result;
    for (const source of wanted) context = { ...context, ...(await source.read()) };
    unread = unread.filter((source) => !wanted.includes(source));
  }
}

/** The context, with a note of every key that is asked for and not in it. */
function noting(context: RequestContext, missed: Set<string>): RequestContext {
  const note = (key: string | symbol) => {
    if (typeof key === "string" && !Object.hasOwn(context, key)) missed.add(key);
  };
  return new Proxy(context, {
    has(target, key) {
      note(key);
      return Object.hasOwn(target, key);
    },
    get(target, key) {
      note(key);
      return Object.hasOwn(target, key) ? target[key as string] : undefined;
    },
    getOwnPropertyDescriptor(target, key) {
      note(key);
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
}
