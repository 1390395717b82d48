import { refusalOf, type Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { WaitQueue } from "./wait-queue.js";

/**
 * Something that is so or is not, and those who wait for it to be so: a service is up, a pause is over. Who
 * waits while it is set goes on at once. Not set to begin with.
 *
 * *Fairness*: all who wait go on together, in the order in which they came. They do so even when the event is
 * reset in the same turn. *Cancellation*: one who gives up concerns nobody else.
 */
export class Event {
  readonly #waiters: WaitQueue<void>;
  #isSet = false;

  constructor(options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("event", options);
    this.#waiters = new WaitQueue(clock, what);
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Lets all go on who wait, and all who come until the reset. Changes nothing when it is set already. */
  set(): void {
    this.#isSet = true;
    for (const first of this.#waiters.drain()) first.grant();
  }

  /** From now on one has to wait again. Changes nothing when it is not set. */
  reset(): void {
    this.#isSet = false;
  }

  /** Waits until it is set, or goes on at once if it is. */
  wait(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    return this.#isSet ? Promise.resolve() : this.#waiters.wait(undefined, patience);
  }
}
