import { LockstepError } from "../base/errors.js";

/** Throws 'bad-input' unless `capacity` says how much may lie in something: a whole number, or `Infinity`. */
export function checkCapacity(what: string, capacity: number): void {
  if (capacity === Infinity || (Number.isSafeInteger(capacity) && capacity >= 0)) return;
  throw new LockstepError(
    "bad-input",
    `the capacity of ${what} must be a whole number from 0 up, or Infinity, not ${String(capacity)}`,
  );
}
