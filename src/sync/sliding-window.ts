import type { RateMeter } from "./rate-meter.js";

export interface SlidingWindowRate {
  readonly limit: number;
  readonly intervalMs: number;
}

/**
 * At most `limit` in any `intervalMs`, wherever one begins to count. Exact, so it remembers when each was
 * taken that still counts: as many numbers as the limit, at most.
 */
export class SlidingWindow implements RateMeter {
  readonly #rate: SlidingWindowRate;
  /** When so much was taken; what lies before the head counts no more. */
  #times: number[] = [];
  #weights: number[] = [];
  #head = 0;
  #taken = 0;

  constructor(rate: SlidingWindowRate) {
    this.#rate = rate;
  }

  readyAt(weight: number, now: number): number {
    this.#forget(now);
    let excess = this.#taken + weight - this.#rate.limit;
    let index = this.#head;
    while (excess > 0) excess -= this.#weights[index++]!;
    return index === this.#head ? -Infinity : this.#endOf(index - 1);
  }

  take(weight: number, now: number): void {
    const last = this.#times.length - 1;
    if (last >= this.#head && this.#times[last] === now) {
      this.#weights[last]! += weight;
    } else {
      this.#times.push(now);
      this.#weights.push(weight);
    }
    this.#taken += weight;
  }

  remaining(now: number): number {
    this.#forget(now);
    return this.#rate.limit - this.#taken;
  }

  isFull(now: number): boolean {
    return this.remaining(now) === this.#rate.limit;
  }

  /** When it stops counting what was taken there. */
  #endOf(index: number): number {
    return this.#times[index]! + this.#rate.intervalMs;
  }

  #forget(now: number): void {
    while (this.#head < this.#times.length && this.#endOf(this.#head) <= now) {
      this.#taken -= this.#weights[this.#head++]!;
    }
    // Half of it at a time, so that each is moved once on average.
    if (this.#head === 0 || this.#head * 2 < this.#times.length) return;
    this.#times = this.#times.slice(this.#head);
    this.#weights = this.#weights.slice(this.#head);
    this.#head = 0;
  }
}
