import type { Clock } from "../base/clock.js";
import type { ChannelExchange } from "./channel-exchange.js";
import type { WaitQueue, Waiter } from "./wait-queue.js";

/** How a case that waits tells its select what became of it. It is out of its queue by then. */
export interface CaseListener<Outcome> {
  happened(outcome: Outcome): void;
  failed(error: unknown): void;
}

/** What may happen in a select. */
export interface SelectCase<Outcome> {
  /** @internal */
  readonly clock: Clock;
  /** @internal Happens at once if it can; undefined if it would have to wait. */
  attempt(): Outcome | undefined;
  /** @internal Waits for its turn like anybody else, until the returned function takes it out. */
  park(listener: CaseListener<Outcome>, signal: AbortSignal | undefined): () => void;
}

/** A receive, as a case of a select; the value is its outcome, or else `done`, when the channel has ended. */
export class Receiving<T> implements SelectCase<IteratorResult<T, undefined>> {
  readonly #exchange: ChannelExchange<T>;

  /** @internal */
  constructor(exchange: ChannelExchange<T>) {
    this.#exchange = exchange;
  }

  /** @internal */
  get clock(): Clock {
    return this.#exchange.clock;
  }

  /** @internal */
  attempt(): IteratorResult<T, undefined> | undefined {
    return this.#exchange.next();
  }

  /** @internal */
  park(listener: CaseListener<IteratorResult<T, undefined>>, signal: AbortSignal | undefined): () => void {
    return joined(this.#exchange.receivers, signal, {
      receive(value) {
        listener.happened({ done: false, value });
      },
      end({ failure }) {
        if (failure !== undefined) listener.failed(failure.error);
        else listener.happened({ done: true, value: undefined });
      },
    });
  }
}

const isSent: IteratorYieldResult<undefined> = { done: false, value: undefined };

/** A send, as a case of a select. */
export class Sending<T> implements SelectCase<IteratorYieldResult<undefined>> {
  readonly #exchange: ChannelExchange<T>;
  readonly #value: T;

  /** @internal */
  constructor(exchange: ChannelExchange<T>, value: T) {
    this.#exchange = exchange;
    this.#value = value;
  }

  /** @internal */
  get clock(): Clock {
    return this.#exchange.clock;
  }

  /** @internal */
  attempt(): IteratorYieldResult<undefined> | undefined {
    if (this.#exchange.isClosed) throw this.#exchange.closedError();
    return this.#exchange.pass(this.#value) ? isSent : undefined;
  }

  /** @internal */
  park(listener: CaseListener<IteratorYieldResult<undefined>>, signal: AbortSignal | undefined): () => void {
    return joined(this.#exchange.senders, signal, {
      value: this.#value,
      sent() {
        listener.happened(isSent);
      },
      refuse(error) {
        listener.failed(error);
      },
    });
  }
}

/** Joins a queue, and returns how to leave it, which is allowed after having been taken out as well. */
function joined<Request>(
  queue: WaitQueue<unknown, Request>,
  signal: AbortSignal | undefined,
  request: Request,
): () => void {
  let parked: Waiter<unknown, Request>;
  // The queue must know the signal, to serve nobody whose signal has aborted. Nobody waits for this promise,
  // which only ever tells of that: the select has one for all of its cases, and hears of it by itself.
  queue.wait(request, signal && { signal }, (waiter) => (parked = waiter)).catch(() => undefined);
  return () => queue.remove(parked);
}
