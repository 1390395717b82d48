import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkCount } from "./check-count.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { WaitQueue } from "./wait-queue.js";

/**
 * Opens once, when so many things have happened, and stays open: wait for the last of several tasks, or let
 * several tasks start at once. One that counts from zero is open from the start.
 *
 * *Fairness*: all who wait go on together, in the order in which they came. *Cancellation*: one who gives up
 * concerns nobody else, and counts nothing.
 */
export class Latch {
  readonly #what: string;
  readonly #waiters: WaitQueue<void>;
  #count: number;

  constructor(count: number, options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("latch", options);
    checkCount("count", count, 0);
    this.#what = what;
    this.#waiters = new WaitQueue(clock, what);
    this.#count = count;
  }

  /** How much is still to be counted down; zero when it is open. */
  get count(): number {
    return this.#count;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Counts down, by one unless told otherwise, and opens at zero.
   *
   * *Failure*: throws 'misuse' rather than count below zero: something happened more often than was expected.
   */
  countDown(by = 1): void {
    checkCount("what is counted down", by);
    if (by > this.#count) {
      throw new LockstepError(
        "misuse",
        `${this.#what} has ${this.#count} left to count down, and not ${by}; begin with a higher count`,
      );
    }
    this.#count -= by;
    if (this.#count > 0) return;
    for (const first of this.#waiters.drain()) first.grant();
  }

  /** Waits until it is open, or goes on at once if it is. */
  wait(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    return this.#count === 0 ? Promise.resolve() : this.#waiters.wait(undefined, patience);
  }
}
