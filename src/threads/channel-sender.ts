import { LockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import type { ChannelFormat } from "./channel-format.js";
import { ChannelFrames } from "./channel-frames.js";
import type { ChannelRing } from "./channel-ring.js";
import { ChannelSpin } from "./channel-spin.js";
import { ChannelTurns } from "./channel-turns.js";
import type { SyncPatience } from "./futex.js";

/** The side of a channel that messages go into. */
export class ChannelSender<T> {
  readonly #ring: ChannelRing;
  readonly #format: ChannelFormat<T>;
  readonly #what: string;
  readonly #spin = new ChannelSpin();
  readonly #turns = new ChannelTurns();
  #frames: ChannelFrames;
  /** Tasks of this thread that wait, whom no later one may overtake. */
  #waiting = 0;

  constructor(ring: ChannelRing, format: ChannelFormat<T>, what: string) {
    this.#ring = ring;
    this.#format = format;
    this.#what = what;
    this.#frames = new ChannelFrames(ring.shape);
  }

  send(value: T, patience: Patience): Promise<void> {
    const frames = this.#prepare(value);
    if (this.#waiting === 0 && this.#push(frames)) return this.#turns.answer(undefined);
    return this.#sendLater(patience);
  }

  sendSync(value: T, patience: SyncPatience | undefined): void {
    const frames = this.#prepare(value);
    if (this.#waiting > 0) throw this.#isClosedOrAwaited();
    if (this.#push(frames)) return;
    const attempt = () => this.#push(frames);
    if (patience?.timeoutMs !== 0 && this.#spin.await(attempt)) return;
    this.#ring.room.waitSync(attempt, patience, this.#awaited);
  }

  trySend(value: T): boolean {
    const frames = this.#prepare(value);
    return this.#waiting === 0 && this.#push(frames) === true;
  }

  trySendMany(values: readonly T[]): number {
    if (!Array.isArray(values)) {
      throw new LockstepError("bad-input", "trySendMany sends an array of messages; trySend sends one");
    }
    // All of them first, for this may run code of the caller's, which may send as well; a hole is refused.
    const wires: unknown[] = [];
    for (const value of values as readonly T[]) wires.push(this.#format.toWire(value));
    const frames = this.#frames;
    frames.clear();
    for (const wire of wires) {
      if (frames.usedCells >= this.#ring.shape.cells) break;
      frames.add(this.#format, wire);
    }
    return this.#waiting > 0 ? 0 : this.#pushMany(frames);
  }

  get #awaited(): string {
    return `room in ${this.#what}`;
  }

  #prepare(value: T): ChannelFrames {
    // This may run code of the caller's, which may send as well: the frames are not in use yet.
    const wire = this.#format.toWire(value);
    const frames = this.#frames;
    frames.clear();
    frames.add(this.#format, wire);
    return frames;
  }

  async #sendLater(patience: Patience): Promise<void> {
    const frames = this.#frames;
    this.#frames = new ChannelFrames(this.#ring.shape);
    this.#waiting++;
    try {
      await this.#ring.room.wait(() => this.#push(frames), patience, this.#awaited);
    } finally {
      this.#waiting--;
    }
  }

  /** Sends the only message of the frames, if there is room. */
  #push(frames: ChannelFrames): true | undefined {
    return this.#pushMany(frames) === 0 ? undefined : true;
  }

  #pushMany(frames: ChannelFrames): number {
    const count = this.#ring.push(frames);
    if (count > 0) this.#ring.messages.ring(count);
    if (count >= 0) return count;
    throw this.#closed();
  }

  /** Why no thread may block while tasks of its own wait: it would overtake them, or stop them for ever. */
  #isClosedOrAwaited(): LockstepError {
    if (this.#ring.isClosed) return this.#closed();
    return new LockstepError(
      "misuse",
      `tasks of this thread wait for ${this.#awaited}, and were there first: ` +
        `await channel.send(value) as they do`,
    );
  }

  #closed(): LockstepError {
    return new LockstepError("closed", `${this.#what} was closed; nothing more can be sent`);
  }
}
