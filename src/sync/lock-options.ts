import { systemClock, type Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";

export interface LockOptions {
  /** What errors call it. */
  name?: string | undefined;
  /** The clock to live by; for tests. */
  clock?: Clock | undefined;
}

/** What a lock calls itself, and the clock that it lives by. */
export function checkLockOptions(
  noun: string,
  options: LockOptions,
  further: readonly string[] = [],
): { what: string; clock: Clock } {
  checkOptions(options, ["name", "clock", ...further]);
  const { name, clock = systemClock } = options;
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw new LockstepError("bad-input", `the name of a ${noun} must be a string that is not empty`);
  }
  checkClock(clock);
  return { what: name === undefined ? `the ${noun}` : `the ${noun} "${name}"`, clock };
}

function checkClock(clock: Clock): void {
  const { now, after } = (clock as Partial<Clock> | null) ?? {};
  if (typeof now === "function" && typeof after === "function") return;
  throw new LockstepError("bad-input", "clock must be a Clock, such as `new ManualClock()` of lockstep/base");
}
