import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";

/** Throws 'bad-input' unless `count` is a whole number, and not less than `least`. */
export function checkCount(name: string, count: number, least = 1): void {
  if (Number.isSafeInteger(count) && count >= least) return;
  throw new LockstepError(
    "bad-input",
    `${name} must be a whole number from ${least} up, not ${shown(count)}`,
  );
}
