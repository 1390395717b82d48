import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import type { Run } from "./run.js";
import type { Strategy } from "./strategy.js";

const base = 36;
const shape = /^[0-9a-z]+-[0-9a-z]+-[0-9a-z]+$/;

/**
 * A schedule in a few characters: its seed; its choices as one number, each a digit in the base of how many
 * there were to choose from; and the sum of its record, by which to see whether it fits.
 */
export function replayTextOf({ seed, turns: { choices }, record }: Run): string {
  const { counts, sum } = record!;
  let number = 0n;
  for (let index = choices.length - 1; index >= 0; index--) {
    number = number * BigInt(counts[index]!) + BigInt(choices[index]!);
  }
  return [seed >>> 0, number, sum].map((part) => part.toString(base)).join("-");
}

/** The schedule that was written down so. */
export class Replay implements Strategy {
  readonly seed: number;
  readonly decidesAll = false;
  readonly #sum: number;
  #number: bigint;

  constructor(text: string) {
    if (typeof text !== "string" || !shape.test(text)) {
      throw new LockstepError(
        "bad-input",
        `replay must be what the report of a race ends with, such as "1-4k-1x2y3z", not ${shown(text)}`,
      );
    }
    const [seed = "", number = "", sum = ""] = text.split("-");
    this.seed = Number.parseInt(seed, base) | 0;
    this.#sum = Number.parseInt(sum, base);
    this.#number = 0n;
    for (const digit of number)
      this.#number = this.#number * BigInt(base) + BigInt(Number.parseInt(digit, base));
  }

  choose({ ready, turns }: Run): number {
    const count = BigInt(ready.length);
    const choice = Number(this.#number % count);
    this.#number /= count;
    return turns.placeOf(choice, ready.length);
  }

  next(): boolean {
    return false;
  }

  /** Throws unless the schedule that was played is the one that was written down. */
  checkFits({ record }: Run): void {
    if (this.#number === 0n && record!.sum === this.#sum) return;
    throw new LockstepError(
      "bad-input",
      "the replay does not fit the program: one of them has changed since, or the options; explore anew",
    );
  }
}
