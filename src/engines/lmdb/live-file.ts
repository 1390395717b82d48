import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RootDatabase } from "lmdb";
import type { Clock } from "../../base/clock.js";
import type { Revision } from "../../store/change.js";
import { EventLoopTurn } from "../../base/event-loop-turn.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { atOnce, type Gate } from "./gate.js";
import type { Journals } from "./journals.js";
import { Interests } from "./interests.js";
import { LiveTransaction } from "./live-transaction.js";
import { LiveView } from "./live-view.js";
import { encodeEntry, encodeMeta, entryKey, metaKey, type Meta } from "./records.js";

/** So many revisions are covered by one flush of the ceiling. */
export const ceilingStep = 1n << 20n;
/** What a look finds when a session is overdue. */
const overdue = Symbol("overdue");
/** More journals than this are made one. */
const mostJournals = 64;
/** So many changes at most go into one transaction: others want to write too. */
const mostAtOnce = 4096;

/** What the live file tells its owner. */
export interface LiveEvents {
  /** Something that these peers watch was committed. */
  onWatched(toRing: ReadonlySet<string>): void;
  /** A higher ceiling should be brought to disk. */
  onLowCeiling(): void;
}

interface Job {
  run(transaction: LiveTransaction): unknown;
  resolve(value: never): void;
  reject(error: unknown): void;
}

/**
 * The live file: everything as it stands, shared by all processes of this boot, and never flushed: the kernel
 * keeps it when processes die, and a boot ends every session and starts a new file from the journals.
 */
export class LiveFile {
  readonly #gate: Gate;
  readonly #db: RootDatabase<Buffer, string>;
  readonly #journals: Journals;
  readonly #clock: Clock;
  readonly #interests = new Interests();
  readonly #events: LiveEvents;
  readonly #turn: EventLoopTurn;
  #jobs: Job[] = [];
  /** The latest revision that a transaction of ours left. */
  #latest: Revision = 0n;

  constructor(
    gate: Gate,
    open: () => RootDatabase<Buffer, string>,
    journals: Journals,
    path: string,
    clock: Clock,
    events: LiveEvents,
  ) {
    this.#gate = gate;
    this.#db = gate.through(open);
    this.#journals = journals;
    this.#clock = clock;
    this.#turn = new EventLoopTurn(clock);
    this.#events = events;
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
    const seen = this.peek((view) => {
      return view.meta.earliestExpiry <= view.now ? overdue : look(view);
    });
    // Overdue sessions must not be seen; to end them is to write.
    return seen === overdue ? this.#runAll((transaction) => look(transaction)) : seen;
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

  /** Makes many journals one: each short-lived client that writes leaves one behind. */
  tidyJournals(): void {
    if (this.#journals.count() > mostJournals) this.beginGeneration();
  }

  /** Frees the reader slots of processes that died reading. */
  forgetDeadReaders(): void {
    this.#db.readerCheck();
  }

  async close(): Promise<void> {
    await this.#db.close();
    await this.#gate.close();
  }

  #runSoon(): void {
    const run = () => {
      this.#runJobs();
    };
    if (this.#turn.isLong) EventLoopTurn.next(run);
    else queueMicrotask(run);
  }

  #runJobs(): void {
    const jobs = this.#jobs;
    this.#jobs = jobs.length > mostAtOnce ? jobs.splice(mostAtOnce) : [];
    if (this.#jobs.length > 0) this.#runSoon();
    let outcomes: unknown[];
    try {
      outcomes = this.#runAll((transaction) => jobs.map((job) => job.run(transaction)));
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return;
    }
    for (let i = 0; i < jobs.length; i++) jobs[i]?.resolve(outcomes[i] as never);
  }

  /**
   * Writes one journal of all unbound keys, and lets go of the others. Nothing else is committed meanwhile,
   * so that it holds whatever was committed in an earlier generation.
   */
  beginGeneration(): void {
    const generation = this.#runAll((transaction) => {
      const { meta } = transaction;
      const next = meta.generation + 1;
      // Also above what another process has raised it to in a journal that goes with this generation.
      transaction.raiseCeiling(meta.revision + ceilingStep);
      this.#journals.begin(next, transaction.unbound(), meta);
      transaction.beginGeneration(next);
      return next;
    });
    this.#journals.forgetBefore(generation);
  }

  #runAll<T>(run: (transaction: LiveTransaction) => T): T {
    let transaction: LiveTransaction | undefined;
    const result = this.#inTransaction(() => {
      transaction = new LiveTransaction(this.#db, this.#clock.now(), this.#interests);
      this.#assertNotUndone(transaction.meta.revision);
      const outcome = run(transaction);
      this.#keepBelowCeiling(transaction);
      transaction.finish();
      return outcome;
    });
    if (transaction) {
      // Only now: what an aborted transaction began with may be of its own making.
      this.#latest = transaction.meta.revision;
      if (transaction.toRing.size > 0) this.#events.onWatched(transaction.toRing);
    }
    return result;
  }

  #inTransaction<T>(run: () => T): T {
    try {
      return this.#gate.through(() => this.#db.transactionSync(run, atOnce));
    } catch (cause) {
      // What was read of the peers may be of the transaction that came to nothing.
      this.#interests.forget();
      if (isLockstepError(cause)) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LockstepError(
        "unavailable",
        `lmdb: the store cannot be written; see that its disk is not full and in order (${reason})`,
        { cause },
      );
    }
  }

  /** What was committed never goes away. If it did, going on might grant a lock twice. */
  #assertNotUndone(revision: Revision): void {
    if (revision >= this.#latest) return;
    throw new LockstepError(
      "unavailable",
      `lmdb: the live file went back from revision ${this.#latest} to ${revision}: it is damaged; stop ` +
        "all processes that use it and delete it: what is unbound is kept in the journals beside it",
    );
  }

  /**
   * No revision is seen by anyone before a higher ceiling is on disk. It is raised when half of the last step
   * is used up, beside the event loop; a store that cannot raise it for the rest of the step stops there.
   */
  #keepBelowCeiling({ meta }: LiveTransaction): void {
    if (!isLow(meta)) return;
    if (meta.revision >= meta.ceiling) {
      throw new LockstepError(
        "unavailable",
        "lmdb: the ceiling of fencing tokens could not be brought to disk; see that there is room",
      );
    }
    this.#events.onLowCeiling();
  }

  /** The first process of a boot fills the live file from the journals; revisions go on from the ceiling. */
  #beginBoot(): void {
    let begun: number | undefined;
    this.#inTransaction(() => {
      if (this.#db.get(metaKey) !== undefined) return;
      const { entries, ceiling: revision } = this.#journals.recover();
      const meta = {
        revision,
        ceiling: revision + ceilingStep,
        earliestExpiry: Infinity,
        peersVersion: 0,
        forgottenUntil: revision,
        logLength: 0,
        logBytes: 0,
        generation: this.#journals.generation() + 1,
        watchedKeys: 0,
      };
      this.#journals.begin(meta.generation, entries, meta);
      for (const entry of entries) this.#db.putSync(entryKey(entry.key), encodeEntry(entry));
      this.#db.putSync(metaKey, encodeMeta(meta));
      begun = meta.generation;
    });
    if (begun !== undefined) this.#journals.forgetBefore(begun);
  }
}

/** Whether it is time to raise the ceiling. */
export function isLow(meta: Meta): boolean {
  return meta.revision + ceilingStep / 2n >= meta.ceiling;
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
