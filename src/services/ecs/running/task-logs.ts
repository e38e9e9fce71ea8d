/** A task's output on its way to CloudWatch Logs, written as the task's execution role. */
import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { System } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { groupIdOf } from "../model.ts";
import { logCursor, putLogCursor } from "../store/tasks.ts";
import { logBatches } from "./log-batches.ts";
import type { RoleSession } from "./role-session.ts";
import { isRefusal, refusalText } from "./service-errors.ts";
import type { LogDestination } from "./task-parts.ts";
import { TaskStartError } from "./task-start-error.ts";

/** Makes the stream, and its group where the definition asks for that. Throws TaskStartError in AWS's words. */
export async function prepareLogStream(role: RoleSession, destination: LogDestination): Promise<void> {
  const { group, stream, region, createGroup } = destination;
  const client = await role.client(region);
  try {
    if (createGroup) await tolerating(client.send(new CreateLogGroupCommand({ logGroupName: group })));
    await tolerating(client.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: stream })));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new TaskStartError(
      `ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ${refusalText(error)} : exit status 1`,
    );
  }
}

/** It is there already: from before a restart, or somebody made it. */
async function tolerating(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof Error && error.name === "ResourceAlreadyExistsException")) throw error;
  }
}

export interface Shipment {
  readonly taskId: string;
  readonly container: string;
  readonly destination: LogDestination;
  readonly role: RoleSession;
}

const RETRY_MS = 1_000;

/**
 * Carries the container's lines over until it has exited or the signal aborts. The cursor moves in the transaction that
 * stores the lines, so each is stored once, whenever Slipway dies. What CloudWatch Logs refuses is lost, as with AWS's
 * log driver; a fault of ours is tried again.
 */
export async function shipLogs(system: System, shipment: Shipment, signal: AbortSignal): Promise<void> {
  const { taskId, container } = shipment;
  while (!signal.aborted) {
    try {
      const skip = await logCursor(system.db, taskId, container);
      const lines = system.engine.logs(groupIdOf(taskId), container, { skip, signal });
      for await (const batch of logBatches(lines)) await ship(system, shipment, batch);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Error && error.name === "GroupNotFoundError") return;
      system.log("error", `the log of ${container} in task ${taskId} is read again`, { error: String(error) });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function ship(
  system: System,
  { taskId, container, destination, role }: Shipment,
  { events, nextLine }: { events: readonly { timestamp: number; message: string }[]; nextLine: number },
): Promise<void> {
  const { group, stream, region } = destination;
  try {
    // Outside the transaction: a session is not something that it could undo.
    const client = events.length > 0 ? await role.client(region) : undefined;
    await inTransaction(system.db, async (trx) => {
      await client
        ?.within(trx)
        .send(new PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents: [...events] }));
      await putLogCursor(trx, taskId, container, nextLine);
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    system.log("warn", `${events.length} lines of ${container} in task ${taskId} are lost`, {
      error: refusalText(error),
    });
    await putLogCursor(system.db, taskId, container, nextLine);
  }
}
