/** What a benchmark measures, and how its figures are summed up. */

export type Unit = "µs" | "ms" | "s" | "MB" | "requests/s" | "%" | "x";

export type Goal = { readonly atMost: number } | { readonly atLeast: number };

/** One quantity, once per run. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  /** What the project promises; absent where the figure only explains another. */
  readonly goal?: Goal;
}

export interface Conditions {
  readonly runs: number;
  /** One line of progress. */
  readonly log: (line: string) => void;
}

export interface Measurement {
  /** What `--only` takes. */
  readonly name: string;
  /** How often unless `--runs` says otherwise: fewer where a run takes a minute. */
  readonly runs: number;
  /** Needs a container engine and the base images, which are then prepared first. */
  readonly containers: boolean;
  measure(conditions: Conditions): Promise<readonly Figure[]>;
}

export interface Summary {
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly values: readonly number[];
  readonly goal: Goal | undefined;
  /** undefined without a goal. */
  readonly reached: boolean | undefined;
}

export function summary({ name, unit, values, goal }: Figure): Summary {
  const middle = median(values);
  return {
    name,
    unit,
    median: middle,
    min: Math.min(...values),
    max: Math.max(...values),
    values,
    goal,
    reached: goal && ("atMost" in goal ? middle <= goal.atMost : middle >= goal.atLeast),
  };
}

/** Of an even number of values the mean of the two in the middle. Throws where there are none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("A median needs at least one value");
  const sorted = [...values].sort((left, right) => left - right);
  const upper = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2;
}
