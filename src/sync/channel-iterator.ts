import { courier } from "../base/courier.js";
import type { ChannelExchange, Receiver } from "./channel-exchange.js";
import type { Waiter } from "./wait-queue.js";

/**
 * One loop over a channel. Ending it, even while somebody waits for its next value, takes nothing out of the
 * channel.
 */
export class ChannelIterator<T> implements AsyncIterableIterator<T, undefined>, Receiver<T> {
  readonly #exchange: ChannelExchange<T>;
  #isOver = false;
  #waiting = 0;

  constructor(exchange: ChannelExchange<T>) {
    this.#exchange = exchange;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    try {
      const next = this.#exchange.next();
      if (next !== undefined) {
        const taken = Promise.resolve(next);
        const { receivers } = this.#exchange;
        return courier === undefined ? taken : courier.deliver(taken, receivers.what, receivers);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    this.#waiting++;
    return this.#exchange.receivers.wait(this) as Promise<IteratorResult<T, undefined>>;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#isOver = true;
    if (this.#waiting > 0) this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @internal */
  receive(value: T, waiter: Waiter<unknown, unknown>): void {
    this.#waiting--;
    waiter.grant({ done: false, value });
  }

  /** @internal */
  end(exchange: ChannelExchange<T>, waiter: Waiter<unknown, unknown>): void {
    this.#waiting--;
    if (exchange.failure !== undefined) waiter.refuse(exchange.failure.error);
    else waiter.grant({ done: true, value: undefined });
  }

  /** Gives up all waits for a next value. They are out of the queue before anything can be sent to them. */
  #leave(): void {
    const { receivers } = this.#exchange;
    for (const waiter of [...receivers]) {
      if (waiter.request !== this) continue;
      receivers.remove(waiter);
      this.#waiting--;
      waiter.grant({ done: true, value: undefined });
    }
  }
}
