import { onAbort } from "./abort.js";
import type { Clock } from "./clock.js";
import { LockstepError } from "./errors.js";
import { checkOptions } from "./options.js";
import { shown } from "./shown.js";

/** How long a caller is ready to wait: till a signal of its own aborts, or for so many milliseconds. */
export interface Patience {
  /** Aborting it ends the wait, which rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** After so long the wait rejects with 'timeout'; 0 tries once. Without it, one waits for ever. */
  timeoutMs?: number | undefined;
}

/** The longest time that any option accepts: a year is a mistake, not a wish. */
const longestMs = 366 * 24 * 3600 * 1000;

/** Throws 'bad-input' unless `value` is a sensible number of milliseconds. */
export function checkMilliseconds(name: string, value: number, leastMs: number, mostMs = longestMs): void {
  if (typeof value === "number" && value >= leastMs && value <= mostMs) return;
  throw new LockstepError(
    "bad-input",
    `${name} must be a number of milliseconds from ${leastMs} to ${mostMs}, not ${shown(value)}`,
  );
}

/** Throws 'bad-input' for nonsense, and the signal's own reason when it has aborted already. */
export function checkPatience(patience: Patience): void {
  const { signal, timeoutMs } = patience;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new LockstepError("bad-input", "signal must be an AbortSignal, as new AbortController().signal is");
  }
  if (timeoutMs !== undefined) checkMilliseconds("timeoutMs", timeoutMs, 0);
  signal?.throwIfAborted();
}

/**
 * The rejection for nonsense, for an option that does not exist, and for a signal that has aborted already;
 * nothing when all is well. For methods that give a promise, and so never throw.
 */
export function refusalOf(
  patience: Patience | undefined,
  furtherOptions: readonly string[] = [],
): Promise<never> | undefined {
  if (patience === undefined) return undefined;
  try {
    checkOptions(patience, ["signal", "timeoutMs", ...furtherOptions]);
    checkPatience(patience);
    return undefined;
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Calls `giveUp` once, with the error to reject with, when the patience ends. The returned function calls
 * that off and must be called when the wait is over, or the caller's signal would remember us for ever.
 */
export function whenPatienceEnds(
  patience: Patience,
  clock: Clock,
  awaited: string | (() => string),
  giveUp: (error: unknown) => void,
): () => void {
  const { signal, timeoutMs } = patience;
  const unlisten =
    signal &&
    onAbort(signal, () => {
      callOff();
      giveUp(signal.reason);
    });
  const timer =
    timeoutMs === undefined
      ? undefined
      : clock.after(timeoutMs, () => {
          callOff();
          giveUp(tooLate(awaited, timeoutMs));
        });
  const callOff = () => {
    timer?.cancel();
    unlisten?.();
  };
  return callOff;
}

/** The 'timeout' of a wait for what is named so. */
export function tooLate(awaited: string | (() => string), timeoutMs: number): LockstepError {
  const name = typeof awaited === "string" ? awaited : awaited();
  const message =
    timeoutMs === 0 ? `there was no time to wait for ${name}` : `waited ${timeoutMs} ms in vain for ${name}`;
  return new LockstepError("timeout", message);
}

/** Resolves after `delayMs`, or rejects with the signal's reason. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const unlisten = onAbort(signal, () => {
      timer.cancel();
      unlisten();
      reject(signal.reason);
    });
    const timer = clock.after(delayMs, () => {
      unlisten();
      resolve();
    });
  });
}
