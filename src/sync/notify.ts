import { refusalOf, type Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { WaitQueue } from "./wait-queue.js";

/**
 * Wakes those who wait, one for each call, and says nothing but "look again, there may be work". A call that
 * comes while nobody waits is remembered for the next who does, but only once: however many calls there were,
 * they say the same.
 *
 * *Fairness*: first come, first woken. *Cancellation*: one who gives up before it is woken takes nothing away
 * from the others; one who is woken first has been woken, whatever its signal does later.
 */
export class Notify {
  readonly #waiters: WaitQueue<void>;
  /** Nobody waits while this is set: who comes takes it, and it is only set when nobody is there. */
  #isRemembered = false;

  constructor(options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("notification", options);
    this.#waiters = new WaitQueue(clock, what);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Wakes the one who came first, or else the next who comes. */
  notifyOne(): void {
    const first = this.#waiters.shift();
    if (first === undefined) this.#isRemembered = true;
    else first.grant();
  }

  /** Wakes all who wait now. Is not remembered: who comes later was not meant. */
  notifyAll(): void {
    for (const first of this.#waiters.drain()) first.grant();
  }

  /** Waits to be woken, or goes on at once if a call to wake one is remembered, which it then is no more. */
  wait(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (!this.#isRemembered) return this.#waiters.wait(undefined, patience);
    this.#isRemembered = false;
    return Promise.resolve();
  }
}
