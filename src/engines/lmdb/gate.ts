import type { RootDatabase, TransactionFlags } from "lmdb";

/** Committed when the call returns. Nothing is flushed, since the files were opened so. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- it is a type only
export const atOnce: TransactionFlags.SYNCHRONOUS_COMMIT = 2;

/**
 * One at a time, of all processes, goes through the gate: whoever writes the live file, and whoever opens it.
 *
 * LMDB lets processes open a file while others write it. But each that opens one sets the shared number of
 * the last transaction to what it read before, without taking the writers' lock; a commit made in between is
 * undone for the next writer, which then writes over its pages. (lmdb 3.5.6, mdb_env_open2.) So nobody may
 * commit while somebody opens.
 *
 * The gate is the writers' lock of a file of its own that nobody ever writes to, so that the same fault does
 * it no harm. It costs well under a microsecond, and the kernel gives it on when its holder is killed.
 */
export class Gate {
  readonly #db: RootDatabase<Buffer, string>;

  constructor(db: RootDatabase<Buffer, string>) {
    this.#db = db;
  }

  /** Runs something alone. It must not wait for anything. */
  through<T>(run: () => T): T {
    return this.#db.transactionSync(run, atOnce);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
