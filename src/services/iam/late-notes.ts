/** Notes that are written down a little later, off the path of the requests that they are about. */
import { type Database, outsideTransaction } from "#store/database.ts";

/** How soon; AWS takes minutes, and up to four hours. */
const DELAY_MS = 1_000;

/** `write` gets them sorted by key: on PostgreSQL two who write the same rows must lock them in one order. */
type Write<Note> = (db: Database, notes: readonly Note[]) => Promise<void>;

export class LateNotes<Note> {
  readonly #db: Database;
  readonly #write: Write<Note>;
  #noted = new Map<string, Note>();
  /** What is being written, and seen by nobody until it is committed. */
  #underWay = new Map<string, Note>();
  #written: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /** `write` must leave alone what is newer already: a note may be written more than once. */
  constructor(db: Database, write: Write<Note>) {
    this.#db = db;
    this.#write = write;
  }

  /** Of each key the last note counts. */
  add(key: string, note: Note): void {
    this.#noted.set(key, note);
    // The call may be part of a transaction that is over by then.
    this.#timer ??= outsideTransaction(() => setTimeout(() => this.#flushInTime(), DELAY_MS)).unref();
  }

  /** When it is over, `db` has all that was noted before. */
  flush(db: Database = this.#db): Promise<void> {
    if (db.isTransaction) return this.#writeInto(db);
    this.#written = this.#writeAfter(this.#written, db);
    return this.#written;
  }

  /** After the tables were emptied. */
  forget(): void {
    this.#noted.clear();
    this.#underWay.clear();
  }

  /**
   * What is under way may itself be waiting for this transaction, and the transaction may come to nothing: so all is written
   * here, and once more outside of it when it is time.
   */
  async #writeInto(trx: Database): Promise<void> {
    await this.#writeSorted(trx, new Map([...this.#underWay, ...this.#noted]));
  }

  async #writeAfter(previous: Promise<void>, db: Database): Promise<void> {
    await previous.catch(() => {}); // told to those who waited for it
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#underWay = this.#noted;
    this.#noted = new Map();
    try {
      await this.#writeSorted(db, this.#underWay);
    } finally {
      this.#underWay = new Map();
    }
  }

  async #writeSorted(db: Database, notes: ReadonlyMap<string, Note>): Promise<void> {
    if (notes.size === 0) return;
    const sorted = [...notes].sort(([a], [b]) => (a < b ? -1 : 1));
    await this.#write(
      db,
      sorted.map(([, note]) => note),
    );
  }

  #flushInTime(): void {
    // The next note is written down instead where this one cannot be.
    this.flush().catch(() => {});
  }
}
