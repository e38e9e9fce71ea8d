/**
 * What the compiled program reports on the container's standard error: one line an event, `<nonce> <json>`. Every text
 * that user code chose travels as hexadecimal digits, so that a line needs no escaping and cannot be broken.
 */
import type { PhaseType } from "./buildspec.ts";

interface Timed {
  /** When it happened, by the container's clock, to the millisecond. */
  readonly time: Date;
}

export interface PhaseStarted extends Timed {
  readonly event: "phase-started";
  readonly phase: PhaseType;
}

export interface PhaseEnded extends Timed {
  readonly event: "phase-ended";
  readonly phase: PhaseType;
  /** STOPPED: by SIGTERM; whether that was StopBuild or a timeout only the sender knows. */
  readonly status: "SUCCEEDED" | "FAILED" | "STOPPED";
  readonly exitStatus: number;
  /** The first command that failed, at most 64 KiB of it; only in a FAILED phase. */
  readonly command: string | undefined;
}

/** Only in privileged mode and with a dockerd in the image. */
export interface DockerStarted extends Timed {
  readonly event: "docker";
  readonly state: "ready" | "failed";
}

/** One of `exported-variables` at the end of the build; one that is not set is not reported. At most 64 KiB. */
export interface ExportedVariable extends Timed {
  readonly event: "exported-variable";
  readonly name: string;
  readonly value: string;
}

/** A text of the artifacts section and what the user's shell made of it: input of `expandedArtifacts`. */
export interface Expanded extends Timed {
  readonly event: "expanded";
  readonly text: string;
  readonly value: string;
}

/** The last event. The program exits right after it. */
export interface BuildEnded extends Timed {
  readonly event: "build-ended";
  readonly status: "SUCCEEDED" | "FAILED" | "STOPPED";
  /** Whether UPLOAD_ARTIFACTS comes next; else FINALIZING. True of some failed builds as well, as on AWS. */
  readonly uploadArtifacts: boolean;
}

export type ControlEvent = PhaseStarted | PhaseEnded | DockerStarted | ExportedVariable | Expanded | BuildEnded;

/**
 * undefined for every line that is not an event of the program with this nonce. The nonce may stand anywhere in the
 * line: what user code writes to the same stream without a newline cannot hide the event after it.
 */
export function parseControlLine(line: string, nonce: string): ControlEvent | undefined {
  const start = line.indexOf(`${nonce} {`);
  if (nonce === "" || start === -1) {
    return undefined;
  }
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line.slice(start + nonce.length + 1));
  } catch {
    // A torn line: the program was killed while it wrote. Not an event.
    return undefined;
  }
  const time = containerTime(String(fields.time));
  switch (fields.event) {
    case "phase-started":
      return { event: "phase-started", time, phase: fields.phase as PhaseType };
    case "phase-ended":
      return {
        event: "phase-ended",
        time,
        phase: fields.phase as PhaseType,
        status: fields.status as PhaseEnded["status"],
        exitStatus: Number(fields.exitStatus),
        command: fields.command === undefined ? undefined : decoded(fields.command),
      };
    case "docker":
      return { event: "docker", time, state: fields.state as DockerStarted["state"] };
    case "exported-variable":
      return { event: "exported-variable", time, name: String(fields.name), value: decoded(fields.value) };
    case "expanded":
      // The here-document that expands the text adds one newline.
      return { event: "expanded", time, text: decoded(fields.text), value: decoded(fields.value).replace(/\n$/, "") };
    case "build-ended":
      return {
        event: "build-ended",
        time,
        status: fields.status as BuildEnded["status"],
        uploadArtifacts: fields.uploadArtifacts === true,
      };
    default:
      return undefined;
  }
}

/** A phase's context as BatchGetBuilds shows it; of a phase that did not fail both are empty. */
export function phaseContext(event: PhaseEnded): { readonly statusCode: string; readonly message: string } {
  if (event.status !== "FAILED") {
    return { statusCode: "", message: "" };
  }
  return {
    statusCode: "COMMAND_EXECUTION_ERROR",
    message: `Error while executing command: ${event.command}. Reason: exit status ${event.exitStatus}`,
  };
}

/** `2023/03/01 10:00:00.123456`, UTC. */
function containerTime(text: string): Date {
  const [date = "", clock = ""] = text.split(" ");
  return new Date(`${date.replaceAll("/", "-")}T${clock.slice(0, 12)}Z`);
}

function decoded(hexadecimal: unknown): string {
  return Buffer.from(String(hexadecimal), "hex").toString("utf8");
}
