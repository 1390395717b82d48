import { Alarms } from "./alarms.js";
import type { Clock, Timer } from "./clock.js";

/** A clock that moves only when told to: the same calls give the same run, always. */
export class ManualClock implements Clock {
  #now: number;
  readonly #alarms = new Alarms();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#alarms.set(this.#now + Math.max(0, delayMs), callback);
  }

  /** Jumps ahead without letting any timer run on the way: what a frozen process sees when it wakes. */
  jump(byMs: number): void {
    this.#now += byMs;
  }

  /** Moves on by `byMs`, firing what falls due in order and letting promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    await settle();
    while (this.#alarms.nextDueAt <= until) {
      this.#now = Math.max(this.#now, this.#alarms.nextDueAt);
      this.#alarms.take()?.();
      await settle();
    }
    this.#now = Math.max(this.#now, until);
  }
}

/** One turn of the event loop's check phase: every promise chain that can go on by itself has gone on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
