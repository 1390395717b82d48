import { isLockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";

/** One loop over a channel. Ending it, even while somebody waits for its next message, takes none out. */
export class ChannelIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #receive: (patience: Patience) => Promise<T>;
  readonly #leaving = new AbortController();

  constructor(receive: (patience: Patience) => Promise<T>) {
    this.#receive = receive;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const { signal } = this.#leaving;
    try {
      return { done: false, value: await this.#receive({ signal }) };
    } catch (error) {
      if (signal.aborted || isLockstepError(error, "closed")) return { done: true, value: undefined };
      throw error;
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#leaving.abort();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
