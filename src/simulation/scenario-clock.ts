import type { Clock, Timer } from "../base/clock.js";
import type { Timeline } from "./timeline.js";

/** The true time for the scenario, which also tells whether the scenario waits for it. */
export class ScenarioClock implements Clock {
  readonly #timeline: Timeline;
  #pending = 0;
  /** When a timer was last set, or over. */
  #usedAt = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** For how long nobody has waited for it. */
  get idleMs(): number {
    return this.#pending > 0 ? 0 : this.#timeline.now() - this.#usedAt;
  }

  now(): number {
    return this.#timeline.now();
  }

  wallNow(): number {
    return this.#timeline.now();
  }

  after(delayMs: number, callback: () => void): Timer {
    let isOver = false;
    this.#pending++;
    const end = () => {
      if (isOver) return;
      isOver = true;
      this.#pending--;
      this.#usedAt = this.#timeline.now();
    };
    const alarm = this.#timeline.after(delayMs, () => {
      end();
      callback();
    });
    return {
      cancel: () => {
        end();
        alarm.cancel();
      },
    };
  }
}
