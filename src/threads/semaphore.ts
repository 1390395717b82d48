import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkCount } from "../sync/check-count.js";
import { Held } from "../sync/held.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { runHolding } from "../sync/section.js";
import type { Weight } from "../sync/semaphore.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";
import { PermitLine } from "./permit-line.js";
import { runHoldingSync } from "./section.js";

/** More permits than there will ever be threads and tasks to take them. */
const mostPermits = 2 ** 30;

/** What opens a semaphore in another thread. */
export interface SemaphoreHandle extends Handle<"semaphore"> {
  readonly name: string | undefined;
}

/**
 * So many permits: at most so many threads or tasks at once, or fewer that weigh more.
 *
 * *Fairness*: first come, first served; one who wants many permits is not overtaken by those who want few,
 * save by a thread that blocks for more while it holds some, for all others may be waiting for it. The tasks
 * of one thread stand in line as one, and are served in their order.
 *
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, is never granted, and makes way
 * for those behind it.
 *
 * *Failure*: the permits of a thread that died are free again. What one permit is to keep whole, such as data
 * that only one may write, needs a `Mutex`, which tells of the death.
 */
export class Semaphore {
  /** Opens the same semaphore in another thread, by `Semaphore.from`. */
  readonly handle: SemaphoreHandle;
  readonly #line: PermitLine;

  constructor(permits: number, options: LockOptions = {}, /** @internal */ handle?: SemaphoreHandle) {
    const { what, clock } = checkLockOptions("semaphore", options);
    if (handle === undefined) checkPermits("permits", permits);
    this.handle =
      handle ?? makeHandle("semaphore", allocate(PermitLine.bytes), Liveness.here, { name: options.name });
    this.#line = new PermitLine(this.handle.memory, Liveness.of(this.handle.threads), clock, what);
    if (handle === undefined) this.#line.total = permits;
  }

  /** The semaphore of that handle. */
  static from(handle: SemaphoreHandle, options: OpenOptions = {}): Semaphore {
    checkHandle("semaphore", handle, PermitLine.bytes);
    checkOptions(options, ["clock"]);
    return new Semaphore(0, { name: handle.name, clock: options.clock }, handle);
  }

  /** How many there are, held or free. */
  get permits(): number {
    return this.#line.total;
  }

  /** How many are free. */
  get free(): number {
    return this.#line.free;
  }

  /** Takes permits, or blocks the thread until it can: in workers. */
  acquireSync(options?: Weight & SyncPatience): Held {
    Futex.checkMayBlock(options, "await semaphore.acquire()", ["weight"]);
    const weight = this.#weightOf(options);
    this.#line.takeSync(weight, options?.timeoutMs);
    return new Held(this.#line, weight);
  }

  /** Takes permits, or waits for them. */
  async acquire(options: Weight & Patience = {}): Promise<Held> {
    const refusal = refusalOf(options, ["weight"]);
    if (refusal !== undefined) return refusal;
    const weight = this.#weightOf(options);
    await this.#line.take(weight, options);
    return new Held(this.#line, weight);
  }

  /** Takes permits at once if enough are free and nobody waits; says null if not. */
  tryAcquire(options?: Weight): Held | null {
    if (options !== undefined) checkOptions(options, ["weight"]);
    const weight = this.#weightOf(options);
    return this.#line.tryTake(weight) ? new Held(this.#line, weight) : null;
  }

  /** Acquires, runs the section, releases: in workers. */
  runSync<T>(section: (held: Held) => T, options?: Weight & SyncPatience): T {
    return runHoldingSync(() => this.acquireSync(options), section);
  }

  /** Acquires, runs the section, releases. */
  run<T>(section: (held: Held) => T, options?: Weight & Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(options), section);
  }

  #weightOf({ weight = 1 }: Weight = {}): number {
    checkCount("weight", weight);
    if (weight <= this.permits) return weight;
    throw new LockstepError(
      "bad-input",
      `weight ${weight} will never be had: ${this.#line.what} has ${this.permits} permits; take less`,
    );
  }
}

function checkPermits(name: string, permits: number): void {
  checkCount(name, permits);
  if (permits <= mostPermits) return;
  throw new LockstepError("bad-input", `${name} must be at most ${mostPermits}, not ${permits}`);
}
