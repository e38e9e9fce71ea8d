/** Builds wait for their turn in their account's queue; those of one account never wait for another's. */
import type { Database } from "#store/database.ts";
import type { RunningBuild } from "./runner/running-build.ts";
import type { PhaseEnd } from "./states.ts";
import { STAGES } from "./store/builds.ts";
import { countBuilds, lockQueue, nextQueuedBuild } from "./store/queue.ts";
import { BUILD_WORK, CONCURRENT_BUILDS } from "./submit-build.ts";

/**
 * Moves a build that is still QUEUED to PROVISIONING, or ends it where it was stopped or has waited too long. A Date:
 * not yet; look again then at the latest, or when scheduled.
 */
export async function takeTurn(running: RunningBuild): Promise<"taken" | Date> {
  const { build, record } = running;
  if (build.currentPhase !== "QUEUED") return "taken";
  const at = running.now;
  const deadline = new Date(build.startTime!.getTime() + build.queuedTimeoutInMinutes! * 60_000);
  if (record.stopRequested || at >= deadline) {
    await leave(running, record.stopRequested ? "STOPPED" : "TIMED_OUT");
    return "taken";
  }
  const isTaken = await running.commitIf(
    async (trx) => {
      await lockQueue(trx, record);
      const active = await countBuilds(trx, record, STAGES.running);
      return active < CONCURRENT_BUILDS && (await nextQueuedBuild(trx, record)) === record.uuid;
    },
    {
      events: [
        { type: "ended", phase: "QUEUED", status: "SUCCEEDED", at },
        { type: "entered", phase: "PROVISIONING", at },
      ],
      // There may be room for one more.
      also: (trx) => scheduleNext(running, trx),
    },
  );
  if (!isTaken) return deadline;
  running.system.work.wake();
  return "taken";
}

/** Lets the build that has waited longest look whether it is its turn. To be called where one leaves the queue or ends. */
export async function scheduleNext({ system, record }: RunningBuild, trx: Database): Promise<void> {
  const next = await nextQueuedBuild(trx, record);
  if (next !== undefined) await system.work.schedule(trx, BUILD_WORK, next);
}

async function leave(running: RunningBuild, status: PhaseEnd): Promise<void> {
  const at = running.now;
  await running.commit({
    events: [
      { type: "ended", phase: "QUEUED", status, at },
      { type: "completed", at },
    ],
    also: (trx) => scheduleNext(running, trx),
  });
  running.system.work.wake();
}
