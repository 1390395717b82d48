import { onAbort } from "../../base/abort.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { sleep } from "../../base/patience.js";
import type { Query, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { closedError, WatchFeed } from "../../store/watch-feed.js";
import { replyWithinMs } from "./clients.js";
import { decodeTold } from "./replies.js";
import { Subscriber, type SubscriberOptions } from "./subscriber.js";
import { Topic } from "./topic.js";

const retryMs = 200;

export interface WatchHubOptions extends Omit<SubscriberOptions, "onMessage"> {
  /** What the channels begin with; the key follows. */
  readonly channel: string;
  readonly read: (query: Query) => Promise<Snapshot>;
  /** A session may expire in so many milliseconds. */
  readonly onWait: (waitMs: number | null) => void;
}

/**
 * The watches of one client. A commit is told on a channel for each of its keys, with all that it did: so
 * exactly those hear of it who watch one of them.
 *
 * Nothing falls into a gap: what a watch begins with, and begins anew with after a lost connection, is read
 * when the subscription is confirmed. What is committed before that is in the snapshot; what is committed
 * later comes as a message, and one that the snapshot holds too is known by its revision.
 */
export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #subscriber: Subscriber;

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#subscriber = new Subscriber({
      ...options,
      onMessage: (topic, message) => {
        const told = decodeTold(message);
        options.onWait(told.waitMs);
        topic.tell(told);
      },
    });
  }

  get isWatching(): boolean {
    return this.#subscriber.topics.size > 0;
  }

  watch(prefix: string, options: WatchOptions): WatchFeed {
    const { signal, exact } = options;
    const halt = new AbortController();
    const topic = this.#topicOf(prefix, exact ?? false);
    const query = exact ? { key: prefix } : { prefix };
    let hasBegun = false;
    const feed = new WatchFeed({
      prefix,
      exact,
      // Nothing is remembered of the past, so that every watch begins with how things stand.
      from: undefined,
      signal,
      snapshot: async () => {
        const snapshot = await orAborted(this.#look(topic, query, hasBegun, halt.signal), halt.signal);
        hasBegun = true;
        return snapshot;
      },
      onEnd: () => {
        halt.abort(signal?.aborted ? signal.reason : closedError());
        this.#leave(topic, feed);
      },
    });
    if (!feed.isOver) this.#join(topic, feed);
    return feed;
  }

  close(error: unknown): void {
    for (const topic of [...this.#subscriber.topics.values()]) topic.fail(error);
    this.#subscriber.close();
  }

  #topicOf(prefix: string, exact: boolean): Topic {
    const { channel } = this.#options;
    const name = exact ? channel + prefix : escapePattern(channel + prefix) + "*";
    return this.#subscriber.topics.get(name) ?? new Topic(name, !exact);
  }

  #join(topic: Topic, feed: WatchFeed): void {
    topic.feeds.add(feed);
    if (topic.feeds.size === 1) this.#subscriber.add(topic);
  }

  #leave(topic: Topic, feed: WatchFeed): void {
    topic.feeds.delete(feed);
    if (topic.feeds.size === 0) this.#subscriber.remove(topic);
  }

  /** A watch that cannot begin says so, like every other call; one that had begun waits for the server. */
  async #look(topic: Topic, query: Query, hasBegun: boolean, signal: AbortSignal): Promise<Snapshot> {
    for (;;) {
      try {
        await this.#confirmed(topic, signal);
        return await this.#options.read(query);
      } catch (error) {
        if (signal.aborted || !hasBegun || !isLockstepError(error, "unavailable")) throw error;
        await sleep(this.#options.clock, retryMs, signal);
      }
    }
  }

  async #confirmed(topic: Topic, signal: AbortSignal): Promise<void> {
    const tooLate = new AbortController();
    const timer = this.#options.clock.after(replyWithinMs, () => {
      tooLate.abort(new LockstepError("unavailable", "redis: the server does not confirm a subscription"));
    });
    try {
      await orAborted(orAborted(topic.confirmed, tooLate.signal), signal);
    } finally {
      timer.cancel();
    }
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => {
      reject(signal.reason);
    });
    promise.then(resolve, reject).finally(unlisten);
  });
}

/** So that a pattern of Redis stands for this text and nothing else. */
function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}
