import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, whenPatienceEnds, type Patience } from "../base/patience.js";
import { checkAttempts } from "../base/retry-loop.js";
import { shown } from "../base/shown.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { WaitQueue } from "./wait-queue.js";

export interface UpdateOptions extends Patience {
  /** How often to try at most; without it, until it goes through. */
  attempts?: number | undefined;
}

/**
 * A value that tasks share, for what lies across an `await`: there, reading, changing and writing back loses
 * what another task wrote in between. Code without an `await` in it is atomic by itself.
 *
 * Two values are the same when `Object.is` says so. Setting the same value again is no change.
 */
export class AtomicRef<T> {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #waiting: WaitQueue<T, (value: T) => boolean>;
  #value: T;
  /** Rises with each change, so that a value that went and came back does not look untouched. */
  #version = 0;

  constructor(initial: T, options: LockOptions = {}) {
    ({ what: this.#what, clock: this.#clock } = checkLockOptions("reference", options));
    this.#value = initial;
    this.#waiting = new WaitQueue(this.#clock, `the wanted value of ${this.#what}`);
  }

  get(): T {
    return this.#value;
  }

  set(next: T): void {
    if (Object.is(this.#value, next)) return;
    this.#value = next;
    this.#version++;
    if (!this.#waiting.isEmpty) this.#tell();
  }

  /** Sets it, and returns what it was before. */
  getAndSet(next: T): T {
    const before = this.#value;
    this.set(next);
    return before;
  }

  /** Sets it only if it is still the expected value; says whether it was. */
  compareAndSet(expected: T, next: T): boolean {
    if (!Object.is(this.#value, expected)) return false;
    this.set(next);
    return true;
  }

  /**
   * Sets it to what `change` makes of it, and resolves with that. If another changed it while `change` was
   * waiting for something, `change` is called again with the new value: it must have no effects of its own.
   * A `change` that does not wait takes effect before `update` returns.
   *
   * *Fairness*: none. Some update always goes through, but a slow one may be overtaken again and again; where
   * many wait for something, a `Mutex` does the work once each.
   * *Cancellation*: a caller whose patience ends changes nothing from then on.
   * *Failure*: rejects with 'retries-exhausted' after so many `attempts`, and with what `change` throws.
   */
  update(change: (current: T) => T | PromiseLike<T>, options: UpdateOptions = {}): Promise<T> {
    const refusal = refusalOf(options, ["attempts"]);
    if (refusal !== undefined) return refusal;
    const { attempts = Infinity } = options;
    if (typeof change !== "function") {
      return Promise.reject(
        new LockstepError(
          "bad-input",
          "update needs what makes the new value of the old, as in update((n) => n + 1)",
        ),
      );
    }
    try {
      checkAttempts(attempts);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const caller = { hasLeft: false, signal: options.signal };
      const callOff = whenPatienceEnds(options, this.#clock, `an update of ${this.#what}`, (error) => {
        caller.hasLeft = true;
        reject(error);
      });
      void this.#tryToUpdate(change, attempts, caller).then(resolve, reject).finally(callOff);
    });
  }

  /**
   * Resolves with the first value that `accepts` says yes to: the present one, or one that it is set to
   * later. Each value is looked at when it is set, so none is missed, however short it lasts; it may have
   * changed again by the time that the waiting code goes on. `accepts` must say true or false at once.
   */
  wait<S extends T>(accepts: (value: T) => value is S, patience?: Patience): Promise<S>;
  wait(accepts: (value: T) => boolean, patience?: Patience): Promise<T>;
  wait(accepts: (value: T) => boolean, patience?: Patience): Promise<T> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (typeof accepts !== "function") {
      return Promise.reject(
        new LockstepError("bad-input", "wait needs to know what for, as in wait((value) => value > 0)"),
      );
    }
    try {
      const value = this.#value;
      const isAccepted = says(accepts, value);
      patience?.signal?.throwIfAborted();
      if (isAccepted) return Promise.resolve(value);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#waiting.wait(accepts, patience);
  }

  async #tryToUpdate(
    change: (current: T) => T | PromiseLike<T>,
    attempts: number,
    caller: { readonly hasLeft: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<T> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const version = this.#version;
      const changed = change(this.#value);
      // Nobody else can have run since: it was `change` itself, and it would do so each time.
      if (this.#version !== version) {
        // What becomes of it is nobody's business any more.
        if (isPromiseLike(changed)) Promise.resolve(changed).catch(() => undefined);
        throw new LockstepError(
          "misuse",
          `the update of ${this.#what} set it itself; return the value instead`,
        );
      }
      const next = isPromiseLike(changed) ? await changed : changed;
      // Nobody hears of this any more.
      if (caller.hasLeft) return next;
      // It may have aborted, and we may be the last to be told.
      caller.signal?.throwIfAborted();
      if (this.#version === version) {
        this.set(next);
        return next;
      }
    }
    throw new LockstepError(
      "retries-exhausted",
      `${this.#what} was changed by others during each of ${attempts} attempts to update it; ` +
        `allow more, or guard it with a Mutex`,
    );
  }

  #tell(): void {
    // Each is asked about the value as it is then: one that is asked may set it.
    for (const waiter of [...this.#waiting]) {
      // One whose signal has aborted will be told soon, and may be told after those who set it by that.
      if (!waiter.isWaiting || waiter.signal?.aborted === true) continue;
      try {
        const value = this.#value;
        if (says(waiter.request, value) && this.#waiting.remove(waiter)) waiter.grant(value);
      } catch (error) {
        if (this.#waiting.remove(waiter)) waiter.refuse(error);
      }
    }
  }
}

/** What it says; a promise would be a yes for whoever does not look. */
function says<T>(accepts: (value: T) => boolean, value: T): boolean {
  const answer: unknown = accepts(value);
  if (typeof answer === "boolean") return answer;
  throw new LockstepError(
    "bad-input",
    `what wait is given must say true or false, and at once; it returned ${shown(answer)}`,
  );
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
