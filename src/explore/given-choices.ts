import type { Run } from "./run.js";
import type { Strategy } from "./strategy.js";

/** One schedule, by its choices; after the last of them the same task goes on for as long as it can. */
export class GivenChoices implements Strategy {
  readonly seed: number;
  readonly decidesAll = false;
  readonly #choices: readonly number[];
  #made = 0;

  constructor(seed: number, choices: readonly number[]) {
    this.seed = seed;
    this.#choices = choices;
  }

  choose({ ready, turns }: Run): number {
    const choice = this.#choices[this.#made++] ?? 0;
    // They may have been made for another schedule, from which this one is a try to make a simpler one.
    return turns.placeOf(Math.min(choice, ready.length - 1), ready.length);
  }

  next(): boolean {
    return false;
  }
}
