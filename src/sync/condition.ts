import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, whenPatienceEnds, type Patience } from "../base/patience.js";
import { Held } from "./held.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { Mutex } from "./mutex.js";
import { WaitQueue, type Waiter } from "./wait-queue.js";

/** One who has given the mutex up until it is woken. */
interface Sleeper {
  readonly held: Held;
  /** Its place in line for the mutex, once it is woken. */
  acquired?: Promise<Held>;
}

/**
 * Waits, inside a mutex, for something that others bring about inside the same mutex. The wait gives the
 * mutex up, and takes it again before it ends, however it ends: the same `held` is good after it as before.
 *
 *     using held = await mutex.acquire();
 *     while (jobs.length === 0) await added.wait(held);
 *
 * What one waits for may be gone again when one has the mutex, so look again, or let `waitUntil` do it.
 *
 * *Fairness*: first come, first woken. Who is woken joins the line for the mutex there and then, before
 * anyone who asks for it later.
 *
 * *Cancellation*: one who gives up before it is woken takes no call from the others; one who is woken first
 * has been woken, whatever its signal does later. Either way it takes the mutex again, however long that may
 * last, and then resolves or rejects. So await the wait itself: if a race leaves it behind, the mutex comes
 * back to nobody.
 */
export class Condition {
  readonly #mutex: Mutex;
  readonly #what: string;
  readonly #clock: Clock;
  readonly #sleepers: WaitQueue<void, Sleeper>;

  constructor(mutex: Mutex, options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("condition", options);
    if (!(mutex instanceof Mutex)) {
      throw new LockstepError("bad-input", `${what} needs its mutex, as in new Condition(mutex)`);
    }
    this.#mutex = mutex;
    this.#what = what;
    this.#clock = clock;
    this.#sleepers = new WaitQueue(clock, what);
  }

  /** How many wait to be woken. */
  get waiting(): number {
    return this.#sleepers.size;
  }

  /**
   * Gives the mutex up, waits to be woken, and takes it again.
   *
   * *Failure*: rejects with 'misuse', and changes nothing, unless `held` holds the mutex of this condition.
   */
  wait(held: Held, patience?: Patience): Promise<void> {
    return refusalOf(patience) ?? this.#refusalOf(held) ?? this.#sleep(held, patience);
  }

  /**
   * Waits until the predicate is true, which is only asked while the mutex is held: at once, each time that
   * the wait is woken, and once more when the time is up. The patience is for the whole of it.
   *
   * *Failure*: rejects with what the predicate throws, with 'bad-input' when it says neither true nor false,
   * as one that is async does, and with 'misuse' when it ended the hold.
   */
  waitUntil(held: Held, predicate: () => boolean, patience?: Patience): Promise<void> {
    if (typeof predicate !== "function") {
      const example = "condition.waitUntil(held, () => jobs.length > 0)";
      return Promise.reject(new LockstepError("bad-input", `waitUntil needs a predicate, as in ${example}`));
    }
    return refusalOf(patience) ?? this.#refusalOf(held) ?? this.#sleepUntil(held, predicate, patience ?? {});
  }

  /** Wakes the one who came first, if anybody waits. One need not hold the mutex. */
  notifyOne(): void {
    const first = this.#sleepers.shift();
    if (first !== undefined) this.#wake(first);
  }

  /** Wakes all who wait now; they have the mutex one after the other. One need not hold the mutex. */
  notifyAll(): void {
    for (const first of this.#sleepers.drain()) this.#wake(first);
  }

  async #sleepUntil(held: Held, predicate: () => boolean, patience: Patience): Promise<void> {
    if (this.#says(predicate, held)) return;
    if (patience.timeoutMs === 0) return this.#sleep(held, patience);
    let ended: { error: unknown } | undefined;
    let sleeper: Waiter<void, Sleeper> | undefined;
    const { signal, timeoutMs } = patience;
    const callOff = whenPatienceEnds({ timeoutMs }, this.#clock, this.#what, (error) => {
      ended = { error };
      // It is woken, like one that is notified: what it waited for may be there.
      if (sleeper !== undefined && this.#sleepers.remove(sleeper)) this.#wake(sleeper);
    });
    try {
      do {
        if (ended !== undefined) throw ended.error;
        // It may have aborted while the mutex was waited for.
        signal?.throwIfAborted();
        await this.#sleep(held, { signal }, (joined) => (sleeper = joined));
      } while (!this.#says(predicate, held));
    } finally {
      callOff();
    }
  }

  /** What the predicate says. It runs with the mutex held, and must leave it so. */
  #says(predicate: () => boolean, held: Held): boolean {
    const answer = predicate();
    if (!this.#mutex.isHeldBy(held)) {
      throw new LockstepError("misuse", `the predicate of ${this.#what} ended the hold; let it only look`);
    }
    if (typeof answer === "boolean") return answer;
    throw new LockstepError(
      "bad-input",
      `the predicate of ${this.#what} must say true or false at once, not ${String(answer)}`,
    );
  }

  async #sleep(
    held: Held,
    patience?: Patience,
    onJoined?: (sleeper: Waiter<void, Sleeper>) => void,
  ): Promise<void> {
    const sleeper: Sleeper = { held };
    const woken = this.#sleepers.wait(sleeper, patience, onJoined);
    // Without any time to wait it has been refused, and keeps the mutex.
    if (patience?.timeoutMs === 0) return woken;
    held.release();
    try {
      await woken;
    } finally {
      await this.#mutex.arrival(sleeper.acquired ?? this.#mutex.acquireAgain(held));
    }
  }

  /**
   * Out of one queue and into the other in one turn: a notification and the end of a patience cannot both
   * find it asleep, so no notification goes to one who has given up.
   */
  #wake(waiter: Waiter<void, Sleeper>): void {
    waiter.request.acquired = this.#mutex.acquireAgain(waiter.request.held);
    waiter.grant();
  }

  #refusalOf(held: Held): Promise<never> | undefined {
    if (!(held instanceof Held)) {
      const message = `${this.#what} needs what holds its mutex, as in condition.wait(held)`;
      return Promise.reject(new LockstepError("bad-input", message));
    }
    if (this.#mutex.isHeldBy(held)) return undefined;
    const message = `${this.#what} is waited for with its mutex held; acquire that, and pass on its hold`;
    return Promise.reject(new LockstepError("misuse", message));
  }
}
