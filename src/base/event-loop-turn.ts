import type { Clock } from "./clock.js";

/** Work that goes on in one turn for longer than this keeps timers and sockets waiting. */
const longTurnMs = 5;

/**
 * Watches how long the current turn of the event loop has gone on. What is answered without waiting for
 * anything outside lets a loop over `await` go on for ever in one turn, and with it nothing else: no timer,
 * no renewal of a session. Whoever answers so must let the event loop turn now and then.
 */
export class EventLoopTurn {
  readonly #clock: Clock;
  #beganAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether it is time to let the event loop turn. */
  get isLong(): boolean {
    if (this.#beganAt === undefined) {
      this.#beganAt = this.#clock.now();
      setImmediate(() => (this.#beganAt = undefined));
      return false;
    }
    return this.#clock.now() - this.#beganAt > longTurnMs;
  }

  /** Calls back in the next turn. */
  static next(callback: () => void): void {
    setImmediate(callback);
  }
}
