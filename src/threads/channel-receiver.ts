import { LockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import type { ChannelFormat } from "./channel-format.js";
import { ChannelFrames } from "./channel-frames.js";
import type { ChannelRing } from "./channel-ring.js";
import { ChannelSpin } from "./channel-spin.js";
import { ChannelTurns } from "./channel-turns.js";
import type { SyncPatience } from "./futex.js";

/** A message that was received; the box tells it from there being none. */
export interface Received<T> {
  readonly value: T;
}

/** The side of a channel that messages come out of. */
export class ChannelReceiver<T> {
  readonly #ring: ChannelRing;
  readonly #format: ChannelFormat<T>;
  readonly #what: string;
  readonly #spin = new ChannelSpin();
  readonly #turns = new ChannelTurns();
  readonly #frames: ChannelFrames;
  /** Tasks of this thread that wait, whom no later one may overtake. */
  #waiting = 0;

  constructor(ring: ChannelRing, format: ChannelFormat<T>, what: string) {
    this.#ring = ring;
    this.#format = format;
    this.#what = what;
    this.#frames = new ChannelFrames(ring.shape);
  }

  receive(patience: Patience): Promise<T> {
    const received = this.#waiting === 0 ? this.#take() : undefined;
    return received === undefined ? this.#receiveLater(patience) : this.#turns.answer(received.value);
  }

  receiveSync(patience: SyncPatience | undefined): T {
    if (this.#waiting > 0) {
      // Whatever came would be theirs, and they cannot take it while the thread blocks.
      throw new LockstepError(
        "misuse",
        `tasks of this thread wait for ${this.#awaited}, and were there first: ` +
          `await channel.receive() as they do`,
      );
    }
    const received = this.#take();
    if (received !== undefined) return received.value;
    const attempt = () => this.#take();
    const soon = patience?.timeoutMs === 0 ? undefined : this.#spin.await(attempt);
    return (soon ?? this.#ring.messages.waitSync(attempt, patience, this.#awaited)).value;
  }

  tryReceive(): Received<T> | null {
    return (this.#waiting === 0 ? this.#take() : undefined) ?? null;
  }

  tryReceiveMany(most: number): T[] {
    const values: T[] = [];
    if (this.#waiting > 0 || this.#pop(most) === 0) return values;
    for (let at = 0; at < this.#frames.usedCells; at = this.#frames.next(at)) {
      values.push(this.#frames.read(this.#format, at));
    }
    return values;
  }

  get #awaited(): string {
    return `a message from ${this.#what}`;
  }

  async #receiveLater(patience: Patience): Promise<T> {
    this.#waiting++;
    try {
      const { value } = await this.#ring.messages.wait(() => this.#take(), patience, this.#awaited);
      return value;
    } finally {
      this.#waiting--;
    }
  }

  #take(): Received<T> | undefined {
    return this.#pop(1) === 0 ? undefined : { value: this.#frames.read(this.#format, 0) };
  }

  /** Fills the frames; says with how many messages. Throws 'closed' when none will ever come. */
  #pop(most: number): number {
    let count = this.#ring.pop(this.#frames, most);
    if (count === 0) {
      if (!this.#ring.isClosed) return 0;
      // Whoever sees it closed sees all that was sent: only now does nothing mean that nothing will come.
      count = this.#ring.pop(this.#frames, most);
      if (count === 0)
        throw new LockstepError("closed", `${this.#what} was closed, and nothing is left in it`);
    }
    this.#ring.ringForRoom(count);
    return count;
  }
}
