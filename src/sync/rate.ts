import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkMilliseconds } from "../base/patience.js";
import { checkCount } from "./check-count.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import type { RateMeter } from "./rate-meter.js";
import type { Weight } from "./semaphore.js";
import { SlidingWindow } from "./sliding-window.js";
import { TokenBucket } from "./token-bucket.js";

export interface TokenBucketOptions extends LockOptions {
  /**
   * An even rate, and so many at once after a pause. The generic cell rate algorithm is the same seen from
   * the other side, and differs by its burst: 1 unless given, so that it spaces them evenly.
   */
  algorithm?: "token-bucket" | "gcra" | undefined;
  /** How many there are in each interval, in the long run. */
  limit: number;
  intervalMs: number;
  /** How many can be had at once after a pause; of a token bucket as many as the limit unless given. */
  burst?: number | undefined;
}

export interface SlidingWindowOptions extends LockOptions {
  /** Never more than the limit in any interval, wherever one begins to count. */
  algorithm: "sliding-window";
  limit: number;
  intervalMs: number;
}

export type RateLimiterOptions = TokenBucketOptions | SlidingWindowOptions;

/** Larger products than this are not always exact. */
const largestProduct = 2 ** 52;

/** A rate that makes sense, and what whoever keeps to it goes by. */
export class Rate {
  readonly what: string;
  readonly clock: Clock;
  /** The most that can be had at once. */
  readonly most: number;
  readonly newMeter: () => RateMeter;

  /** Throws 'bad-input' for a rate that makes no sense. */
  constructor(noun: string, options: RateLimiterOptions) {
    const known = ["algorithm", "limit", "intervalMs", "burst"];
    ({ what: this.what, clock: this.clock } = checkLockOptions(noun, options, known));
    const { limit, intervalMs } = options;
    checkCount("limit", limit);
    checkMilliseconds("intervalMs", intervalMs, 1);
    if (options.algorithm === "sliding-window") {
      refuseBurst(options);
      this.most = limit;
      this.newMeter = () => new SlidingWindow({ limit, intervalMs });
    } else {
      const { algorithm = "token-bucket", burst = algorithm === "gcra" ? 1 : limit } = options;
      refuseUnknown(algorithm);
      checkCount("burst", burst);
      refuseInexact(burst, intervalMs);
      const rate = { limit, intervalMs, burst };
      this.most = burst;
      this.newMeter = () => new TokenBucket(rate);
    }
  }

  /** What one is told at once who cannot be served within its patience, even if all before it gave up. */
  sureToBeLate(timeoutMs: number, earliestMs: number): LockstepError {
    return new LockstepError(
      "timeout",
      `${timeoutMs} ms is no time to wait for ${this.what}: it takes ${Math.ceil(earliestMs)} ms`,
    );
  }

  /** How much is wanted of it; throws 'bad-input' for what can never be had. */
  weightOf(options: Weight | undefined): number {
    if (options === undefined) return 1;
    const { weight = 1 } = options;
    if (Number.isSafeInteger(weight) && weight > 0 && weight <= this.most) return weight;
    throw new LockstepError(
      "bad-input",
      `weight must be a whole number from 1 to ${this.most}, the most that can be had at once of ` +
        `${this.what}, not ${String(weight)}`,
    );
  }
}

function refuseBurst(options: SlidingWindowOptions & { burst?: unknown }): void {
  if (options.burst === undefined) return;
  throw new LockstepError(
    "bad-input",
    "a sliding window has no burst: its limit can be had at once; leave it out, or take a token bucket",
  );
}

function refuseUnknown(algorithm: string): void {
  if (algorithm === "token-bucket" || algorithm === "gcra") return;
  throw new LockstepError(
    "bad-input",
    `algorithm must be "token-bucket", "gcra" or "sliding-window", not ${algorithm}`,
  );
}

function refuseInexact(burst: number, intervalMs: number): void {
  if (burst * intervalMs <= largestProduct) return;
  throw new LockstepError(
    "bad-input",
    `a burst of ${burst} with an interval of ${intervalMs} ms is more than can be counted exactly; ` +
      `count in larger units, such as kilobytes, or set a smaller burst`,
  );
}
