/** Why a task could not be started, as its `stoppedReason` says it: the user's to mend, never a fault of Slipway. */
export class TaskStartError extends Error {
  override readonly name = "TaskStartError";
}
