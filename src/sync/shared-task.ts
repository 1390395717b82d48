import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import { detached } from "./deadlock-watch.js";
import { WaitQueue } from "./wait-queue.js";

/**
 * A task that runs once, and those who wait for what comes of it. Whoever loses patience leaves, and leaves
 * nothing behind: handlers on a shared promise would stay until the task ends.
 */
export class SharedTask<Value> {
  readonly #what: string;
  readonly #waiting: WaitQueue<Value>;
  #isStarting = false;

  /** `onDeserted` is called when all who waited have lost their patience. */
  constructor(what: string, clock: Clock, onDeserted?: () => void) {
    this.#what = what;
    this.#waiting = new WaitQueue<Value>(clock, what, () => {
      if (this.#waiting.isEmpty) onDeserted?.();
    });
  }

  /** Whether anybody waits for it. */
  get isAwaited(): boolean {
    return !this.#waiting.isEmpty;
  }

  /** Waits for what comes of it. The patience must have been checked. */
  join(patience?: Patience): Promise<Value> {
    if (!this.#isStarting) return this.#waiting.wait(undefined, patience);
    return Promise.reject(
      new LockstepError(
        "misuse",
        `${this.#what} was asked for by the very function that makes it, which would wait for itself ` +
          `for ever; make what it needs apart`,
      ),
    );
  }

  /** Runs the task. `onEnd` is told before anybody is: with the value, or with nothing when it failed. */
  async start(
    task: () => Value | PromiseLike<Value>,
    onEnd: (made?: { value: Value }) => void,
  ): Promise<void> {
    try {
      const value = await this.#call(task);
      onEnd({ value });
      for (let waiter = this.#waiting.shift(); waiter; waiter = this.#waiting.shift()) waiter.grant(value);
    } catch (error) {
      onEnd();
      for (let waiter = this.#waiting.shift(); waiter; waiter = this.#waiting.shift()) waiter.refuse(error);
    }
  }

  #call(task: () => Value | PromiseLike<Value>): Value | PromiseLike<Value> {
    this.#isStarting = true;
    try {
      // It goes on for the others when the first to ask has left: what that one holds is not held by it.
      return detached(task);
    } finally {
      this.#isStarting = false;
    }
  }
}
