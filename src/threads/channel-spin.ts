import { coreCount } from "./core-count.js";

const leastLooks = 4;
const mostLooks = coreCount === 1 ? leastLooks : 100;
/** How long one pauses between two looks, at first and at last, in turns of a loop. */
const shortestPause = 16;
const longestPause = 128;

/**
 * Tries again for some microseconds before one goes to sleep, and less often the less it helps. Pauses
 * between the looks: each of them takes a cache line away from the other side, which is about to write to it.
 */
export class ChannelSpin {
  #looks = mostLooks;
  readonly #idle = new Int32Array(1);

  /** The first result that is not `undefined`, or `undefined` if it does not come soon. */
  await<T>(attempt: () => T | undefined): T | undefined {
    let pause = shortestPause;
    for (let look = 0; look < this.#looks; look++) {
      for (let turn = 0; turn < pause; turn++) Atomics.load(this.#idle, 0);
      pause = Math.min(2 * pause, longestPause);
      const result = attempt();
      if (result === undefined) continue;
      this.#looks = Math.min(2 * this.#looks, mostLooks);
      return result;
    }
    this.#looks = Math.max(this.#looks >> 1, leastLooks);
    return undefined;
  }
}
