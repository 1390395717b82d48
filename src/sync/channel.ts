import { courier } from "../base/courier.js";
import type { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkCapacity } from "./channel-capacity.js";
import { ChannelExchange, none, type Receiver, type Sender } from "./channel-exchange.js";
import { ChannelIterator } from "./channel-iterator.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { Receiving, Sending } from "./select-case.js";
import type { Waiter } from "./wait-queue.js";

export interface ChannelOptions extends LockOptions {
  /**
   * How many values may lie in it before `send` waits: 0 for a rendezvous, where each value goes from hand to
   * hand; `Infinity` when whoever sends must never wait, and memory is no worry.
   */
  capacity: number;
}

/**
 * Passes values from tasks that make them to tasks that use them, each value to one of them, in the order in
 * which they were sent.
 *
 * *Fairness*: first come, first served, among those who send and among those who receive. A value goes to the
 * first who waits for one in the moment in which it is sent. *Cancellation*: a receive whose signal aborts or
 * whose time is up takes nothing, and such a send delivers nothing.
 *
 * *Failure*: when it is closed, those who wait to send reject with 'closed', and so does each later send;
 * what is in it can still be received. After that a loop ends, and `receive` rejects with 'closed', or both
 * reject with the error that was given to `fail`.
 */
export class Channel<T> implements AsyncIterable<T, undefined> {
  readonly #exchange: ChannelExchange<T>;

  constructor(options: ChannelOptions) {
    const { what, clock } = checkLockOptions("channel", options, ["capacity"]);
    checkCapacity(what, options.capacity);
    this.#exchange = new ChannelExchange(what, options.capacity, clock);
  }

  get capacity(): number {
    return this.#exchange.capacity;
  }

  /** How many values lie in it; not those of senders who wait. */
  get size(): number {
    return this.#exchange.size;
  }

  /** Whether it was closed; there may still be values to receive. */
  get isClosed(): boolean {
    return this.#exchange.isClosed;
  }

  /** How many wait to send. */
  get waitingSenders(): number {
    return this.#exchange.senders.size;
  }

  /** How many wait to receive. */
  get waitingReceivers(): number {
    return this.#exchange.receivers.size;
  }

  /** Passes a value on, or waits until there is room; with capacity 0, until it is received. */
  send(value: T, patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    const exchange = this.#exchange;
    if (exchange.isClosed) return Promise.reject(exchange.closedError());
    if (exchange.pass(value)) {
      return courier === undefined ? sent : courier.deliver(sent, exchange.senders.what, exchange.senders);
    }
    return exchange.senders.wait(new SendCall(value), patience) as Promise<void>;
  }

  /**
   * Passes a value on at once, without any promise; says false if it would have to wait.
   *
   * *Failure*: throws 'closed' when the channel was closed, for trying again would never help.
   */
  trySend(value: T): boolean {
    if (this.#exchange.isClosed) throw this.#exchange.closedError();
    return this.#exchange.pass(value);
  }

  /** Takes the value that was sent first, or waits for one. */
  receive(patience?: Patience): Promise<T> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    const exchange = this.#exchange;
    const value = exchange.take();
    if (value !== none) {
      const taken = Promise.resolve(value);
      const { receivers } = exchange;
      return courier === undefined ? taken : courier.deliver(taken, receivers.what, receivers);
    }
    if (exchange.isClosed) return Promise.reject(exchange.endError());
    return exchange.receivers.wait(receiveCall, patience) as Promise<T>;
  }

  /**
   * Takes the value that was sent first at once, without any promise; says null if it would have to wait.
   *
   * *Failure*: throws what `receive` would reject with when nothing will ever come.
   */
  tryReceive(): { value: T } | null {
    const value = this.#exchange.take();
    if (value !== none) return { value };
    if (this.#exchange.isClosed) throw this.#exchange.endError();
    return null;
  }

  /** Says that nothing more will be sent. Changes nothing when it was closed before. */
  close(): void {
    this.#exchange.close();
  }

  /**
   * Closes it because something went wrong: those who receive get what is in it still, and then this error
   * instead of an end that looks like success. Changes nothing when it was closed before.
   */
  fail(error: unknown): void {
    this.#exchange.close({ error });
  }

  /** Receives until the channel ends. Several loops share the values; leaving one loses none. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new ChannelIterator(this.#exchange);
  }

  /** A receive, as one of the cases of a select. */
  receiving(): Receiving<T> {
    return new Receiving(this.#exchange);
  }

  /** A send of this value, as one of the cases of a select. */
  sending(value: T): Sending<T> {
    return new Sending(this.#exchange, value);
  }
}

/** What each send that need not wait returns. */
const sent = Promise.resolve();

const receiveCall: Receiver<unknown> = {
  receive(value, waiter) {
    waiter.grant(value);
  },
  end(exchange, waiter) {
    waiter.refuse(exchange.endError());
  },
};

class SendCall<T> implements Sender<T> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }

  sent(waiter: Waiter<unknown, unknown>): void {
    waiter.grant(undefined);
  }

  refuse(error: LockstepError, waiter: Waiter<unknown, unknown>): void {
    waiter.refuse(error);
  }
}
