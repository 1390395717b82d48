import { refusalOf, type Patience } from "../base/patience.js";
import type { Held } from "./held.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { Permits, Want } from "./permits.js";
import { runHolding } from "./section.js";

const one = new Want();

/**
 * Mutual exclusion among the tasks of one event loop: what lies between two `await`s needs none, what lies
 * across them does.
 *
 * *Fairness*: first come, first served. *Cancellation*: an acquire whose signal aborts or whose time is up
 * rejects, and is never granted. Once granted, it is held, whatever the signal does later.
 *
 * Not reentrant: a holder that acquires again waits for itself. `detectDeadlocks()` finds that.
 */
export class Mutex {
  readonly #permits: Permits;

  constructor(options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("mutex", options);
    this.#permits = new Permits(what, 1, clock);
  }

  /** Whether somebody has it. */
  get isLocked(): boolean {
    return this.#permits.free === 0;
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#permits.waiting();
  }

  /** Takes it, or waits for it. */
  acquire(patience?: Patience): Promise<Held> {
    return refusalOf(patience) ?? this.#permits.take(one, patience);
  }

  /** Takes it at once if it is free, without any promise; says null if it is not. */
  tryAcquire(): Held | null {
    return this.#permits.tryTake(one);
  }

  /** Acquires, runs the section, releases. */
  run<T>(section: (held: Held) => T, patience?: Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(patience), section);
  }

  /** @internal Whether this is who has it. */
  isHeldBy(held: Held): boolean {
    return held.isLentBy(this.#permits);
  }

  /**
   * @internal Joins the line like anyone else, to hold it by the hold that had it before. Whoever will go on
   * with it waits for it by {@link Mutex.arrival}, for it may be another one who joins the line for it.
   */
  acquireAgain(held: Held): Promise<Held> {
    return this.#permits.takeUndelivered(new Want(1, 0, held));
  }

  /** @internal When what was acquired again arrives. */
  arrival(acquired: Promise<Held>): Promise<Held> {
    return this.#permits.arrival(acquired);
  }
}
