import { systemClock } from "../base/clock.js";
import { EventLoopTurn } from "../base/event-loop-turn.js";

/** So many calls may be answered without a look at how long the turn of the event loop has gone on. */
const answersPerLook = 64;
/** A browser has no cheap way to wait for the next turn. */
const canAwaitTurn = "setImmediate" in globalThis;

/** Promises for what is there at once, which let the event loop turn now and then. */
export class ChannelTurns {
  readonly #turn = new EventLoopTurn(systemClock);
  #answers = 0;

  answer<T>(value: T): Promise<T> {
    const mayBeLong = canAwaitTurn && ++this.#answers % answersPerLook === 0;
    if (!mayBeLong || !this.#turn.isLong) return Promise.resolve(value);
    return new Promise((resolve) => {
      EventLoopTurn.next(() => {
        resolve(value);
      });
    });
  }
}
