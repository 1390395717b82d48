import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { SharedTask } from "./shared-task.js";

/**
 * A value that is made when it is first asked for, and once: a connection, a parsed file, a compiled schema.
 * All who ask while it is being made get the same one.
 *
 * *Cancellation*: a caller's patience ends that caller's wait only. What is being made is made to the end,
 * and kept, even when nobody waits any more.
 *
 * *Failure*: an error is given to all who waited for this attempt, and not kept: the next to ask tries again.
 */
export class Lazy<T> {
  readonly #make: () => T | PromiseLike<T>;
  readonly #what: string;
  readonly #clock: Clock;
  #attempt: SharedTask<T> | undefined;
  #made: { value: T } | undefined;

  constructor(make: () => T | PromiseLike<T>, options: LockOptions = {}) {
    ({ what: this.#what, clock: this.#clock } = checkLockOptions("lazy value", options));
    if (typeof make !== "function") {
      throw new LockstepError(
        "bad-input",
        "a lazy value needs what makes it, as in new Lazy(() => connect())",
      );
    }
    this.#make = make;
  }

  /** Whether it has been made. */
  get isReady(): boolean {
    return this.#made !== undefined;
  }

  /** The value if it has been made; asking here makes nothing. */
  get value(): T | undefined {
    return this.#made?.value;
  }

  /** The value; makes it if need be. */
  get(patience?: Patience): Promise<T> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (this.#made !== undefined) return Promise.resolve(this.#made.value);
    if (this.#attempt !== undefined) return this.#attempt.join(patience);
    const attempt = new SharedTask<T>(this.#what, this.#clock);
    const value = attempt.join(patience);
    // Who has no time to wait starts nothing.
    if (attempt.isAwaited) this.#start(attempt);
    return value;
  }

  /**
   * Forgets the value, so that the next to ask has it made again. One that is being made just now is still
   * given to those who wait for it, and to nobody after them.
   */
  reset(): void {
    this.#made = undefined;
    this.#attempt = undefined;
  }

  #start(attempt: SharedTask<T>): void {
    this.#attempt = attempt;
    void attempt.start(this.#make, (made) => {
      // Nobody may be given what was begun before a reset.
      if (this.#attempt !== attempt) return;
      this.#attempt = undefined;
      this.#made = made;
    });
  }
}
