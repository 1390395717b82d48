import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkMilliseconds } from "../base/patience.js";
import { checkCount } from "./check-count.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";

/** What a pool calls to do its work. */
export type PoolHook = "make" | "check" | "recycle" | "destroy";

export interface PoolOptions<T> extends LockOptions {
  /** Makes one, now or in a while. The signal aborts when that takes too long or the pool is closed. */
  make: (signal: AbortSignal) => T | PromiseLike<T>;
  /** Whether one is still good, asked each time before it is lent, save when new. To throw is to say no. */
  check?: ((resource: T) => boolean | PromiseLike<boolean>) | undefined;
  /** Cleans one that came back, as by a rollback, for the next. If that fails, it is destroyed. */
  recycle?: ((resource: T) => unknown) | undefined;
  /** Ends one for good: a bad one, one too many, or all of them at the end. */
  destroy?: ((resource: T) => unknown) | undefined;
  /** Hears of each error that no caller is told: those of hooks that ran when nobody waited for them. */
  onError?: ((error: unknown, hook: PoolHook) => unknown) | undefined;
  /** How many there may be at once. */
  max: number;
  /** How many to keep ready, used or not; none unless given. */
  min?: number | undefined;
  /** Destroys one that nobody wanted for so long, unless fewer than `min` were left. Without it, none. */
  idleTimeoutMs?: number | undefined;
  /** How long a hook may take before it counts as failed; 30 seconds unless given. */
  hookTimeoutMs?: number | undefined;
}

/** The options of a pool, checked and complete; the hooks need not be called as methods any more. */
export interface PoolPlan<T> extends PoolOptions<T> {
  readonly what: string;
  readonly clock: Clock;
  readonly min: number;
  readonly hookTimeoutMs: number;
}

const hooks = ["make", "check", "recycle", "destroy", "onError"] as const;
const furtherNames = [...hooks, "max", "min", "idleTimeoutMs", "hookTimeoutMs"];
const usualHookTimeoutMs = 30_000;

export function checkPoolOptions<T>(options: PoolOptions<T>): PoolPlan<T> {
  const { what, clock } = checkLockOptions("pool", options, furtherNames);
  const { make, check, recycle, destroy, onError } = options;
  const { min = 0, max, idleTimeoutMs, hookTimeoutMs = usualHookTimeoutMs } = options;
  for (const hook of hooks) {
    const isThere = options[hook] !== undefined || hook === "make";
    if (isThere && typeof options[hook] !== "function") {
      throw new LockstepError("bad-input", `${hook} must be a function, not ${String(options[hook])}`);
    }
  }
  checkCount("max", max);
  checkCount("min", min, 0);
  if (min > max) throw new LockstepError("bad-input", `min is ${min}, and must not be more than max, ${max}`);
  if (idleTimeoutMs !== undefined) checkMilliseconds("idleTimeoutMs", idleTimeoutMs, 1);
  checkMilliseconds("hookTimeoutMs", hookTimeoutMs, 1);
  // One by one: a copy of all that is there would leave out the methods of a class.
  return {
    make: make.bind(options),
    check: check?.bind(options),
    recycle: recycle?.bind(options),
    destroy: destroy?.bind(options),
    onError: onError?.bind(options),
    max,
    min,
    idleTimeoutMs,
    hookTimeoutMs,
    what,
    clock,
  };
}
