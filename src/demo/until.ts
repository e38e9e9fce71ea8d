export interface Patience {
  readonly withinMs: number;
  readonly everyMs: number;
}

const PATIENCE: Patience = { withinMs: 30_000, everyMs: 10 };
/** For what containers do. */
export const LONG: Patience = { withinMs: 300_000, everyMs: 100 };

/** Looks again and again until it sees something that holds; throws with the last that it saw when time is over. */
export async function until<T>(
  look: () => T | Promise<T>,
  holds?: BooleanConstructor,
  patience?: Partial<Patience>,
): Promise<NonNullable<T>>;
export async function until<T>(
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  patience?: Partial<Patience>,
): Promise<T>;
export async function until<T>(
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean = Boolean,
  patience: Partial<Patience> = {},
): Promise<T> {
  const { withinMs, everyMs } = { ...PATIENCE, ...patience };
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) {
      throw new Error(`It did not come to what was expected within ${withinMs / 1000} s: ${JSON.stringify(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
