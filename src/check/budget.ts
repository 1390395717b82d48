import { systemClock, type Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";

/** How long a checker may think. */
export interface CheckOptions {
  /** By default half a minute. Then the verdict is "unknown", and says how far the search got. */
  readonly timeoutMs?: number | undefined;
}

const usualTimeoutMs = 30_000;

/** The time that is left to think; asked often, so it looks at the clock only now and then. */
export class Budget {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #endsAt: number;
  #isSpent = false;

  constructor(options: CheckOptions = {}, clock: Clock = systemClock) {
    checkOptions(options, ["timeoutMs"]);
    const { timeoutMs = usualTimeoutMs } = options;
    if (!(timeoutMs > 0)) {
      throw new LockstepError("bad-input", `timeoutMs must be more than 0, not ${timeoutMs}`);
    }
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#endsAt = clock.now() + timeoutMs;
  }

  /** Whether the time is up. Costs a look at the clock: ask once in a thousand steps or so. */
  get isSpent(): boolean {
    this.#isSpent ||= this.#clock.now() >= this.#endsAt;
    return this.#isSpent;
  }

  /** Half of the time that is left: for one of several questions. */
  half(): Budget {
    return new Budget({ timeoutMs: Math.max(1, (this.#endsAt - this.#clock.now()) / 2) }, this.#clock);
  }
}
