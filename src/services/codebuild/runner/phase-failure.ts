/** The user's build failed at what the runner does around the container: a state of the build, not a fault of ours. */
import type { PhaseContext } from "@aws-sdk/client-codebuild";

export class PhaseFailure extends Error {
  override readonly name = "PhaseFailure";
  readonly context: PhaseContext;
  /** The agent's lines until then, without time. */
  readonly lines: readonly string[];

  constructor(statusCode: string, message: string, lines: readonly string[] = []) {
    super(message);
    this.context = { statusCode, message };
    this.lines = lines;
  }
}

/** Whether the called service refused, as opposed to having failed. */
export function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if ("$fault" in error) return error.$fault === "client";
  return "status" in error && typeof error.status === "number" && error.status < 500;
}

/** As CodeBuild's agent prints the refusal of another service. */
export function refusalText(error: Error): string {
  return `${error.name}: ${error.message}`;
}
