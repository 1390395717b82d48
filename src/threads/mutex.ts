import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { Held, type Lender } from "../sync/held.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { runHolding } from "../sync/section.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import { LockWord } from "./lock-word.js";
import type { OpenOptions } from "./open-options.js";
import { runHoldingSync } from "./section.js";

// The word, and a number that tells the mutexes of a process apart.
const wordAt = 0;
const numberAt = 1;
const bytes = 2 * Int32Array.BYTES_PER_ELEMENT;

export type { OpenOptions };

/** What opens a mutex in another thread. */
export interface MutexHandle extends Handle<"mutex"> {
  readonly name: string | undefined;
}

/**
 * Mutual exclusion among threads.
 *
 * *Fairness*: for the sake of speed a running thread may overtake sleeping ones, but not for longer than a
 * few milliseconds: then it is handed to those that sleep. The tasks of one thread are served in their order.
 *
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, and is never granted. Once
 * granted, it is held, whatever the signal does later.
 *
 * *Failure*: when a thread dies while it holds the mutex, all who wait and all who come get 'lost', for what
 * it guards may be half written. `recover` takes it over, for whoever mends that.
 *
 * Not reentrant: a task that acquires what its thread holds waits until another task releases it, and a
 * thread that would block on what it holds gets 'misuse'.
 */
export class Mutex implements Lender {
  /** Opens the same mutex in another thread, by `Mutex.from`. */
  readonly handle: MutexHandle;
  /** @internal */
  readonly word: LockWord;
  /** @internal Tells the mutexes of a process apart, however often each is opened. */
  readonly number: number;

  constructor(options: LockOptions = {}, /** @internal */ handle = newHandle(options)) {
    const { what, clock } = checkLockOptions("mutex", options);
    this.handle = handle;
    const words = new Int32Array(handle.memory);
    this.word = new LockWord(words, wordAt, Liveness.of(handle.threads), clock, what);
    this.number = words[numberAt]!;
  }

  /** The mutex of that handle. */
  static from(handle: MutexHandle, options: OpenOptions = {}): Mutex {
    checkHandle("mutex", handle, bytes);
    checkOptions(options, ["clock"]);
    return new Mutex({ name: handle.name, clock: options.clock }, handle);
  }

  /** Whether somebody has it. */
  get isLocked(): boolean {
    return this.word.isLocked;
  }

  /** Takes it, or blocks the thread until it can: in workers. */
  lockSync(patience?: SyncPatience): Held {
    Futex.checkMayBlock(patience, "await mutex.acquire()");
    this.word.lockSync(patience?.timeoutMs);
    return new Held(this, 1);
  }

  /** Takes it, or waits for it. */
  async acquire(patience?: Patience): Promise<Held> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (!this.word.tryLock()) await this.word.lock(patience ?? {});
    return new Held(this, 1);
  }

  /** Takes it at once if it is free and no task of this thread waits for it; says null otherwise. */
  tryAcquire(): Held | null {
    return this.word.tryLock() ? new Held(this, 1) : null;
  }

  /** Locks, runs the section, releases: in workers. */
  runSync<T>(section: (held: Held) => T, patience?: SyncPatience): T {
    return runHoldingSync(() => this.lockSync(patience), section);
  }

  /** Acquires, runs the section, releases. */
  run<T>(section: (held: Held) => T, patience?: Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(patience), section);
  }

  /**
   * Takes the mutex over from a thread that died with it, to mend what it guards; null when there is no such.
   * While it is held others wait for it as ever, and its release makes it whole.
   */
  recover(): Held | null {
    return this.word.tryRecover() ? new Held(this, 1) : null;
  }

  /** @internal */
  get what(): string {
    return this.word.what;
  }

  /** @internal */
  takeBack(): void {
    this.word.unlock();
  }
}

function newHandle(options: LockOptions): MutexHandle {
  checkLockOptions("mutex", options);
  const memory = allocate(bytes);
  const liveness = Liveness.here;
  new Int32Array(memory)[numberAt] = liveness.table.nextNumber();
  return makeHandle("mutex", memory, liveness, { name: options.name });
}
