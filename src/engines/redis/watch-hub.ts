import type { Timer } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import type { Query, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import { replyWithinMs } from "./clients.js";
import { decodeTold } from "./replies.js";
import { Subscriber, type SubscriberOptions } from "./subscriber.js";
import { Topic } from "./topic.js";

/** When the server could not be asked. */
const retryMs = 200;

export interface WatchHubOptions extends Omit<SubscriberOptions, "onMessage"> {
  /** What the channels begin with; the key follows. */
  readonly channel: string;
  /** Comes to the server; without a query only that. */
  readonly read: (query?: Query) => Promise<Snapshot>;
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
  #alarm: Timer | undefined;
  #ringsAt = Infinity;

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#subscriber = new Subscriber({
      ...options,
      onMessage: (topic, message) => {
        const told = decodeTold(message);
        this.dueIn(told.waitMs);
        topic.tell(told);
      },
    });
  }

  /**
   * A session may be due in so many milliseconds. Somebody must come to the server then, so that those who
   * watch hear of its end: the server itself does nothing unasked. Every answer says when that is, and every
   * message of something new.
   */
  dueIn(waitMs: number | null): void {
    if (waitMs === null || this.#subscriber.topics.size === 0) return;
    const { clock } = this.#options;
    const at = clock.now() + waitMs;
    if (at >= this.#ringsAt) return;
    this.#alarm?.cancel();
    this.#ringsAt = at;
    this.#alarm = clock.after(waitMs, () => this.#ring(), "background");
  }

  watch(prefix: string, { signal, exact = false }: WatchOptions): WatchFeed {
    const topic = this.#topicOf(prefix, exact);
    let hasBegun = false;
    const feed: WatchFeed = new WatchFeed({
      prefix,
      exact,
      // Nothing is remembered of the past, so that every watch begins with how things stand.
      from: undefined,
      signal,
      snapshot: async () => {
        const query = exact ? { key: prefix } : { prefix };
        const snapshot = await this.#look(topic, query, () => hasBegun && !feed.isOver);
        hasBegun = true;
        return snapshot;
      },
      onEnd: () => {
        if (topic.feeds.delete(feed) && topic.feeds.size === 0) this.#subscriber.remove(topic);
      },
    });
    if (!feed.isOver && topic.feeds.add(feed).size === 1) this.#subscriber.add(topic);
    return feed;
  }

  close(error: unknown): void {
    for (const topic of [...this.#subscriber.topics.values()]) topic.fail(error);
    this.#subscriber.close();
    this.#alarm?.cancel();
  }

  #ring(): void {
    this.#ringsAt = Infinity;
    if (this.#subscriber.topics.size === 0) return;
    this.#options.read().catch(() => {
      this.dueIn(retryMs);
    });
  }

  #topicOf(prefix: string, exact: boolean): Topic {
    const { channel } = this.#options;
    const name = exact ? channel + prefix : escapePattern(channel + prefix) + "*";
    return this.#subscriber.topics.get(name) ?? new Topic(name, !exact);
  }

  /** A watch that cannot begin says so, like every other call; one that had begun waits for the server. */
  async #look(topic: Topic, query: Query, isPatient: () => boolean): Promise<Snapshot> {
    for (;;) {
      try {
        await this.#confirmed(topic);
        return await this.#options.read(query);
      } catch (error) {
        if (!isPatient() || !isLockstepError(error, "unavailable")) throw error;
        await new Promise<void>((resolve) => this.#options.clock.after(retryMs, resolve, "background"));
      }
    }
  }

  #confirmed(topic: Topic): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        reject(new LockstepError("unavailable", "redis: the server does not confirm a subscription"));
      };
      const timer = this.#options.clock.after(replyWithinMs, giveUp, "background");
      void topic.confirmed.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** So that a pattern of Redis stands for this text and nothing else. */
function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}
