import type { Timer } from "../base/clock.js";
import type { Patience } from "../base/patience.js";
import type { RateMeter } from "./rate-meter.js";
import type { Rate } from "./rate.js";
import { WaitQueue } from "./wait-queue.js";

/** What can be had of a rate. */
export interface Quota {
  /** How much can be had at once. */
  readonly remaining: number;
  /** 0 when it can be had at once; else how long until then, if nobody takes anything before. */
  readonly retryAfterMs: number;
}

/**
 * One meter, and those who wait for it, first come, first served. There is one timer, for the first of them,
 * and none when nobody waits. Weights and patience must have been checked.
 */
export class RateGate {
  readonly #rate: Rate;
  readonly #meter: RateMeter;
  /** Made when somebody waits: most gates are one of many, and are only ever tried. */
  #queue: WaitQueue<void, number> | undefined;
  #timer: Timer | undefined;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#meter = rate.newMeter();
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue === undefined ? 0 : this.#queue.size;
  }

  /** Whether it might as well be a new one. */
  isIdle(now: number): boolean {
    return this.waiting === 0 && this.#meter.isFull(now);
  }

  tryTake(weight: number, now: number): boolean {
    if (this.#isAwaited() || this.#meter.readyAt(weight, now) > now) return false;
    this.#meter.take(weight, now);
    return true;
  }

  take(weight: number, now: number, patience: Patience | undefined): Promise<void> {
    if (this.tryTake(weight, now)) return Promise.resolve();
    const timeoutMs = patience?.timeoutMs;
    // Not even the first in line could have it before then: time taken by others never comes back.
    const earliestMs = this.#meter.readyAt(weight, now) - now;
    if (timeoutMs !== undefined && earliestMs > timeoutMs) {
      return Promise.reject(this.#rate.sureToBeLate(timeoutMs, earliestMs));
    }
    this.#queue ??= new WaitQueue<void, number>(this.#rate.clock, this.#rate.what, () => {
      // One who gives up may have stood in the way of others.
      this.#serve();
    });
    // Before the timer of the patience: who has exactly as long as it takes is served.
    if (this.#queue.isEmpty) this.#serveIn(earliestMs);
    return this.#queue.wait(weight, patience);
  }

  peek(weight: number, now: number): Quota {
    const remaining = this.#isAwaited() ? 0 : this.#meter.remaining(now);
    const first = this.#queue?.first?.request ?? 0;
    const readyAt = this.#meter.readyAt(Math.max(weight, first), now);
    return { remaining, retryAfterMs: Math.max(0, readyAt - now) };
  }

  /** Whether others come first. */
  #isAwaited(): boolean {
    if (this.#queue === undefined || this.#queue.isEmpty) return false;
    // After a freeze their time may have come, and their timer not.
    this.#serve();
    return !this.#queue.isEmpty;
  }

  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#rate;
    const now = clock.now();
    const queue = this.#queue!;
    for (let first = queue.first; first !== undefined; first = queue.first) {
      const readyAt = this.#meter.readyAt(first.request, now);
      if (readyAt > now) {
        // Not whoever comes after it either: small ones would keep a big one waiting for ever.
        this.#serveIn(readyAt - now);
        return;
      }
      queue.remove(first);
      this.#meter.take(first.request, now);
      first.grant();
    }
  }

  #serveIn(delayMs: number): void {
    // One that was set for somebody who has left unheard may still be there.
    this.#timer?.cancel();
    // One that fires too early, as a timer for many weeks does, is set again.
    this.#timer = this.#rate.clock.after(delayMs, () => {
      this.#serve();
    });
  }
}
