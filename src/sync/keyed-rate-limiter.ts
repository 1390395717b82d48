import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { RateGate, type Quota } from "./rate-gate.js";
import { Rate, type RateLimiterOptions } from "./rate.js";
import type { Weight } from "./semaphore.js";

/** So many are not worth forgetting: making them again would cost more than they do. */
const fewKeys = 1000;

/**
 * A {@link RateLimiter} for each key, all with the same rate: for each user, address, tenant. A key is
 * whatever a `Map` takes as one, save undefined: who forgot to say whose it is would share with all who did.
 *
 * A key is remembered until nothing that it took counts any more, and the first thousand in any case. There
 * is no timer for that: from there on each new key looks at two old ones, so that there are never many more
 * than twice those that count, and none is searched for.
 *
 * *Fairness* and *Cancellation* are those of {@link RateLimiter}, for each key by itself.
 */
export class KeyedRateLimiter<Key> {
  readonly #rate: Rate;
  readonly #gates = new Map<Key, RateGate>();
  /** Goes round and round through the keys. */
  #round: Iterator<[Key, RateGate]> | undefined;

  constructor(options: RateLimiterOptions) {
    this.#rate = new Rate("rate limiter", options);
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#gates.size;
  }

  /** Takes it, or waits for it. */
  acquire(key: Key, options?: Weight & Patience): Promise<void> {
    const refusal = refusalOf(options, ["weight"]);
    if (refusal !== undefined) return refusal;
    try {
      const weight = this.#rate.weightOf(options);
      const now = this.#rate.clock.now();
      return this.#gateOf(key, now).take(weight, now, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes it at once if it is to be had and nobody waits for this key; says whether it did. */
  tryAcquire(key: Key, options?: Weight): boolean {
    if (options !== undefined) checkOptions(options, ["weight"]);
    const weight = this.#rate.weightOf(options);
    const now = this.#rate.clock.now();
    return this.#gateOf(key, now).tryTake(weight, now);
  }

  /** What could be had now, and when so much can be; takes nothing, and remembers nothing. */
  peek(key: Key, options?: Weight): Quota {
    if (options !== undefined) checkOptions(options, ["weight"]);
    const weight = this.#rate.weightOf(options);
    checkKey(key);
    const gate = this.#gates.get(key);
    return gate === undefined
      ? { remaining: this.#rate.most, retryAfterMs: 0 }
      : gate.peek(weight, this.#rate.clock.now());
  }

  #gateOf(key: Key, now: number): RateGate {
    checkKey(key);
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      if (this.#gates.size >= fewKeys) {
        this.#forgetIdle(now);
        this.#forgetIdle(now);
      }
      gate = new RateGate(this.#rate);
      this.#gates.set(key, gate);
    }
    return gate;
  }

  /** Looks at the next key of the round. */
  #forgetIdle(now: number): void {
    this.#round ??= this.#gates.entries();
    const next = this.#round.next();
    if (next.done === true) {
      this.#round = undefined;
      return;
    }
    const [key, gate] = next.value;
    if (gate.isIdle(now)) this.#gates.delete(key);
  }
}

function checkKey(key: unknown): void {
  if (key !== undefined) return;
  throw new LockstepError("bad-input", "the key is missing: say whose it is, as in tryAcquire(user.id)");
}
