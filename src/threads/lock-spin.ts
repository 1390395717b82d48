import { coreCount } from "./core-count.js";

/** As often one looks at most: about as long as it takes to put a thread to sleep and to wake it. */
const mostLooks = coreCount > 1 ? 320 : 0;
/** How long one pauses between two looks, at first and at last, in turns of a loop. */
const shortestPause = 4;
const longestPause = 32;
/** When looking does not help, it is tried so rarely. */
const retryAfter = 256;

/**
 * Looks for a while whether a lock is free before one sleeps, for as long as that helps. Where threads run
 * side by side, the lock of a short section is free again before a sleep would have begun; where they share a
 * core, the owner cannot go on before one sleeps.
 */
export class LockSpin {
  #looks = mostLooks >> 3;
  #misses = 0;
  readonly #idle = new Int32Array(1);

  /** Whether an attempt succeeds soon: it says true, or false if there is no point in going on. */
  succeeds(attempt: () => boolean | undefined): boolean {
    const looks = this.#misses % retryAfter === retryAfter - 1 ? mostLooks : this.#looks;
    let pause = shortestPause;
    for (let look = 0; look < looks; look++) {
      for (let turn = 0; turn < pause; turn++) Atomics.load(this.#idle, 0);
      pause = Math.min(2 * pause, longestPause);
      const result = attempt();
      if (result === undefined) continue;
      if (!result) break;
      this.#looks = mostLooks;
      this.#misses = 0;
      return true;
    }
    this.#looks >>= 1;
    this.#misses++;
    return false;
  }
}
