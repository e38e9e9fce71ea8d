/** Notes which actions users and roles try, off the path of their requests. */
import type { Principal } from "#gateway/context.ts";
import { type Database, outsideTransaction } from "#store/database.ts";
import { type Access, putAccesses } from "./store/accesses.ts";

/** How soon an attempt is written down; AWS takes up to four hours. */
const DELAY_MS = 1_000;

interface Attempt {
  region: string;
  at: Date;
}

export class AccessRecorder {
  readonly #db: Database;
  /** By the entity's id, then by the action. */
  #pending = new Map<string, Map<string, Attempt>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The root user and services have no entity. `action`: "codebuild:StartBuild". */
  record(principal: Principal, action: string, region: string, now: Date): void {
    const entityId = entityIdOf(principal);
    if (entityId === undefined) return;
    let attempts = this.#pending.get(entityId);
    if (attempts === undefined) {
      attempts = new Map();
      this.#pending.set(entityId, attempts);
    }
    const attempt = attempts.get(action);
    if (attempt === undefined) attempts.set(action, { region, at: now });
    else {
      attempt.region = region;
      attempt.at = now;
    }
    // The call may be part of a transaction that is over by then.
    this.#timer ??= outsideTransaction(() => setTimeout(() => this.#flushInTime(), DELAY_MS)).unref();
  }

  async flush(db: Database = this.#db): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = this.#pending;
    this.#pending = new Map();
    const accesses: Access[] = [];
    for (const [entityId, attempts] of pending) {
      for (const [name, { region, at }] of attempts) {
        const colon = name.indexOf(":");
        accesses.push({ entityId, service: name.slice(0, colon), action: name.slice(colon + 1), region, at });
      }
    }
    if (accesses.length > 0) await putAccesses(db, accesses);
  }

  #flushInTime(): void {
    // The next attempt is written down instead where this one cannot be.
    this.flush().catch(() => {});
  }

  /** After the tables were emptied. */
  forget(): void {
    this.#pending.clear();
  }
}

/** AIDA… of a user, AROA… of a role's session. */
function entityIdOf({ type, userId }: Principal): string | undefined {
  if (type === "User") return userId;
  if (type !== "AssumedRole") return undefined;
  return userId.slice(0, userId.indexOf(":"));
}
