import type { Batch, Change, Committed, Query, Refused, Resync, Revision, Snapshot } from "./change.js";
import type { Guarantees } from "./guarantees.js";
import type { Session } from "./session.js";

/**
 * The waist: all that a recipe may ask of an engine, and all that an engine must do. Six members, shaped like
 * an ordered, versioned key-value store.
 *
 * *Failure*: a failed call throws a LockstepError whose `applied` says whether the change may have been made.
 */
export interface Store {
  readonly guarantees: Guarantees;

  /**
   * Makes a change, all of it or nothing, in one linear order with every other. One that was acknowledged is
   * never made a second time.
   */
  commit(change: Change): Promise<Committed | Refused>;

  /** Reads one key or a prefix, as it stood at one revision. */
  read(query: Query): Promise<Snapshot>;

  /**
   * Every commit after `from` that touched a key beginning with `prefix`, in order; or a resync where some
   * can no longer be told. Never a silent gap. Without `from` it begins with a resync: how things stand now.
   *
   * *Cancellation*: an abort of `signal` ends the iteration and rethrows the signal's reason.
   */
  watch(prefix: string, options?: WatchOptions): AsyncIterableIterator<Batch | Resync, void>;

  /**
   * Opens a session; the keys bound to it vanish when it ends, expires, or its process is known to be dead.
   */
  openSession(options: SessionOptions): Promise<Session>;

  /** Ends what this client holds: its sessions, its watches. The data stays. */
  close(): Promise<void>;
}

export interface WatchOptions {
  /** Only the key that is the prefix itself, and no longer one. */
  readonly exact?: boolean | undefined;
  readonly from?: Revision | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SessionOptions {
  readonly ttlMs: number;
  /** Shown to people who ask who holds what. */
  readonly label?: string | undefined;
}
