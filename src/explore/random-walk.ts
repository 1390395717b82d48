import { SeededRandom } from "../base/random.js";
import type { Run } from "./run.js";
import type { Strategy } from "./strategy.js";

/** Chooses by lot, each time anew. */
export class RandomWalk implements Strategy {
  seed: number;
  readonly decidesAll = false;
  #random: SeededRandom;

  constructor(seed: number) {
    this.seed = seed;
    this.#random = new SeededRandom(seed);
  }

  choose({ ready, turns }: Run): number {
    for (;;) {
      const place = this.#random.below(ready.length);
      if (turns.allows(ready[place]!)) return place;
    }
  }

  next(): boolean {
    this.seed = (this.seed + 1) | 0;
    this.#random = new SeededRandom(this.seed);
    return true;
  }
}
