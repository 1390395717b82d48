/** One who waits: a link of its queue, so that leaving from the middle costs nothing. */
export interface Waiter<T> {
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
  /** Ends what would give the wait up: timer, abort listener. */
  callOff: (() => void) | undefined;
  before: Waiter<T> | undefined;
  after: Waiter<T> | undefined;
  waiting: boolean;
}

/**
 * Those who wait, first come, first served.
 *
 * A waiter is settled by whoever takes it out, and only while it is in: the queue itself decides every race
 * between being served and giving up, since one event loop runs `shift` and `remove` one after the other.
 */
export class WaitQueue<T> {
  #first: Waiter<T> | undefined;
  #last: Waiter<T> | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  push(resolve: (value: T) => void, reject: (error: unknown) => void): Waiter<T> {
    const waiter: Waiter<T> = {
      resolve,
      reject,
      callOff: undefined,
      before: this.#last,
      after: undefined,
      waiting: true,
    };
    if (this.#last) this.#last.after = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    return waiter;
  }

  /** Takes out the one who came first. */
  shift(): Waiter<T> | undefined {
    const waiter = this.#first;
    if (waiter) this.remove(waiter);
    return waiter;
  }

  /** Takes one out; false when it was out already. */
  remove(waiter: Waiter<T>): boolean {
    if (!waiter.waiting) return false;
    waiter.waiting = false;
    if (waiter.before) waiter.before.after = waiter.after;
    else this.#first = waiter.after;
    if (waiter.after) waiter.after.before = waiter.before;
    else this.#last = waiter.before;
    waiter.before = undefined;
    waiter.after = undefined;
    waiter.callOff?.();
    return true;
  }
}
