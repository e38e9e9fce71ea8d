/** Summaries as a table of plain text. */
import type { Goal, Summary, Unit } from "./measurement.ts";

const HEADINGS = ["figure", "median", "lowest", "highest", "runs", "goal", ""] as const;
/** Digits after the point. */
const DIGITS: Readonly<Record<Unit, number>> = { µs: 2, ms: 0, s: 2, MB: 1, "requests/s": 0, "%": 0, x: 2 };

export function table(summaries: readonly Summary[]): string {
  const rows = [HEADINGS, ...summaries.map(row)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  // The first column holds names, the others numbers.
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return rows.map((cells) => line(cells).trimEnd()).join("\n");
}

function row({ name, unit, median, min, max, values, goal, reached }: Summary): readonly string[] {
  const number = (value: number) => value.toFixed(DIGITS[unit]);
  const verdict = reached === undefined ? "" : reached ? "reached" : "NOT reached";
  return [name, `${number(median)} ${unit}`, number(min), number(max), String(values.length), goalText(goal), verdict];
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return "";
  return "atMost" in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`;
}
