import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { checkPatience, refusalOf, type Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { mapLimited } from "./map-limited.js";
import { Permits, Want } from "./permits.js";
import { RateTurnstile } from "./rate-turnstile.js";
import { Rate } from "./rate.js";
import { WaitQueue } from "./wait-queue.js";

interface AtOnce {
  /** How many tasks may run at once. */
  concurrency: number;
  limit?: undefined;
  intervalMs?: undefined;
}

interface PerInterval {
  /** How many tasks may run at once; without it, any number. */
  concurrency?: number | undefined;
  /** How many tasks may start in any interval, wherever one begins to count. */
  limit: number;
  intervalMs: number;
}

/** One of the two, or both. */
export type LimiterOptions = LockOptions & (AtOnce | PerInterval);

const one = new Want();

/**
 * Runs tasks, so many at once at most, or so many in each interval, or both.
 *
 * *Fairness*: tasks start in the order in which they were given.
 * *Cancellation*: a task whose signal aborts or whose time is up before it starts never starts. One that has
 * started runs to its end.
 * *Failure*: a task that fails is its caller's affair; the others go on.
 */
export class Limiter {
  readonly #clock: Clock;
  readonly #permits: Permits;
  readonly #turnstile: RateTurnstile | undefined;
  readonly #untilIdle: WaitQueue<void>;

  constructor(options: LimiterOptions) {
    const { what, clock } = checkLockOptions("limiter", options, ["concurrency", "limit", "intervalMs"]);
    const { concurrency, limit, intervalMs } = options as LockOptions & Partial<PerInterval>;
    if (concurrency === undefined && limit === undefined) {
      throw new LockstepError(
        "bad-input",
        "a limiter needs `concurrency`, so many at once, or `limit` and `intervalMs`, so many in a time",
      );
    }
    checkConcurrency(concurrency);
    this.#clock = clock;
    // More than there can be tasks stands for no limit.
    this.#permits = new Permits(what, concurrency ?? Number.MAX_SAFE_INTEGER, clock);
    if (limit !== undefined || intervalMs !== undefined) {
      const { name } = options;
      // It refuses one without the other.
      const rate = {
        algorithm: "sliding-window",
        limit: limit!,
        intervalMs: intervalMs!,
        name,
        clock,
      } as const;
      this.#turnstile = new RateTurnstile(new Rate("limiter", rate));
    }
    this.#untilIdle = new WaitQueue<void>(clock, `the idleness of ${what}`);
  }

  /** How many tasks run. */
  get active(): number {
    return this.#taken - this.#awaitingRate;
  }

  /** How many tasks wait to start. */
  get waiting(): number {
    return this.#permits.waiting() + this.#awaitingRate;
  }

  /** Runs the task when it may start, and gives what it gives. With `timeoutMs: 0`, now or never. */
  run<T>(task: () => T, patience?: Patience): Promise<Awaited<T>> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (typeof task !== "function") return Promise.reject(noTask("run"));
    return this.#run(task, patience);
  }

  /** The same function, whose every call waits for its turn. */
  wrap<Inputs extends unknown[], T>(
    task: (...inputs: Inputs) => T,
  ): (...inputs: Inputs) => Promise<Awaited<T>> {
    if (typeof task !== "function") throw noTask("wrap");
    return (...inputs) => this.run(() => task(...inputs));
  }

  /**
   * Runs the task for each item, and gives what they give, in the order of the items. An item is taken when
   * the one before it has started, so a source without end, or larger than memory, is no burden.
   *
   * *Cancellation* and *Failure*: at the first failure, of a task or of the source, or when the signal
   * aborts, no more items are taken; when the tasks that run have ended, it rejects with that. None of them
   * goes on afterwards.
   */
  map<Item, T>(
    items: (Iterable<Item> | AsyncIterable<Item>) & object,
    task: (item: Item, index: number) => T,
    options: Pick<Patience, "signal"> = {},
  ): Promise<Awaited<T>[]> {
    try {
      checkOptions(options, ["signal"]);
      checkPatience(options);
      if (typeof task !== "function") throw noTask("map");
      checkItems(items);
    } catch (error) {
      return Promise.reject(error);
    }
    return mapLimited((each, patience) => this.run(each, patience), items, task, options.signal);
  }

  /** Resolves as soon as no task runs or waits. */
  whenIdle(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    return this.#isIdle ? Promise.resolve() : this.#untilIdle.wait(undefined, patience);
  }

  /** Tasks that have a place, and wait for the rate. */
  get #awaitingRate(): number {
    return this.#turnstile === undefined ? 0 : this.#turnstile.waiting;
  }

  /** Places that are taken, by tasks that run or wait for the rate. */
  get #taken(): number {
    return this.#permits.total - this.#permits.free;
  }

  get #isIdle(): boolean {
    return this.#taken === 0 && this.#permits.waiting() === 0;
  }

  async #run<T>(task: () => T, patience: Patience | undefined): Promise<Awaited<T>> {
    const signal = patience?.signal;
    const turnstile = this.#turnstile;
    const calledAt = turnstile === undefined ? 0 : this.#clock.now();
    const held = await this.#permits.take(one, patience);
    try {
      // Between what was granted and this line lie some turns of promises, in which it may have aborted.
      signal?.throwIfAborted();
      // First a place, then the rate: a task counts for it in the very step in which it is called.
      if (turnstile !== undefined && !turnstile.tryStart()) {
        await turnstile.turn(this.#restOf(patience, calledAt));
        turnstile.start(signal);
      }
      return await task();
    } finally {
      held.release();
      this.#tellIfIdle();
    }
  }

  /** The patience that is left of that which a caller had. */
  #restOf({ signal, timeoutMs }: Patience = {}, calledAt: number): Patience {
    return { signal, timeoutMs: timeoutMs && Math.max(0, calledAt + timeoutMs - this.#clock.now()) };
  }

  #tellIfIdle(): void {
    if (this.#isIdle) for (const waiter of this.#untilIdle.drain()) waiter.grant();
  }
}

function checkConcurrency(concurrency: number | undefined): void {
  if (concurrency === undefined || (Number.isSafeInteger(concurrency) && concurrency > 0)) return;
  throw new LockstepError(
    "bad-input",
    `concurrency must be a whole number from 1 up, not ${String(concurrency)}; leave it out to have no limit`,
  );
}

function noTask(method: string): LockstepError {
  return new LockstepError("bad-input", `${method} needs the task to run: a function`);
}

function checkItems(items: unknown): void {
  if (typeof items === "object" && items !== null) {
    if (Symbol.iterator in items || Symbol.asyncIterator in items) return;
  }
  throw new LockstepError("bad-input", "map needs the items first, an array or another iterable");
}
