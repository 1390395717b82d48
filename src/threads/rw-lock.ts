import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import type { Held } from "../sync/held.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { runHolding } from "../sync/section.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";
import { PermitLine } from "./permit-line.js";
import { ReadHeld, WriteHeld } from "./rw-lock-held.js";
import { runHoldingSync } from "./section.js";

/** More readers than there will ever be; a writer takes all of it. */
const everyone = 2 ** 30;

/** What opens a read-write lock in another thread. */
export interface RwLockHandle extends Handle<"rw-lock"> {
  readonly name: string | undefined;
}

/**
 * Many readers at once, or one writer, among threads.
 *
 * *Fairness*: first come, first served, and readers that stand side by side go in together. A thread that
 * blocks to read while it reads already goes in at once, for the writer in front of it waits for it; a task
 * that reads must not ask to read again.
 *
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, is never granted, and makes way
 * for those behind it.
 *
 * *Failure*: a reader that dies has harmed nothing, and reads no more. When a writer dies, all who wait and
 * all who come get 'lost', for what the lock guards may be half written. `recover` takes it over, for whoever
 * mends that.
 */
export class RwLock {
  /** Opens the same lock in another thread, by `RwLock.from`. */
  readonly handle: RwLockHandle;
  /** To be held by many at once. */
  readonly read: RwLockSide<ReadHeld>;
  /** To be held by one alone. */
  readonly write: RwLockSide<WriteHeld>;
  readonly #line: PermitLine;

  constructor(options: LockOptions = {}, /** @internal */ handle?: RwLockHandle) {
    const { what, clock } = checkLockOptions("read-write lock", options);
    this.handle =
      handle ?? makeHandle("rw-lock", allocate(PermitLine.bytes), Liveness.here, { name: options.name });
    const { memory, threads } = this.handle;
    const line = new PermitLine(memory, Liveness.of(threads), clock, what, everyone);
    if (handle === undefined) line.total = everyone;
    this.#line = line;
    this.read = new RwLockSide(line, "read", 1, () => new ReadHeld(line));
    this.write = new RwLockSide(line, "write", everyone, () => new WriteHeld(line));
  }

  /** The lock of that handle. */
  static from(handle: RwLockHandle, options: OpenOptions = {}): RwLock {
    checkHandle("rw-lock", handle, PermitLine.bytes);
    checkOptions(options, ["clock"]);
    return new RwLock({ name: handle.name, clock: options.clock }, handle);
  }

  /**
   * Takes the lock over from a writer that died with it, to mend what it guards; null when there is no such.
   * While it is held others wait for it as ever, and its release makes it whole.
   */
  recover(): WriteHeld | null {
    return this.#line.tryRecover() ? new WriteHeld(this.#line) : null;
  }
}

/** One of the two ways to hold a read-write lock, in the shape of a mutex. */
export class RwLockSide<H extends Held> {
  readonly #line: PermitLine;
  readonly #name: "read" | "write";
  readonly #weight: number;
  readonly #issue: () => H;

  /** @internal */
  constructor(line: PermitLine, name: "read" | "write", weight: number, issue: () => H) {
    this.#line = line;
    this.#name = name;
    this.#weight = weight;
    this.#issue = issue;
  }

  /** Takes it, or blocks the thread until it can: in workers. */
  lockSync(patience?: SyncPatience): H {
    Futex.checkMayBlock(patience, `await rwLock.${this.#name}.acquire()`);
    this.#line.takeSync(this.#weight, patience?.timeoutMs);
    return this.#issue();
  }

  /** Takes it, or waits for it. */
  async acquire(patience?: Patience): Promise<H> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    await this.#line.take(this.#weight, patience ?? {});
    return this.#issue();
  }

  /** Takes it at once if it may; says null if it may not. */
  tryAcquire(): H | null {
    return this.#line.tryTake(this.#weight) ? this.#issue() : null;
  }

  /** Locks, runs the section, releases: in workers. */
  runSync<T>(section: (held: H) => T, patience?: SyncPatience): T {
    return runHoldingSync(() => this.lockSync(patience), section);
  }

  /** Acquires, runs the section, releases. */
  run<T>(section: (held: H) => T, patience?: Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(patience), section);
  }
}
