/**
 * What was loaded about identities, so that authenticating and authorizing need no database. Bounded; emptied per account
 * when its identities change, and an entry is loaded anew after a while in case word of a change was lost on the way.
 */
interface Entry<V> {
  readonly accountId: string;
  readonly value: V;
  /** Of the monotonic clock, milliseconds. */
  readonly until: number;
}

const MAX_ENTRIES = 10_000;
/** How long a revoked key or policy can outlive a lost notification. AWS's own IAM is eventually consistent too. */
const MAX_AGE_MS = 10_000;

export class IdentityCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  /** Counts `forget`: what was read before one must not be stored after it. */
  #generation = 0;

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.until > performance.now() ? entry.value : undefined;
  }

  /** What `load` answers is kept unless the account's identities changed meanwhile; undefined is never kept. */
  async load(key: string, accountOf: (value: V) => string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const generation = this.#generation;
    const value = await load();
    if (value !== undefined && generation === this.#generation) this.keep(key, accountOf(value), value);
    return value;
  }

  keep(key: string, accountId: string, value: V): V {
    this.#entries.delete(key); // so that it counts as the youngest
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { accountId, value, until: performance.now() + MAX_AGE_MS });
    return value;
  }

  forget(accountId: string): void {
    this.#generation++;
    for (const [key, entry] of this.#entries) if (entry.accountId === accountId) this.#entries.delete(key);
  }

  clear(): void {
    this.#generation++;
    this.#entries.clear();
  }
}
