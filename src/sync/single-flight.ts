import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { SharedTask } from "./shared-task.js";

/**
 * Calls for the same key share one execution while it runs: a thousand requests for a page that is not in the
 * cache ask the database once. It is no cache: when the execution has ended, the next call starts another.
 * All get the same value, not copies of it.
 *
 * *Cancellation*: a caller's patience ends that caller's wait only. When the last one has left, the signal
 * that the execution was given aborts, and the next call starts another at once, so for as long as the first
 * takes to notice there may be two.
 *
 * *Failure*: an error is given to all who waited, and not remembered.
 */
export class SingleFlight<Key, Value> {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #flights = new Map<Key, SharedTask<Value>>();

  constructor(options: LockOptions = {}) {
    ({ what: this.#what, clock: this.#clock } = checkLockOptions("single flight", options));
  }

  /** How many keys are being worked on. */
  get size(): number {
    return this.#flights.size;
  }

  /** What the task gives, or the one that runs for this key already; then this one is not called. */
  run(
    key: Key,
    task: (signal: AbortSignal) => Value | PromiseLike<Value>,
    patience?: Patience,
  ): Promise<Value> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (typeof task !== "function") {
      return Promise.reject(
        new LockstepError("bad-input", "run needs a key and the task, as in run(id, (signal) => load(id))"),
      );
    }
    const flight = this.#flights.get(key);
    return flight === undefined ? this.#start(key, task, patience) : flight.join(patience);
  }

  /** Lets the next call for this key start anew, as after a write; those who wait now wait on as they did. */
  forget(key: Key): void {
    this.#flights.delete(key);
  }

  #start(
    key: Key,
    task: (signal: AbortSignal) => Value | PromiseLike<Value>,
    patience: Patience | undefined,
  ): Promise<Value> {
    const controller = new AbortController();
    // A flight that was forgotten must not take away the one that came after it.
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    const flight = new SharedTask<Value>(this.#what, this.#clock, () => {
      land();
      controller.abort();
    });
    const value = flight.join(patience);
    // Who has no time to wait starts nothing.
    if (flight.isAwaited) {
      this.#flights.set(key, flight);
      void flight.start(() => task(controller.signal), land);
    }
    return value;
  }
}
