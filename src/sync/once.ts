import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { SharedTask } from "./shared-task.js";

/**
 * Does a thing once, whoever comes first: migrations, a warm-up, a registration. All who come while it is
 * being done wait for it; afterwards `run` costs nothing. For a value made once, see {@link Lazy}.
 *
 * *Cancellation*: a caller's patience ends that caller's wait only. What was begun goes on, even when nobody
 * waits any more, and counts when it succeeds: it is never done twice at the same time.
 *
 * *Failure*: an error is given to all who waited for this attempt, and not remembered: the next call tries
 * again.
 */
export class Once {
  readonly #what: string;
  readonly #clock: Clock;
  #attempt: SharedTask<void> | undefined;
  #isDone = false;

  constructor(options: LockOptions = {}) {
    ({ what: this.#what, clock: this.#clock } = checkLockOptions("once", options));
  }

  /** Whether it has been done. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Resolves when it has been done: by this action, or by that of whoever came first. */
  run(action: () => unknown, patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (typeof action !== "function") {
      return Promise.reject(
        new LockstepError("bad-input", "run needs the action to do once, as in run(async () => { … })"),
      );
    }
    if (this.#isDone) return Promise.resolve();
    if (this.#attempt !== undefined) return this.#attempt.join(patience);
    const attempt = new SharedTask<void>(this.#what, this.#clock);
    const done = attempt.join(patience);
    // Who has no time to wait starts nothing.
    if (attempt.isAwaited) this.#start(attempt, action);
    return done;
  }

  #start(attempt: SharedTask<void>, action: () => unknown): void {
    this.#attempt = attempt;
    const task = async () => {
      await action();
    };
    void attempt.start(task, (done) => {
      this.#attempt = undefined;
      this.#isDone = done !== undefined;
    });
  }
}
