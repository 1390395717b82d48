import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { RateGate, type Quota } from "./rate-gate.js";
import { Rate, type RateLimiterOptions } from "./rate.js";
import type { Weight } from "./semaphore.js";

/**
 * So many in each interval, for one thing: calls to a service, lines of a log. For a limit for each user or
 * address there is {@link KeyedRateLimiter}.
 *
 * It is a token bucket, unless asked for a sliding window. In any time t the bucket lets through at most
 * burst + limit · t / intervalMs, and the window never more than its limit in any interval.
 *
 * *Fairness*: first come, first served; one who wants much is not overtaken by those who want little.
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, has taken nothing, and makes
 * way for those behind it. One that could not be served in time even if nobody else wanted any is told so
 * at once: it rejects with 'timeout' without waiting for that.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #gate: RateGate;

  constructor(options: RateLimiterOptions) {
    this.#rate = new Rate("rate limiter", options);
    this.#gate = new RateGate(this.#rate);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** Takes it, or waits for it. What was taken is not given back: time brings more. */
  acquire(options?: Weight & Patience): Promise<void> {
    const refusal = refusalOf(options, ["weight"]);
    if (refusal !== undefined) return refusal;
    try {
      return this.#gate.take(this.#rate.weightOf(options), this.#rate.clock.now(), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes it at once if it is to be had and nobody waits, without any promise; says whether it did. */
  tryAcquire(options?: Weight): boolean {
    if (options !== undefined) checkOptions(options, ["weight"]);
    return this.#gate.tryTake(this.#rate.weightOf(options), this.#rate.clock.now());
  }

  /** What could be had now, and when so much can be; takes nothing. */
  peek(options?: Weight): Quota {
    if (options !== undefined) checkOptions(options, ["weight"]);
    return this.#gate.peek(this.#rate.weightOf(options), this.#rate.clock.now());
  }
}
