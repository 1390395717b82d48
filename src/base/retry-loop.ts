import { LockstepError } from "./errors.js";
import { shown } from "./shown.js";

/** An attempt that came to nothing, though another may not. */
export class Setback {
  /** In words, for whoever hears of it at the end. */
  readonly why: string;
  /** Whether it is one of those that there may be only so many of: waiting for something is not. */
  readonly counts: boolean;
  /** When the next attempt may begin; at once without it. */
  readonly ready: () => Promise<void> | undefined;

  constructor(why: string, counts: boolean, ready: () => Promise<void> | undefined) {
    this.why = why;
    this.counts = counts;
    this.ready = ready;
  }
}

/**
 * Attempts something again and again until it succeeds, begun by what the first attempt came
 * to.
 *
 * *Failure*: rejects with what an attempt throws, and with 'retries-exhausted' when there have been so many
 * that counted.
 */
export async function retryLoop<T>(
  what: string,
  attempts: number,
  first: Setback,
  next: () => T | Setback | Promise<T | Setback>,
): Promise<T> {
  let outcome: T | Setback = first;
  for (let spent = 0; outcome instanceof Setback; outcome = await next()) {
    if (outcome.counts && ++spent >= attempts) throw exhausted(what, spent, outcome.why);
    await outcome.ready();
  }
  return outcome;
}

/** Throws 'bad-input' unless it is a number of attempts. */
export function checkAttempts(attempts: number): void {
  if (attempts === Infinity || (Number.isSafeInteger(attempts) && attempts > 0)) return;
  throw new LockstepError("bad-input", `attempts must be a whole number from 1 up, not ${shown(attempts)}`);
}

function exhausted(what: string, attempts: number, why: string): LockstepError {
  const tried =
    attempts === 1 ? "its only attempt, because" : `each of ${attempts} attempts, the last time because`;
  return new LockstepError("retries-exhausted", `${what} did not go through in ${tried} ${why}`);
}
