import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkCount } from "./check-count.js";
import type { Held } from "./held.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { Permits, Want } from "./permits.js";
import { runHolding } from "./section.js";

export interface Weight {
  /** How many permits to take at once; one unless given. */
  weight?: number | undefined;
}

const one = new Want();

/**
 * So many permits: at most so many tasks of one event loop at once, or fewer that weigh more. With one permit
 * it is a binary semaphore.
 *
 * *Fairness*: first come, first served; one who wants many permits is not overtaken by those who want few.
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, is never granted, and makes way
 * for those behind it.
 */
export class Semaphore {
  readonly #permits: Permits;

  constructor(permits: number, options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("semaphore", options);
    checkCount("permits", permits);
    this.#permits = new Permits(what, permits, clock);
  }

  /** How many there are, held or free. */
  get permits(): number {
    return this.#permits.total;
  }

  /** How many are free. */
  get free(): number {
    return this.#permits.free;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#permits.waiting();
  }

  /** Takes permits, or waits for them. */
  acquire(options?: Weight & Patience): Promise<Held> {
    if (options === undefined) return this.#permits.take(one);
    const refusal = refusalOf(options, ["weight"]);
    if (refusal !== undefined) return refusal;
    try {
      return this.#permits.take(this.#want(options), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes permits at once if enough are free and nobody waits, without any promise; says null if not. */
  tryAcquire(options?: Weight): Held | null {
    if (options === undefined) return this.#permits.tryTake(one);
    checkOptions(options, ["weight"]);
    return this.#permits.tryTake(this.#want(options));
  }

  /** Acquires, runs the section, releases. */
  run<T>(section: (held: Held) => T, options?: Weight & Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(options), section);
  }

  /**
   * Sets how many permits there are, from now on. What is held stays held: when there are fewer than that,
   * releases free nothing until enough came back. Who waits for more than there are from now on is refused.
   */
  resize(permits: number): void {
    checkCount("permits", permits);
    this.#permits.resize(permits);
  }

  #want({ weight = 1 }: Weight): Want {
    checkCount("weight", weight);
    if (weight > this.#permits.total) throw this.#permits.neverHad(weight);
    return weight === 1 ? one : new Want(weight);
  }
}
