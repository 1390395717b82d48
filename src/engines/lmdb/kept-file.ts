import type { RootDatabase } from "lmdb";
import type { Entry, Revision } from "../../store/change.js";
import { LockstepError } from "../../base/errors.js";
import { decodeEntry, encodeEntry, entryKey } from "./records.js";

/** The format that this version writes, and the newest that it can read. */
export const format = 1;

const formatKey = "format";
const ceilingKey = "ceiling";

/**
 * The durable copy: all unbound keys as they stood at one revision, and a ceiling above every revision that
 * was handed out. Every transaction on it reaches the disk before it counts as made.
 */
export class KeptFile {
  readonly #db: RootDatabase<Buffer, string>;

  constructor(db: RootDatabase<Buffer, string>, path: string) {
    this.#db = db;
    const bytes = db.get(formatKey);
    if (bytes === undefined) {
      db.putSync(formatKey, Buffer.from(String(format)));
      return;
    }
    const found = Number(bytes.toString());
    if (found <= format) return;
    throw new LockstepError(
      "unsupported",
      `lmdb: ${path} was written by a newer Lockstep (format ${found}; this one knows ${format}): ` +
        "upgrade lockstep, or choose another directory",
    );
  }

  /** Sets a ceiling that is safely on disk when the call returns. */
  putCeiling(ceiling: Revision): void {
    this.#db.putSync(ceilingKey, Buffer.from(ceiling.toString()));
  }

  /** Raises the ceiling; resolves when it is on disk. Beside the event loop. */
  async raiseCeiling(ceiling: Revision): Promise<void> {
    await this.#db.transaction(() => {
      // Another process may have raised it higher.
      if (ceiling > this.ceiling()) this.putCeiling(ceiling);
    });
  }

  /** Zero for a new store. */
  ceiling(): Revision {
    const bytes = this.#db.get(ceilingKey);
    return bytes ? BigInt(bytes.toString()) : 0n;
  }

  *entries(): Generator<Entry, void, void> {
    for (const { key, value } of this.#db.getRange({ start: entryKey("") })) {
      if (!key.startsWith("k")) return;
      yield decodeEntry(key.slice(1), value);
    }
  }

  /**
   * Brings keys up to date; `changes` is asked when the turn to write has come, and says what each now is.
   * Resolves when it is on disk. The writing and flushing are done beside the event loop.
   */
  async update(changes: () => Iterable<[key: string, entry: Entry | undefined]>): Promise<void> {
    await this.#db.transaction(() => {
      for (const [key, entry] of changes()) {
        if (entry) this.#db.putSync(entryKey(key), encodeEntry(entry));
        else this.#db.removeSync(entryKey(key));
      }
    });
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
