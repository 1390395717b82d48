import type { Clock, Timer } from "../base/clock.js";
import type { Timeline } from "./timeline.js";

/** Two roundings of a reading differ by less. */
const roundingMs = 1e-6;

/** A clock as a process has it: it began anywhere, and is a little too fast or too slow. */
export class ProcessClock implements Clock {
  readonly #timeline: Timeline;
  readonly #rate: number;
  readonly #offset: number;
  readonly #perform: (callback: () => void) => void;
  #jumpedMs = 0;

  /** `perform` runs what falls due: now, or when the process can. */
  constructor(timeline: Timeline, rate: number, offset: number, perform: (callback: () => void) => void) {
    this.#timeline = timeline;
    this.#rate = rate;
    this.#offset = offset;
    this.#perform = perform;
  }

  now(): number {
    return this.#offset + this.#timeline.now() * this.#rate;
  }

  wallNow(): number {
    return this.now() + this.#jumpedMs;
  }

  /** Sets the wall clock ahead, or back, as an administrator does. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    let isOver = false;
    const alarm = this.#timeline.after(Math.max(0, delayMs) / this.#rate + roundingMs, () => {
      this.#perform(() => {
        // It may have been cancelled by what was performed before it, after a freeze.
        if (isOver) return;
        isOver = true;
        callback();
      });
    });
    return {
      cancel: () => {
        isOver = true;
        alarm.cancel();
      },
    };
  }
}
