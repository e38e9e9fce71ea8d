/** Where set-up tells the person at the terminal what it is doing: one line, no newline at its end. */
export type Log = (line: string) => void;

const FIRST_REPORT_AFTER_MS = 2_000;
const NEXT_REPORT_AFTER_MS = 10_000;

/**
 * Runs `work` and logs `what` once it has taken two seconds, again every ten, and at its end with the seconds it took.
 * Quicker work is not mentioned. `work` may name the step it is at; the next report then carries it.
 */
export async function withProgress<T>(
  log: Log,
  what: string,
  work: (atStep: (step: string) => void) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0);
  let step: string | undefined;
  let reported = false;
  const report = () => {
    reported = true;
    log(step === undefined ? `${what} … ${seconds()} s` : `${what} … ${seconds()} s (${step})`);
    timer = setTimeout(report, NEXT_REPORT_AFTER_MS);
  };
  let timer = setTimeout(report, FIRST_REPORT_AFTER_MS);
  try {
    const result = await work((name) => {
      step = name;
    });
    if (reported) log(`${what}: done in ${seconds()} s`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}
