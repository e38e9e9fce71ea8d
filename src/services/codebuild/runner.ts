/**
 * Drives builds through their phases. One work item a build; after a restart the handler finds in the record where the
 * build was and goes on from there: the phases around the container are done again, which does no harm, and the
 * program in the container has gone on without us.
 */
import type { BuildPhaseType } from "@aws-sdk/client-codebuild";
import { ContainerStartError } from "#engines/engine.ts";
import type { Client } from "#gateway/client.ts";
import type { System } from "#gateway/context.ts";
import type { WorkItem } from "#store/work.ts";
import { phaseCompleteLines, waitingLines } from "./buildspec/agent-log.ts";
import { isAccessDenied } from "./errors.ts";
import { scheduleNext, takeTurn } from "./queue.ts";
import { CONTAINER, groupSpec, sessionName } from "./runner/build-container.ts";
import { buildImage, releaseImage } from "./runner/build-image.ts";
import type { FetchedSource } from "./runner/fetch-source.ts";
import { endAbruptly, followProgram } from "./runner/follow-program.ts";
import { Interruption } from "./runner/interruption.ts";
import { LogDelivery, logPlace, logsLocation } from "./runner/log-delivery.ts";
import { PhaseFailure } from "./runner/phase-failure.ts";
import { fetchSources, preparedSource } from "./runner/prepare-source.ts";
import { RunningBuild } from "./runner/running-build.ts";
import { hasArtifacts, uploadArtifacts } from "./runner/upload-artifacts.ts";
import { buildSessionScope, roleSession } from "./service-role.ts";
import { type BuildEvent, earlyEnd, hasReached, openPhase, outcomeOf, type PhaseEnd } from "./states.ts";
import { findBuildByUuid } from "./store/builds.ts";

/** A build that our own faults have interrupted so often is given up as FAULT. */
const MAX_FAILURES = 6;

/** The handler of one work item. */
export async function runBuild(system: System, item: WorkItem, signal: AbortSignal): Promise<"done" | Date> {
  const record = await findBuildByUuid(system.db, item.id);
  if (!record) return "done";
  const running = new RunningBuild(system, record);
  if (!record.build.buildComplete) {
    const turn = await takeTurn(running);
    if (turn instanceof Date) return turn;
    if (!running.build.buildComplete) await new BuildDriver(running, signal).drive(item.failures >= MAX_FAILURES);
  }
  // The build is over for everybody; what is left of it is only ours to clear away.
  await system.engine.remove(running.groupId);
  await releaseImage(system, running.record);
  return "done";
}

class BuildDriver {
  readonly #running: RunningBuild;
  readonly #signal: AbortSignal;

  constructor(running: RunningBuild, signal: AbortSignal) {
    this.#running = running;
    this.#signal = signal;
  }

  async drive(givenUp: boolean): Promise<void> {
    const running = this.#running;
    using interruption = await Interruption.watch(running.system, running.record.uuid, this.#deadline());
    if (givenUp) {
      await this.#end(
        "FAULT",
        new PhaseFailure("INTERNAL_SERVICE_ERROR", "Slipway could not run the build; its log says why"),
      );
      await this.#complete(undefined);
      return;
    }
    try {
      await this.#drivePhases(interruption);
    } catch (error) {
      if (error instanceof PhaseFailure) await this.#end("FAILED", error);
      else if (interruption.status !== undefined && !this.#signal.aborted) await this.#end(interruption.status);
      else throw error;
    }
    await this.#complete(interruption.status);
  }

  async #drivePhases(interruption: Interruption): Promise<void> {
    const running = this.#running;
    const role = await this.#role();
    const open = openPhase(running.build)?.phaseType;
    if (open === "PROVISIONING" || open === "DOWNLOAD_SOURCE") await this.#bringUp(role, interruption);
    if (!running.run.outcome) {
      await followProgram(running, interruption, this.#signal);
      if (!running.run.outcome) await endAbruptly(running, interruption.status);
    }
    if (running.run.outcome?.uploadArtifacts && !hasReached(running.build, "FINALIZING")) await this.#upload(role);
  }

  /** From the first second to the program's start. Independent things are done at the same time. */
  async #bringUp(role: Client, interruption: Interruption): Promise<void> {
    const running = this.#running;
    const { system, build } = running;
    const signal = AbortSignal.any([this.#signal, interruption.signal]);
    signal.throwIfAborted();
    const fetching = fetchSources(system, role, build, signal);
    fetching.catch(() => {}); // Looked at in its own phase.
    let sources: readonly FetchedSource[] = [];
    try {
      const group = hasReached(build, "DOWNLOAD_SOURCE") ? await system.engine.state(running.groupId) : undefined;
      const isStarted = group?.containers.some(({ status }) => status !== "created") ?? false;
      if (!isStarted) {
        if (!group) await this.#provision(role, signal);
        sources = await fetching;
        await this.#prepare(role, sources, signal);
      }
      await running.commit({ events: [ended("DOWNLOAD_SOURCE", "SUCCEEDED", running.now)] });
    } finally {
      if (sources.length === 0) sources = await fetching.catch(() => []);
      await Promise.all(sources.map((source) => source[Symbol.asyncDispose]()));
    }
  }

  async #provision(role: Client, signal: AbortSignal): Promise<void> {
    const running = this.#running;
    const { system, record, build } = running;
    const [image] = await Promise.all([buildImage(system, build, role, signal), this.#delivery(role)?.open(build)]);
    await system.engine.create(await groupSpec(system, record, image));
    signal.throwIfAborted();
    // A container that was lost with its engine is made anew; the phase was over before.
    if (hasReached(build, "DOWNLOAD_SOURCE")) return;
    await running.commit({
      events: [
        ended("PROVISIONING", "SUCCEEDED", running.now),
        { type: "entered", phase: "DOWNLOAD_SOURCE", at: running.now },
      ],
      run: { imageDigest: image.digest },
      build: { logs: logsLocation(build, record) },
      agent: waitingLines(),
    });
  }

  async #prepare(role: Client, sources: readonly FetchedSource[], signal: AbortSignal): Promise<void> {
    const running = this.#running;
    const { engine } = running.system;
    const prepared = await preparedSource(running.system, running.record, role, sources);
    await engine.copyIn(running.groupId, CONTAINER, "/", prepared.tar);
    signal.throwIfAborted();
    // Written before the start, so that a restarted runner that finds the container running knows all of this.
    await running.commit({
      run: { artifacts: prepared.buildspec.artifacts, isPrepared: true },
      build: { ...(prepared.resolvedVersion !== undefined && { resolvedSourceVersion: prepared.resolvedVersion }) },
      // A runner that was killed before the start prepares once more; the log has it already.
      agent: running.run.isPrepared ? [] : prepared.lines,
    });
    try {
      await engine.startContainer(running.groupId, CONTAINER);
    } catch (error) {
      if (!(error instanceof ContainerStartError)) throw error;
      throw new PhaseFailure("CLIENT_ERROR", `The build container could not be started: ${error.message}`);
    }
  }

  async #upload(role: Client): Promise<void> {
    const running = this.#running;
    if (!hasReached(running.build, "UPLOAD_ARTIFACTS")) {
      await running.commit({ events: [{ type: "entered", phase: "UPLOAD_ARTIFACTS", at: running.now }] });
    }
    if (!openPhase(running.build)) return;
    const uploaded = hasArtifacts(running) ? await uploadArtifacts(running, role) : undefined;
    await running.commit({
      events: [ended("UPLOAD_ARTIFACTS", "SUCCEEDED", running.now)],
      ...(uploaded && {
        build: { artifacts: uploaded.artifacts, secondaryArtifacts: uploaded.secondaryArtifacts },
      }),
      agent: [...(uploaded?.lines ?? []), ...phaseCompleteLines("UPLOAD_ARTIFACTS", "SUCCEEDED")],
    });
  }

  /** Ends the build early, in the phase where it is. */
  async #end(status: PhaseEnd, failure?: PhaseFailure): Promise<void> {
    const running = this.#running;
    const phase = openPhase(running.build)?.phaseType ?? "FINALIZING";
    await running.commit({
      events: earlyEnd(running.build, status, running.now, failure && [failure.context]),
      agent: failure ? [...failure.lines, ...phaseCompleteLines(phase, "FAILED", toLineContext(failure))] : [],
    });
  }

  /** FINALIZING and COMPLETED; the next build in the queue gets its turn in the same transaction. */
  async #complete(interrupted: PhaseEnd | undefined): Promise<void> {
    const running = this.#running;
    const { build, run } = running;
    const at = running.now;
    // A program that was told to stop between two phases has no phase to show it in.
    const isStoppedBetween = run.outcome?.status === "STOPPED" && outcomeOf(build.phases!) === "SUCCEEDED";
    const status = isStoppedBetween ? (interrupted ?? "STOPPED") : "SUCCEEDED";
    const finalizing: BuildEvent[] = [];
    const isFinalized = hasReached(build, "FINALIZING") && openPhase(build) === undefined;
    if (hasReached(build, "DOWNLOAD_SOURCE") && !isFinalized) {
      if (!hasReached(build, "FINALIZING")) finalizing.push({ type: "entered", phase: "FINALIZING", at });
      const failure = run.logs.failure === undefined ? undefined : new PhaseFailure("ACCESS_DENIED", run.logs.failure);
      finalizing.push(ended("FINALIZING", status, at, failure));
    }
    await running.commit({
      events: [...finalizing, { type: "completed", at }],
      also: (trx) => scheduleNext(running, trx),
    });
    running.system.work.wake();
  }

  /** Acts as the service role for this run of the handler. */
  async #role(): Promise<Client> {
    const running = this.#running;
    const { system, record, build } = running;
    const { accountId, region, uuid } = record;
    try {
      const principal = await roleSession(system, buildSessionScope(record), build.serviceRole!, sessionName(uuid));
      const role = system.client(principal, { accountId, region });
      running.deliverTo(this.#delivery(role));
      return role;
    } catch (error) {
      if (!isAccessDenied(error)) throw error;
      throw new PhaseFailure(
        "ACCESS_DENIED",
        `CodeBuild is not authorized to perform: sts:AssumeRole on ${build.serviceRole}`,
      );
    }
  }

  #delivery(role: Client): LogDelivery | undefined {
    const place = logPlace(this.#running.build);
    return place && new LogDelivery(role, place);
  }

  /** A build's time begins with its provisioning; waiting in the queue does not count. */
  #deadline(): Date {
    const { phases, timeoutInMinutes } = this.#running.build;
    const begun = phases!.find(({ phaseType }) => phaseType === "PROVISIONING")!.startTime!;
    return new Date(begun.getTime() + timeoutInMinutes! * 60_000);
  }
}

function ended(phase: BuildPhaseType, status: PhaseEnd, at: Date, failure?: PhaseFailure): BuildEvent {
  return { type: "ended", phase, status, at, ...(failure && { contexts: [failure.context] }) };
}

function toLineContext({ context }: PhaseFailure) {
  return { statusCode: context.statusCode ?? "", message: context.message ?? "" };
}
