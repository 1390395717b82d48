import { isLockstepError, LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { shown } from "../base/shown.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { channelFormats, numberBytes, type ChannelFormat, type ChannelFormatName } from "./channel-format.js";
import { ChannelIterator } from "./channel-iterator.js";
import { ChannelReceiver, type Received } from "./channel-receiver.js";
import { ChannelRing } from "./channel-ring.js";
import { ChannelSender } from "./channel-sender.js";
import { ChannelShape, type ChannelSize } from "./channel-shape.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";

const sizeOptions = ["bytes", "recordBytes", "capacity"];

export type ChannelOptions = ChannelSize & LockOptions;

/** What opens a channel in another thread, which so knows what it carries. */
export interface ChannelHandle<T> extends Handle<"channel"> {
  readonly format: ChannelFormatName;
  readonly size: ChannelSize;
  readonly name: string | undefined;
  /** Never there: it tells the compiler what the channel carries. */
  readonly carries?: T;
}

/**
 * Passes messages from threads that make them to threads that use them, each message to one of them. Those of
 * one sender arrive in the order in which it sent them.
 *
 * `new Channel` carries bytes, `Channel.json` what JSON can say, `Channel.numbers` numbers.
 *
 * *Fairness*: among the tasks of one thread, first come, first served, if the thread has opened the channel
 * once. Among threads, one that runs may overtake one that sleeps; and in a channel of messages of any
 * length, a long one waits for its room for as long as others fill it up with short ones.
 *
 * *Cancellation*: a receive whose signal aborts or whose time is up takes nothing, and such a send sends
 * nothing.
 *
 * *Failure*: a thread that dies while it sends has not sent, and one that dies while it receives has not
 * received; neither keeps anybody waiting. When the channel is closed, those who wait to send fail with
 * 'closed', and so does each later send; what is in it can still be received. After that a loop ends, and a
 * receive fails with 'closed'.
 */
export class Channel<T = Uint8Array> implements AsyncIterable<T, undefined>, Iterable<T, undefined> {
  /** Opens the same channel in another thread, by `Channel.from`. */
  readonly handle: ChannelHandle<T>;
  readonly #ring: ChannelRing;
  readonly #sender: ChannelSender<T>;
  readonly #receiver: ChannelReceiver<T>;

  constructor(
    options: T extends Uint8Array ? ChannelOptions : never,
    /** @internal */ handle: ChannelHandle<T> = newHandle("bytes", options),
  ) {
    const { what, clock } = checkLockOptions("channel", options, sizeOptions);
    const format = channelFormats[handle.format] as ChannelFormat<unknown> as ChannelFormat<T>;
    const shape = new ChannelShape(handle.size);
    this.handle = handle;
    this.#ring = new ChannelRing(handle.memory, shape, Liveness.of(handle.threads), clock);
    this.#sender = new ChannelSender(this.#ring, format, what);
    this.#receiver = new ChannelReceiver(this.#ring, format, what);
  }

  /** A channel of what JSON can say. */
  static json<T>(options: ChannelOptions): Channel<T> {
    return new Channel<T>(options as never, newHandle("json", options));
  }

  /** A channel that holds so many numbers. */
  static numbers(options: { capacity: number } & LockOptions): Channel<number> {
    checkLockOptions("channel", options, ["capacity"]);
    const records = { ...options, recordBytes: numberBytes };
    return new Channel<number>(records as never, newHandle("numbers", records));
  }

  /** The channel of that handle. */
  static from<T>(handle: ChannelHandle<T>, options: OpenOptions = {}): Channel<T> {
    checkHandle("channel", handle, 0);
    checkFormat(handle.format);
    checkHandle("channel", handle, ChannelRing.memoryFor(new ChannelShape(handle.size)));
    checkOptions(options, ["clock"]);
    return new Channel<T>({ name: handle.name, clock: options.clock } as never, handle);
  }

  /** Whether it was closed; there may still be messages to receive. */
  get isClosed(): boolean {
    return this.#ring.isClosed;
  }

  /** Sends a message, or waits until there is room. The value may be changed as soon as this returns. */
  send(value: T, patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    try {
      return this.#sender.send(value, patience ?? {});
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a message, or blocks the thread until there is room for it: in workers. *Failure*: throws 'misuse'
   * while tasks of the thread wait in `send`, which it would overtake.
   */
  sendSync(value: T, patience?: SyncPatience): void {
    Futex.checkMayBlock(patience, "await channel.send(value)");
    this.#sender.sendSync(value, patience);
  }

  /**
   * Sends a message at once; says false if there is no room.
   *
   * *Failure*: throws 'closed' when the channel was closed, for trying again would never help.
   */
  trySend(value: T): boolean {
    return this.#sender.trySend(value);
  }

  /**
   * Sends the first of these messages, as many as there is room for, and says how many: much faster than one
   * by one. *Failure*: throws 'closed' when the channel was closed.
   */
  trySendMany(values: readonly T[]): number {
    return this.#sender.trySendMany(values);
  }

  /** Takes the next message, or waits for one. */
  receive(patience?: Patience): Promise<T> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    try {
      return this.#receiver.receive(patience ?? {});
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Takes the next message, or blocks the thread until there is one: in workers. *Failure*: throws 'misuse'
   * while tasks of the thread wait in `receive`, which it would overtake.
   */
  receiveSync(patience?: SyncPatience): T {
    Futex.checkMayBlock(patience, "await channel.receive()");
    return this.#receiver.receiveSync(patience);
  }

  /**
   * Takes the next message at once; says null if there is none.
   *
   * *Failure*: throws 'closed' when the channel was closed and nothing is left in it.
   */
  tryReceive(): Received<T> | null {
    return this.#receiver.tryReceive();
  }

  /**
   * Takes the messages that are there, at most so many, or none: much faster than one by one. *Failure*:
   * throws 'closed' when the channel was closed and nothing is left in it.
   */
  tryReceiveMany(most = Infinity): T[] {
    if (most !== Infinity && !(Number.isSafeInteger(most) && most >= 1)) {
      throw new LockstepError("bad-input", `most must be a whole number from 1 up, not ${shown(most)}`);
    }
    return this.#receiver.tryReceiveMany(most);
  }

  /** Says that nothing more will be sent, by anybody. Changes nothing when it was closed before. */
  close(): void {
    this.#ring.close();
  }

  /** Receives until the channel ends. Several loops share the messages; leaving one loses none. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new ChannelIterator((patience) => this.receive(patience));
  }

  /** The same for a thread that blocks while there is no message: in workers. */
  *[Symbol.iterator](): IterableIterator<T, undefined> {
    for (;;) {
      let value: T;
      try {
        value = this.receiveSync();
      } catch (error) {
        if (isLockstepError(error, "closed")) return undefined;
        throw error;
      }
      yield value;
    }
  }
}

function newHandle<T>(format: ChannelFormatName, options: ChannelOptions): ChannelHandle<T> {
  checkLockOptions("channel", options, sizeOptions);
  const { name, bytes, recordBytes, capacity } = options;
  const size = { bytes, recordBytes, capacity } as ChannelSize;
  const memory = allocate(ChannelRing.memoryFor(new ChannelShape(size)));
  return makeHandle("channel", memory, Liveness.here, { format, size, name });
}

function checkFormat(format: unknown): void {
  if (typeof format === "string" && Object.hasOwn(channelFormats, format)) return;
  throw new LockstepError("bad-input", "the handle has lost the format of its messages: pass it on as it is");
}
