import type { Clock, Timer } from "../../base/clock.js";

/** When the server could not be asked. */
const retryMs = 1000;

/**
 * Makes sure that somebody comes to the server when a session is due, so that those who watch hear of its
 * end: the server itself does nothing unasked. Every answer and every message says when that is.
 */
export class ExpiryAlarm {
  readonly #clock: Clock;
  readonly #isWanted: () => boolean;
  readonly #ask: () => Promise<unknown>;
  #timer: Timer | undefined;
  #ringsAt = Infinity;

  /** `ask` comes to the server; what it answers is told to `set` again. */
  constructor(clock: Clock, isWanted: () => boolean, ask: () => Promise<unknown>) {
    this.#clock = clock;
    this.#isWanted = isWanted;
    this.#ask = ask;
  }

  /** A session may be due in so many milliseconds; null if there is none. */
  set(waitMs: number | null): void {
    if (waitMs === null || !this.#isWanted()) return;
    const at = this.#clock.now() + waitMs;
    if (at >= this.#ringsAt) return;
    this.cancel();
    this.#ringsAt = at;
    this.#timer = this.#clock.after(waitMs, () => this.#ring(), "background");
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#ringsAt = Infinity;
  }

  #ring(): void {
    this.#ringsAt = Infinity;
    if (!this.#isWanted()) return;
    this.#ask().catch(() => {
      this.set(retryMs);
    });
  }
}
