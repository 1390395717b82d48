import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { ChannelBuffer } from "./channel-buffer.js";
import { WaitQueue, type Waiter } from "./wait-queue.js";

/** One who waits for a value: a `receive`, a loop, a case of a select. Its waiter is out when it is told. */
export interface Receiver<T> {
  receive(value: T, waiter: Waiter<unknown, unknown>): void;
  /** Nothing will come any more. */
  end(exchange: ChannelExchange<T>, waiter: Waiter<unknown, unknown>): void;
}

/** One who waits for its value to be taken: a call of `send`, a case of a select. */
export interface Sender<T> {
  readonly value: T;
  sent(waiter: Waiter<unknown, unknown>): void;
  refuse(error: unknown, waiter: Waiter<unknown, unknown>): void;
}

/** Why a channel ended, if it did not just end. */
interface Failure {
  readonly error: unknown;
}

/** There was no value to take. */
export const none = Symbol("none");

/**
 * Where values pass from those who send to those who receive: what a channel and a select are faces of.
 *
 * Whoever comes looks first whether it can go on at once, and joins a queue only if it cannot. So a sender
 * waits only while the buffer is full, and a receiver only while it is empty; and both wait at the same time
 * only when one select does both, for it does not deal with itself. Whoever takes another one out of a queue
 * settles it in the same step. No code of anybody else runs in between: no cancel, no close, no other select.
 */
export class ChannelExchange<T> {
  readonly what: string;
  readonly clock: Clock;
  readonly capacity: number;
  readonly receivers: WaitQueue<unknown, Receiver<T>>;
  readonly senders: WaitQueue<unknown, Sender<T>>;
  readonly #buffer = new ChannelBuffer<T>();
  #isClosed = false;
  #failure: Failure | undefined;

  constructor(what: string, capacity: number, clock: Clock) {
    this.what = what;
    this.clock = clock;
    this.capacity = capacity;
    this.receivers = new WaitQueue(clock, `a value from ${what}`);
    this.senders = new WaitQueue(clock, `room in ${what}`);
  }

  /** How many values lie in the buffer. */
  get size(): number {
    return this.#buffer.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Passes a value on at once, to a receiver or to the buffer; false when there is no room. */
  pass(value: T): boolean {
    const receiver = this.receivers.shift();
    if (receiver !== undefined) {
      receiver.request.receive(value, receiver);
      return true;
    }
    if (this.#buffer.size >= this.capacity) return false;
    this.#buffer.push(value);
    return true;
  }

  /**
   * Takes the value that was sent first, if there is one, and lets the first sender who waits go on. When
   * there is none and it is closed, this is the end.
   */
  take(): T | typeof none {
    if (this.#buffer.size === 0) {
      const sender = this.senders.shift();
      if (sender === undefined) return none;
      sender.request.sent(sender);
      return sender.request.value;
    }
    const value = this.#buffer.shift();
    const sender = this.senders.shift();
    if (sender !== undefined) {
      this.#buffer.push(sender.request.value);
      sender.request.sent(sender);
    }
    return value;
  }

  /** The same in the words of an iterator, which know the end; undefined when one has to wait. */
  next(): IteratorResult<T, undefined> | undefined {
    const value = this.take();
    if (value !== none) return { done: false, value };
    if (!this.#isClosed) return undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
    return { done: true, value: undefined };
  }

  close(failure?: Failure): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failure = failure;
    // While somebody waits to receive, the buffer is empty: this is the end for all of them.
    for (const first of this.receivers.drain()) {
      first.request.end(this, first);
    }
    for (const first of this.senders.drain()) {
      first.request.refuse(this.closedError(), first);
    }
  }

  /** For who sends. */
  closedError(): LockstepError {
    const cause = this.#failure === undefined ? {} : { cause: this.#failure.error };
    return new LockstepError("closed", `${this.what} was closed: it takes nothing more`, cause);
  }

  /** For who receives a single value. */
  endError(): unknown {
    if (this.#failure !== undefined) return this.#failure.error;
    return new LockstepError(
      "closed",
      `${this.what} was closed, and all that was in it was received; a for await loop would just end`,
    );
  }
}
