import { systemClock } from "lockstep/base";
import { median } from "../alternate.js";

/** So long a section is where the other thread is to fall asleep: any spinning is over by then. */
const sectionMs = 0.1;

/** How long it takes until one thread has what the other lets go of, if it was asleep by then. */
export class HandOvers {
  readonly #letGoAt: Float64Array;
  readonly #tookMs: number[] = [];
  #since = 0;

  /** The memory, of 8 bytes, is for both threads. */
  constructor(memory: SharedArrayBuffer) {
    this.#letGoAt = new Float64Array(memory);
  }

  /** To be done before one waits for it. */
  willTake(): void {
    this.#since = systemClock.now();
  }

  /** To be done by who has it: lets the other one fall asleep, and then is about to let go. */
  letSleep(): void {
    const until = systemClock.now() + sectionMs;
    let now = systemClock.now();
    while (now < until) now = systemClock.now();
    this.#letGoAt[0] = now;
  }

  /** To be done by who has just got it. */
  took(): void {
    const now = systemClock.now();
    const letGoAt = this.#letGoAt[0]!;
    if (letGoAt - this.#since > sectionMs / 2) this.#tookMs.push(now - letGoAt);
  }

  get medianMicroseconds(): number {
    return 1000 * median(this.#tookMs);
  }
}
