import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RootDatabase } from "lmdb";
import type { Revision } from "../../store/change.js";
import type { Clock } from "../../base/clock.js";
import { EventLoopTurn } from "../../base/event-loop-turn.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import type { KeptFile } from "./kept-file.js";
import { Interests, LiveTransaction, LiveView } from "./live-transaction.js";
import { encodeEntry, encodeMeta, entryKey, metaKey } from "./records.js";

/** So many revisions are covered by one flush of the ceiling. */
const ceilingStep = 1n << 20n;
/** So many changes at most go into one transaction: others want to write too. */
const mostAtOnce = 4096;

interface Job {
  run(transaction: LiveTransaction): unknown;
  resolve(value: never): void;
  reject(error: unknown): void;
}

/**
 * The live file: everything as it stands, shared by all processes of this boot, and never flushed: the kernel
 * keeps it when processes die, and a boot ends every session and starts a new file from the durable copy.
 */
export class LiveFile {
  readonly #db: RootDatabase<Buffer, string>;
  readonly #kept: KeptFile;
  readonly #clock: Clock;
  readonly #interests = new Interests();
  /** Called after each commit that somebody watches, with those who do. */
  readonly onCommit: (toRing: ReadonlySet<string>) => void;
  readonly #turn: EventLoopTurn;
  #jobs: Job[] = [];
  #broken: LockstepError | undefined;
  #raising: Promise<void> | undefined;

  constructor(
    db: RootDatabase<Buffer, string>,
    kept: KeptFile,
    path: string,
    clock: Clock,
    onCommit: (toRing: ReadonlySet<string>) => void,
  ) {
    this.#db = db;
    this.#kept = kept;
    this.#clock = clock;
    this.#turn = new EventLoopTurn(clock);
    this.onCommit = onCommit;
    this.#beginBoot();
    forgetOtherBoots(path);
  }

  /**
   * Runs a step in the next transaction, together with all that are asked for in this turn of the event loop.
   * The step must not wait for anything.
   */
  transact<T>(run: (transaction: LiveTransaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ run, resolve, reject });
      if (this.#jobs.length === 1) this.#runSoon();
    });
  }

  /** Resolves at once, or in the next turn of the event loop when this one has gone on for long. */
  whenFree(): Promise<void> | undefined {
    return this.#turn.isLong ? new Promise((resolve) => EventLoopTurn.next(resolve)) : undefined;
  }

  /** Looks at everything as it stands at this moment. */
  view<T>(look: (view: LiveView) => T): T {
    // Overdue sessions must not be seen; to end them is to write.
    const isDue = this.peek((view) => view.meta.earliestExpiry <= view.now);
    return isDue ? this.#runAll((transaction) => look(transaction)) : this.peek(look);
  }

  /** The same, without ending overdue sessions first: it waits for nobody. */
  peek<T>(look: (view: LiveView) => T): T {
    // A read transaction from earlier in this turn may be older than a commit acknowledged since.
    this.#db.resetReadTxn();
    try {
      return look(new LiveView(this.#db, this.#clock.now()));
    } finally {
      // Held no longer than needed: an open read keeps its pages from being used again.
      this.#db.resetReadTxn();
    }
  }

  /** Frees the reader slots of processes that died reading. */
  forgetDeadReaders(): void {
    this.#db.readerCheck();
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #runSoon(): void {
    const run = () => {
      this.#runJobs();
    };
    if (this.#turn.isLong) EventLoopTurn.next(run);
    else queueMicrotask(run);
  }

  #runJobs(): void {
    const jobs = this.#jobs.splice(0, mostAtOnce);
    if (this.#jobs.length > 0) this.#runSoon();
    let outcomes: unknown[];
    try {
      outcomes = this.#runAll((transaction) => jobs.map((job) => job.run(transaction)));
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return;
    }
    for (const [index, job] of jobs.entries()) job.resolve(outcomes[index] as never);
  }

  #runAll<T>(run: (transaction: LiveTransaction) => T): T {
    if (this.#broken) throw this.#broken;
    let transaction: LiveTransaction | undefined;
    const result = this.#inTransaction(() => {
      transaction = new LiveTransaction(this.#db, this.#clock.now(), this.#interests);
      const outcome = run(transaction);
      this.#keepBelowCeiling(transaction);
      transaction.finish();
      return outcome;
    });
    if (transaction && transaction.toRing.size > 0) this.onCommit(transaction.toRing);
    return result;
  }

  #inTransaction<T>(run: () => T): T {
    try {
      // 2: committed when the call returns. Nothing is flushed, since the file was opened so.
      return this.#db.transactionSync(run, 2);
    } catch (cause) {
      this.#interests.version = -1;
      if (isLockstepError(cause)) throw cause;
      throw this.#failure(cause);
    }
  }

  #failure(cause: unknown): LockstepError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/no space|ENOSPC|quota|MAP_FULL/i.test(reason)) {
      return new LockstepError("unavailable", `lmdb: the disk is full; make room (${reason})`, { cause });
    }
    // After any other failed commit LMDB may refuse all that follows; better to say so than to go on.
    this.#broken = new LockstepError(
      "unavailable",
      `lmdb: the store could not be written, and this client can go on no more; connect again (${reason})`,
      { cause },
    );
    return this.#broken;
  }

  /**
   * No revision is seen by anyone before a higher ceiling is on disk. It is raised when half of the last step
   * is used up, beside the event loop; a store that cannot raise it for the rest of the step stops there.
   */
  #keepBelowCeiling({ meta }: LiveTransaction): void {
    if (meta.revision + ceilingStep / 2n < meta.ceiling) return;
    if (meta.revision >= meta.ceiling) {
      throw new LockstepError(
        "unavailable",
        "lmdb: the ceiling of fencing tokens could not be brought to disk; see that there is room",
      );
    }
    this.#raising ??= this.#raiseCeiling(meta.revision + ceilingStep).finally(
      () => (this.#raising = undefined),
    );
  }

  async #raiseCeiling(ceiling: Revision): Promise<void> {
    try {
      await this.#kept.raiseCeiling(ceiling);
      await this.transact((transaction) => {
        transaction.raiseCeiling(ceiling);
      });
    } catch {
      // The next commit tries again.
    }
  }

  /** The first process of a boot fills the live file from the durable copy; revisions go on from the ceiling. */
  #beginBoot(): void {
    this.#db.transactionSync(() => {
      if (this.#db.get(metaKey) !== undefined) return;
      for (const entry of this.#kept.entries()) this.#db.putSync(entryKey(entry.key), encodeEntry(entry));
      const revision = this.#kept.ceiling();
      const ceiling = revision + ceilingStep;
      this.#kept.putCeiling(ceiling);
      const meta = {
        revision,
        ceiling,
        earliestExpiry: Infinity,
        peersVersion: 0,
        forgottenUntil: revision,
        logLength: 0,
      };
      this.#db.putSync(metaKey, encodeMeta(meta));
    }, 2);
  }
}

/** Removes the live files of earlier boots: whoever used them is dead. */
function forgetOtherBoots(path: string): void {
  const directory = dirname(path);
  for (const name of readdirSync(directory)) {
    if (/^live-.*\.mdb(-lock)?$/.test(name) && !name.startsWith(basename(path))) {
      rmSync(join(directory, name), { force: true });
    }
  }
}
