import { Alarms } from "../base/alarms.js";
import type { Clock, Timer } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";

/** No world has so many events within one millisecond, unless something goes round in circles. */
const mostAtOnce = 100_000;

/** The true time of a simulated world, which jumps from one event to the next. Only its observers see it. */
export class Timeline implements Clock {
  readonly #alarms = new Alarms();
  #now = 0;
  #steps = 0;
  #lookedAt = 0;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  /** How many events there were so far. */
  get steps(): number {
    return this.#steps;
  }

  after(delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new LockstepError("bad-input", "a delay is a number of milliseconds");
    return this.#alarms.set(this.#now + Math.max(0, delayMs), callback);
  }

  /** Goes on to the next event, and lets it happen; false if there is none up to that moment. */
  step(until = Infinity): boolean {
    const { nextDueAt } = this.#alarms;
    if (nextDueAt === Infinity || nextDueAt > until) return false;
    this.#now = nextDueAt;
    if (++this.#steps % mostAtOnce === 0) this.#assertProgress();
    this.#alarms.take()?.();
    return true;
  }

  #assertProgress(): void {
    if (this.#now < this.#lookedAt + 1) {
      throw new LockstepError(
        "misuse",
        `time stands still: ${mostAtOnce} events happened at ${this.#now} ms, as where a timer that is due ` +
          "sets another one for the same moment",
      );
    }
    this.#lookedAt = this.#now;
  }
}
