import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { isPromise } from "../base/is-promise.js";
import { checkOptions } from "../base/options.js";
import { checkMilliseconds } from "../base/patience.js";
import { checkLockOptions } from "../sync/lock-options.js";
import type { Attempt } from "./attempt.js";
import { Call } from "./call.js";
import type { Absent } from "./cell.js";
import type { Key } from "./key.js";
import { Claim } from "./locks.js";
import { Contender } from "./contender.js";
import { OptimisticBlock } from "./optimistic-block.js";
import { Ref } from "./ref.js";
import type { Stored } from "./row.js";
import type { AnyTable } from "./rows-read.js";
import { checkBlock, isInBlock, nested, runIn } from "./running.js";
import { Snapshot } from "./snapshot.js";
import { Table, type TableOptions } from "./table.js";
import type { LockingTransaction, ReadingTransaction, Transaction } from "./transaction.js";
import { mannerOf, usualManner, type OptimisticOptions, type TransactionOptions } from "./manner.js";
import { retry } from "./signals.js";
import { Versions } from "./versions.js";
import { Wakeups } from "./wakeups.js";

export interface SpaceOptions {
  /**
   * Who looks at the past for longer than this, and lets old versions pile up, is ended: five minutes unless
   * given. Counted from the first old version that is kept for it.
   */
  maxSnapshotAgeMs?: number | undefined;
  /** The clock to live by; for tests. */
  clock?: Clock | undefined;
}

export interface RefOptions {
  /** What errors call it. */
  name?: string | undefined;
}

type Block<Tx, T> = (tx: Tx) => T | PromiseLike<T>;

/**
 * Refs and tables that transactions read and write together. Most programs need one only, and there is one:
 * `ref`, `table`, `atomically`, `atomicallySync` and `snapshot` are its methods.
 */
export class Space {
  /** @internal */
  readonly versions: Versions;
  /** @internal The attempts whose blocks are waiting for something. */
  readonly underWay = new Set<Attempt>();
  /** @internal Those who have read what was not committed, and sleep until any who has written ends. */
  readonly endings = new Wakeups();
  /** @internal How many have ended that had written something. */
  ended = 0;
  readonly #clock: Clock;
  #ranks = 0;
  #births = 0;

  constructor(options: SpaceOptions = {}) {
    checkOptions(options, ["maxSnapshotAgeMs", "clock"]);
    const { maxSnapshotAgeMs = 300_000, clock } = options;
    if (maxSnapshotAgeMs !== Infinity) checkMilliseconds("maxSnapshotAgeMs", maxSnapshotAgeMs, 1);
    this.#clock = checkLockOptions("space", { clock }).clock;
    this.versions = new Versions(this.#clock, maxSnapshotAgeMs);
  }

  /** A value that transactions read and write. */
  ref<T>(initial: T, options: RefOptions = {}): Ref<T> {
    checkLockOptions("ref", options);
    return new Ref(this, initial, ++this.#ranks, options.name);
  }

  /** Rows that transactions read and write, by key, in order, and by index. */
  table<K extends Key, R, I extends string = string>(options: TableOptions<R, I> = {}): Table<K, R, I> {
    return new Table(this, () => ++this.#ranks, options);
  }

  /**
   * Runs the block so that all that it does to this space seems to happen at once, or not at all. While
   * it waits for something others go on; if they got in its way, it is run again.
   *
   * *Fairness*: who has lost goes first the next time. No transaction starves, save by those that cannot
   * wait, of `atomicallySync`.
   * *Cancellation*: a caller whose patience ends has changed nothing. Its block is not stopped; whatever
   * it does to the transaction from then on throws.
   * *Failure*: rejects with what the block throws, with 'retries-exhausted' after so many `attempts`, and
   * with 'lost' when the block took so long that the moment it reads at is no longer kept. Then nothing
   * was changed.
   */
  atomically<T>(
    block: Block<ReadingTransaction, T>,
    options: TransactionOptions & { readOnly: true },
  ): Promise<T>;
  atomically<T>(block: Block<Transaction, T>, options?: OptimisticOptions): Promise<T>;
  atomically<T>(block: Block<LockingTransaction, T>, options: TransactionOptions): Promise<T>;
  atomically<T>(block: Block<never, T>, options?: TransactionOptions): Promise<T> {
    try {
      checkBlock("atomically", block);
      if (isInBlock()) throw nested();
      if (options === undefined) return new Call(this, block, usualManner).start();
      const call = new Call(this, block, mannerOf(options));
      if (options.signal === undefined && options.timeoutMs === undefined) return call.start();
      return call.startWithin(options, this.#clock);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Runs a block that waits for nothing, at once: nobody can get in its way, so it is run once.
   *
   * *Failure*: throws what the block throws; and 'timeout' where a pessimistic transaction has locked what it
   * would write, for it cannot wait. Then nothing was changed.
   */
  atomicallySync<T>(block: (tx: Transaction) => T extends PromiseLike<unknown> ? never : T): T {
    checkBlock("atomicallySync", block);
    const attempt = new OptimisticBlock(this, usualManner.discipline);
    let value: T;
    try {
      value = runIn(attempt, block as (tx: Transaction) => T);
      if (isPromise(value)) {
        Promise.resolve(value).catch(() => undefined);
        throw mustNotWait("it was given an async block");
      }
      if (attempt.leaving === retry) throw retry;
      attempt.close();
      if (attempt.misuse !== undefined) throw attempt.misuse;
      this.#refuseIfBarred(attempt);
    } catch (error) {
      attempt.rolledBack();
      throw error === retry ? mustNotWait("its block called tx.retry()") : attempt.explained(error);
    }
    attempt.publish();
    attempt.committed();
    return value;
  }

  /** All of it as it is now, to be read at leisure. */
  snapshot(): Snapshot {
    return new Snapshot(this);
  }

  /** @internal The older a transaction is, the lower. */
  nextBirth(): number {
    return ++this.#births;
  }

  /** @internal What somebody has written is committed, or will never be. */
  tellEnding(): void {
    this.ended++;
    this.endings.tell();
  }

  /**
   * @internal What the one who wrote it last, and has not committed, has written; or else what is
   * committed.
   */
  uncommitted(ref: Ref<unknown>, reader: Attempt): unknown {
    let value = ref.value;
    for (const { draft } of this.#writersFor(reader)) {
      const place = draft?.placeOf(ref) ?? -1;
      if (place >= 0) value = draft!.valueAt(place);
    }
    return value;
  }

  /** @internal The same of a table, by key. */
  uncommittedRows(table: AnyTable, reader: Attempt): Map<Key, Stored | Absent> {
    const rows = new Map<Key, Stored | Absent>();
    for (const { draft } of this.#writersFor(reader)) {
      for (const [key, stored] of draft?.tables?.get(table) ?? []) rows.set(key, stored);
    }
    return rows;
  }

  /** The youngest last, but for the reader itself. */
  *#writersFor(reader: Attempt): Generator<Attempt> {
    for (const attempt of this.underWay) if (attempt !== reader) yield attempt;
    yield reader;
  }

  #refuseIfBarred(attempt: Attempt): void {
    if (!attempt.mustLock(undefined)) return;
    const contender = new Contender(this.nextBirth(), true, false);
    for (const { on, span } of attempt.lockedByOthers(undefined)) {
      if (on.locks?.isBarred(new Claim(contender, on, span, true)) !== true) continue;
      throw new LockstepError(
        "timeout",
        `${on.what} is locked by a transaction, and atomicallySync cannot wait; use atomically there`,
      );
    }
  }
}

function mustNotWait(what: string): LockstepError {
  return new LockstepError(
    "misuse",
    `atomicallySync cannot wait, and ${what}; use atomically, or await before and pass in what came`,
  );
}
