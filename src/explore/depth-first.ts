import type { Run } from "./run.js";
import { changedError } from "./same-again.js";
import type { Strategy } from "./strategy.js";

/** One choice on the way to the current schedule. */
interface Node {
  chosen: number;
  /** Of how many. */
  readonly count: number;
  /** What is still to be tried, the next one last. */
  readonly rest: number[];
}

/**
 * All schedules, each once: it plays the choices of the schedule before up to the last one where another was
 * possible, takes that, and goes on as undisturbed as it can. So the first schedules are the simplest.
 */
export class DepthFirst implements Strategy {
  readonly seed: number;
  readonly decidesAll = false;
  readonly #path: Node[] = [];
  #depth = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  choose({ ready, turns }: Run): number {
    const count = ready.length;
    let node = this.#path[this.#depth++];
    if (node === undefined) {
      const rest: number[] = [];
      for (let choice = count - 1; choice >= 0; choice--) {
        if (turns.allows(ready[turns.placeOf(choice, count)]!)) rest.push(choice);
      }
      node = { chosen: rest.pop()!, count, rest };
      this.#path.push(node);
    } else if (node.count !== count) {
      throw changedError();
    }
    return turns.placeOf(node.chosen, count);
  }

  next(): boolean {
    if (this.#depth < this.#path.length) throw changedError();
    this.#depth = 0;
    for (let node = this.#path.at(-1); node !== undefined; node = this.#path.at(-1)) {
      const chosen = node.rest.pop();
      if (chosen !== undefined) {
        node.chosen = chosen;
        return true;
      }
      this.#path.pop();
    }
    return false;
  }
}
