import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import type { Lease } from "./pool-lease.js";
import { checkPoolOptions, type PoolOptions } from "./pool-options.js";
import { PoolSupply } from "./pool-supply.js";

/**
 * Lends a few resources that are dear to make, such as connections, to many who need one for a while.
 *
 * *Fairness*: first come, first served. *Cancellation*: an acquire whose signal aborts or whose time is up
 * rejects, and is never granted; what was being made for it goes to the next in line, or is kept.
 * *Failure*: a make that fails rejects the first in line, and is not repeated unless somebody asks for one.
 *
 * However the hooks behave, there are never more than `max`, each is lent to one at a time and destroyed
 * once, and no place is lost: a hook that takes longer than `hookTimeoutMs` has failed.
 */
export class Pool<T> {
  readonly #what: string;
  readonly #supply: PoolSupply<T>;

  constructor(options: PoolOptions<T>) {
    const plan = checkPoolOptions(options);
    this.#what = plan.what;
    this.#supply = new PoolSupply(plan);
  }

  /** How many there are: lent, idle, or in the hands of a hook, save those being destroyed. */
  get size(): number {
    return this.#supply.size;
  }

  /** How many are ready to be lent. */
  get idle(): number {
    return this.#supply.idle;
  }

  /** How many are lent. */
  get lent(): number {
    return this.#supply.lent;
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#supply.waiting;
  }

  /** Takes one that is idle, or a new one, or waits for one. */
  acquire(patience?: Patience): Promise<Lease<T>> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (this.#supply.isClosed) return Promise.reject(this.#closed());
    return patience?.timeoutMs === 0 ? this.#acquireAtOnce(patience) : this.#supply.lend(patience);
  }

  /**
   * Takes one if that takes no time, unless others wait; says null if not. Where make or check gives a
   * promise, it takes time; what comes of it is for the next who asks.
   *
   * *Failure*: throws what make throws, and 'closed' when the pool is.
   */
  tryAcquire(): Lease<T> | null {
    if (this.#supply.isClosed) throw this.#closed();
    return this.#supply.lendAtOnce();
  }

  /** Acquires one, runs the section, gives it back, unless the section has done so itself. */
  async run<R>(section: (resource: T, lease: Lease<T>) => R, patience?: Patience): Promise<Awaited<R>> {
    if (typeof section !== "function") {
      throw new LockstepError(
        "bad-input",
        "run needs the section to run, as in run(async (resource) => { … })",
      );
    }
    const lease = await this.acquire(patience);
    try {
      return await section(lease.resource, lease);
    } finally {
      lease[Symbol.dispose]();
    }
  }

  /**
   * Lends no more: rejects those who wait with 'closed', destroys what is idle at once and the rest as it
   * comes back, and resolves when all are destroyed. A second call waits for the same.
   *
   * *Cancellation*: when the patience ends first, it rejects; the pool is closed all the same.
   * *Failure*: rejects with an AggregateError when recycle or destroy failed and there was no `onError` to
   * hear of it.
   */
  close(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (!this.#supply.isClosed) this.#supply.beginClosing(() => this.#closed());
    return this.#supply.end(patience);
  }

  /** Closes it, and waits for all that it has lent. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #acquireAtOnce(patience: Patience): Promise<Lease<T>> {
    // With no time to wait, `lend` says so.
    return this.#supply.lendAtOnce() ?? this.#supply.lend(patience);
  }

  #closed(): LockstepError {
    return new LockstepError("closed", `${this.#what} is closed, and lends no more`);
  }
}
