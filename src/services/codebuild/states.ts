/**
 * The life of a build, as its API shape shows it. Pure: (build, event) → build. A pair that the diagram lacks throws.
 *
 *   SUBMITTED → QUEUED → PROVISIONING → DOWNLOAD_SOURCE → INSTALL → PRE_BUILD → BUILD → POST_BUILD
 *     → UPLOAD_ARTIFACTS → FINALIZING → COMPLETED
 *
 * A phase is entered, then ended; the next one is entered after that. What a failed phase leads to is decided by who
 * ends it: the program in the container by the buildspec's on-failure, the runner for the phases around it. Until
 * there is a container, a failed phase leads straight to COMPLETED.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html#view-build-details-phases
 */
import type { Build, BuildPhase, BuildPhaseType, PhaseContext, StatusType } from "@aws-sdk/client-codebuild";

export const PHASES = [
  "SUBMITTED",
  "QUEUED",
  "PROVISIONING",
  "DOWNLOAD_SOURCE",
  "INSTALL",
  "PRE_BUILD",
  "BUILD",
  "POST_BUILD",
  "UPLOAD_ARTIFACTS",
  "FINALIZING",
  "COMPLETED",
] as const satisfies readonly BuildPhaseType[];

/** How a phase can end. */
export type PhaseEnd = Exclude<StatusType, "IN_PROGRESS">;

export type BuildEvent =
  /** The phase before it must have ended. */
  | { readonly type: "entered"; readonly phase: BuildPhaseType; readonly at: Date }
  /** `contexts`: why, for a phase that did not succeed. */
  | {
      readonly type: "ended";
      readonly phase: BuildPhaseType;
      readonly status: PhaseEnd;
      readonly at: Date;
      readonly contexts?: readonly PhaseContext[] | undefined;
    }
  /** Nothing more happens to the build. */
  | { readonly type: "completed"; readonly at: Date };

export class BuildStateError extends Error {
  override readonly name = "BuildStateError";
}

/** The state of a build at its submission: SUBMITTED is over at once. */
export function submittedPhases(at: Date): Pick<Build, "currentPhase" | "buildStatus" | "buildComplete" | "phases"> {
  const submitted: BuildPhase = {
    phaseType: "SUBMITTED",
    phaseStatus: "SUCCEEDED",
    startTime: at,
    endTime: at,
    durationInSeconds: 0,
  };
  return {
    currentPhase: "QUEUED",
    buildStatus: "IN_PROGRESS",
    buildComplete: false,
    phases: [submitted, { phaseType: "QUEUED", startTime: at }],
  };
}

export function toNextState(build: Build, event: BuildEvent): Build {
  if (build.buildComplete) throw new BuildStateError(`${event.type} after the build was complete`);
  switch (event.type) {
    case "entered":
      return entered(build, event.phase, event.at);
    case "ended":
      return ended(build, event);
    case "completed":
      return completed(build, event.at);
  }
}

/**
 * What ends a build early: its open phase ends so. Between two phases there is none to show it in but FINALIZING.
 */
export function earlyEnd(
  build: Build,
  status: PhaseEnd,
  at: Date,
  contexts?: readonly PhaseContext[],
): readonly BuildEvent[] {
  const open = openPhase(build)?.phaseType;
  if (open) return [{ type: "ended", phase: open, status, at, contexts }];
  return [
    { type: "entered", phase: "FINALIZING", at },
    { type: "ended", phase: "FINALIZING", status, at, contexts },
  ];
}

/** The phase that has begun and not ended. */
export function openPhase(build: Build): BuildPhase | undefined {
  const last = build.phases?.at(-1);
  return last && last.endTime === undefined && last.phaseType !== "COMPLETED" ? last : undefined;
}

/** Whether the build has come to this phase. */
export function hasReached(build: Build, phase: BuildPhaseType): boolean {
  return order(build.currentPhase as BuildPhaseType) >= order(phase);
}

/** What the build is once it is complete: the first ending of a phase that was not a success. */
export function outcomeOf(phases: readonly BuildPhase[]): PhaseEnd {
  const statuses = phases.map(({ phaseStatus }) => phaseStatus);
  return (statuses.find((status) => status !== undefined && status !== "SUCCEEDED") ?? "SUCCEEDED") as PhaseEnd;
}

function entered(build: Build, phase: BuildPhaseType, at: Date): Build {
  const open = openPhase(build);
  if (open) throw new BuildStateError(`${phase} was entered while ${open.phaseType} had not ended`);
  if (phase === "COMPLETED" || order(phase) <= order(build.currentPhase as BuildPhaseType)) {
    throw new BuildStateError(`${phase} was entered after ${build.currentPhase}`);
  }
  const startTime = later(at, build.phases!.at(-1)!.endTime!);
  return { ...build, currentPhase: phase, phases: [...build.phases!, { phaseType: phase, startTime }] };
}

function ended(build: Build, event: BuildEvent & { type: "ended" }): Build {
  const open = openPhase(build);
  if (open?.phaseType !== event.phase) {
    throw new BuildStateError(`${event.phase} ended, but the open phase is ${open?.phaseType ?? "none"}`);
  }
  const endTime = later(event.at, open.startTime!);
  const over: BuildPhase = {
    ...open,
    phaseStatus: event.status,
    endTime,
    durationInSeconds: Math.floor((endTime.getTime() - open.startTime!.getTime()) / 1000),
    // AWS shows an empty context in phases that ran in the container.
    ...(event.contexts
      ? { contexts: [...event.contexts] }
      : order(event.phase) > order("PROVISIONING") && { contexts: [{ statusCode: "", message: "" }] }),
  };
  return { ...build, phases: [...build.phases!.slice(0, -1), over] };
}

function completed(build: Build, at: Date): Build {
  const open = openPhase(build);
  if (open) throw new BuildStateError(`The build was completed while ${open.phaseType} had not ended`);
  const endTime = later(at, build.phases!.at(-1)!.endTime!);
  return {
    ...build,
    currentPhase: "COMPLETED",
    buildStatus: outcomeOf(build.phases!),
    buildComplete: true,
    endTime,
    phases: [...build.phases!, { phaseType: "COMPLETED", startTime: endTime }],
  };
}

function order(phase: BuildPhaseType): number {
  return PHASES.indexOf(phase as (typeof PHASES)[number]);
}

/** The container's clock and ours may differ by a little; a build's times never run backwards. */
function later(time: Date, than: Date): Date {
  return time < than ? than : time;
}
