import type { Timer } from "../base/clock.js";
import type { Patience } from "../base/patience.js";
import type { RateMeter } from "./rate-meter.js";
import type { Rate } from "./rate.js";
import { WaitQueue } from "./wait-queue.js";

/**
 * Lets one after the other start something, first come, first served, no more often than a rate allows.
 *
 * What counts is the start. Between the moment in which somebody's turn comes and the moment in which the
 * code that waited for it goes on, others may compute for as long as they like. So only one has its turn at a
 * time, and is counted when it starts; the next one's turn comes after that. Nobody is counted in between,
 * and time only makes room: whose turn it was may still start then.
 */
export class RateTurnstile {
  readonly #rate: Rate;
  readonly #meter: RateMeter;
  readonly #queue: WaitQueue<void>;
  #timer: Timer | undefined;
  /** Somebody's turn has come, who has not started. */
  #isTaken = false;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#meter = rate.newMeter();
    this.#queue = new WaitQueue<void>(rate.clock, rate.what, () => {
      this.#serve();
    });
  }

  /** How many have not started yet. */
  get waiting(): number {
    return this.#queue.size + (this.#isTaken ? 1 : 0);
  }

  /** Starts at once, if nobody comes first and the rate allows. */
  tryStart(): boolean {
    if (this.#isTaken || !this.#queue.isEmpty) return false;
    const now = this.#rate.clock.now();
    if (this.#meter.readyAt(1, now) > now) return false;
    this.#meter.take(1, now);
    return true;
  }

  /** Waits for one's turn. Whoever gets it must call `start`. The patience must have been checked. */
  turn(patience: Patience): Promise<void> {
    const now = this.#rate.clock.now();
    // Not even the first in line could start before then: time taken by others never comes back.
    const earliestMs = this.#meter.readyAt(1, now) - now;
    const { timeoutMs } = patience;
    if (timeoutMs !== undefined && earliestMs > timeoutMs) {
      return Promise.reject(this.#rate.sureToBeLate(timeoutMs, earliestMs));
    }
    // Before the timer of the patience: who has exactly as long as it takes is served.
    if (this.#queue.isEmpty) this.#serveIn(earliestMs);
    return this.#queue.wait(undefined, patience);
  }

  /** Counts one whose turn has come, and who starts in this very step; or throws, if its signal aborted. */
  start(signal: AbortSignal | undefined): void {
    this.#isTaken = false;
    try {
      signal?.throwIfAborted();
      this.#meter.take(1, this.#rate.clock.now());
    } finally {
      this.#serve();
    }
  }

  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const first = this.#queue.first;
    if (this.#isTaken || first === undefined) return;
    const now = this.#rate.clock.now();
    const readyAt = this.#meter.readyAt(1, now);
    if (readyAt > now) {
      this.#serveIn(readyAt - now);
      return;
    }
    this.#queue.remove(first);
    this.#isTaken = true;
    first.grant();
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
