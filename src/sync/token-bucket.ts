import type { RateMeter } from "./rate-meter.js";

export interface TokenBucketRate {
  readonly limit: number;
  readonly intervalMs: number;
  readonly burst: number;
}

/** Sums up to here, and a bucket on top, are exact. */
const largestSum = 2 ** 52;

/**
 * A bucket of `burst` tokens, into which `limit` drop in each `intervalMs`, evenly. It is kept as the generic
 * cell rate algorithm (GCRA) does: no tokens are counted, only the time at which the bucket will be full.
 *
 * That time is kept as what has been spent since the bucket was last full, in credits: a token costs
 * `intervalMs` of them and each millisecond brings `limit`. With whole numbers, nothing is ever rounded
 * but the reading of the clock, however long the bucket is in use: in any time t at most burst + rate · t
 * tokens are taken.
 */
export class TokenBucket implements RateMeter {
  readonly #rate: TokenBucketRate;
  /** When it was full for the last time; what was spent is counted from then. */
  #since = -Infinity;
  #spent = 0;

  constructor(rate: TokenBucketRate) {
    this.#rate = rate;
  }

  readyAt(weight: number): number {
    const { limit, intervalMs, burst } = this.#rate;
    return this.#since + (this.#spent - (burst - weight) * intervalMs) / limit;
  }

  take(weight: number, now: number): void {
    // One that is full just now goes on counting as before: `now` is rounded, and the sum is not.
    if (now > this.readyAt(this.#rate.burst)) {
      this.#since = now;
      this.#spent = 0;
    } else if (this.#spent > largestSum) {
      this.#startLater();
    }
    this.#spent += weight * this.#rate.intervalMs;
  }

  remaining(now: number): number {
    const { limit, intervalMs, burst } = this.#rate;
    const missing = (this.#spent - (now - this.#since) * limit) / intervalMs;
    const count = Math.min(burst, Math.max(0, Math.floor(burst - missing)));
    // The division may round across a whole number; what counts is whether it can be taken.
    if (count < burst && this.readyAt(count + 1) <= now) return count + 1;
    return count > 0 && this.readyAt(count) > now ? count - 1 : count;
  }

  isFull(now: number): boolean {
    return now >= this.readyAt(this.#rate.burst);
  }

  /** The same, counted from a later time: after years without being full the sum would not be exact. */
  #startLater(): void {
    const { limit, intervalMs, burst } = this.#rate;
    const laterByMs = Math.floor((this.#spent - burst * intervalMs) / limit);
    this.#since += laterByMs;
    this.#spent -= laterByMs * limit;
  }
}
