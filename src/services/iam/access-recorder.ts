/** Notes which actions users and roles try, off the path of their requests. */
import type { Principal } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { LateNotes } from "./late-notes.ts";
import { putAccesses } from "./store/accesses.ts";

interface Attempt {
  readonly entityId: string;
  /** "codebuild:StartBuild" */
  readonly action: string;
  readonly region: string;
  readonly at: Date;
}

export class AccessRecorder {
  readonly #attempts: LateNotes<Attempt>;

  constructor(db: Database) {
    this.#attempts = new LateNotes(db, (to, attempts) => putAccesses(to, attempts.map(toAccess)));
  }

  /** The root user and services have no entity. */
  record(principal: Principal, action: string, region: string, now: Date): void {
    const entityId = entityIdOf(principal);
    if (entityId === undefined) return;
    this.#attempts.add(`${entityId} ${action}`, { entityId, action, region, at: now });
  }

  flush(db?: Database): Promise<void> {
    return this.#attempts.flush(db);
  }

  /** After the tables were emptied. */
  forget(): void {
    this.#attempts.forget();
  }
}

function toAccess({ entityId, action, region, at }: Attempt) {
  const colon = action.indexOf(":");
  return { entityId, service: action.slice(0, colon), action: action.slice(colon + 1), region, at };
}

/** AIDA… of a user, AROA… of a role's session. */
function entityIdOf({ type, userId }: Principal): string | undefined {
  if (type === "User") return userId;
  if (type !== "AssumedRole") return undefined;
  return userId.slice(0, userId.indexOf(":"));
}
