import type { Batch, Resync, Revision, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import type { LiveFile } from "./live-file.js";
import type { LiveTransaction } from "./live-transaction.js";
import type { LiveView } from "./live-view.js";

/** Writes into the store what this client watches, so that the others ring it. */
export type TellOthers = <T>(run: (transaction: LiveTransaction, id: string) => T) => Promise<T>;

export interface KeyWatchEvents {
  /** With the state in which the watch begins. */
  onBegin(view: LiveView): void;
  onEnd(): void;
}

/** A key that is watched, and what its watchers last knew of it. */
interface WatchedKey {
  readonly feeds: Set<WatchFeed>;
  /** When the key was last written; undefined when it was not there. */
  seen: Revision | undefined;
}

/**
 * The watches of single keys, such as everyone who waits in a queue has one of the key ahead. They come and
 * go with every wait, so they cost little: the key's watchers are noted beside the key, whoever writes it
 * finds them there, and a watcher that is rung looks at the key. It tells how the key stands, by a resync.
 */
export class KeyWatches {
  readonly #live: LiveFile;
  readonly #tellOthers: TellOthers;
  readonly #events: KeyWatchEvents;
  readonly #keys = new Map<string, WatchedKey>();
  /** No longer watched, and still noted. */
  readonly #stale = new Set<string>();

  constructor(live: LiveFile, tellOthers: TellOthers, events: KeyWatchEvents) {
    this.#live = live;
    this.#tellOthers = tellOthers;
    this.#events = events;
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  get isStale(): boolean {
    return this.#stale.size > 0;
  }

  watch(key: string, options: WatchOptions): AsyncIterableIterator<Batch | Resync, void> {
    let begun = Promise.resolve();
    const feed = new WatchFeed({
      prefix: key,
      from: options.from,
      signal: options.signal,
      snapshot: async () => {
        await begun;
        return this.#live.view((view) => view.snapshot({ key }));
      },
      onEnd: () => {
        this.#end(key, feed);
      },
    });
    if (feed.isOver) return feed;
    begun = this.#begin(key, feed, options.from);
    begun.catch((error: unknown) => {
      feed.fail(error);
    });
    return feed;
  }

  /** Tells the readers of keys that were written since they were last told. */
  pump(view: LiveView): void {
    for (const [key, watched] of this.#keys) {
      const entry = view.get(key);
      if (entry?.modified === watched.seen) continue;
      watched.seen = entry?.modified;
      const snapshot: Snapshot = { revision: view.meta.revision, entries: entry ? [entry] : [] };
      for (const feed of watched.feeds) feed.requireResync(snapshot);
    }
  }

  /** Takes back what is noted of keys that are watched no more. */
  withdraw(transaction: LiveTransaction, id: string): void {
    for (const key of this.#stale) if (!this.#keys.has(key)) transaction.unwatchKey(key, id);
    this.#stale.clear();
  }

  fail(error: unknown): void {
    for (const { feeds } of [...this.#keys.values()]) for (const feed of [...feeds]) feed.fail(error);
  }

  async #begin(key: string, feed: WatchFeed, from: Revision | undefined): Promise<void> {
    await this.#tellOthers((transaction, id) => {
      this.withdraw(transaction, id);
      if (feed.isOver) return;
      // In the transaction, so that no ring for what comes after it finds the feed not yet here.
      transaction.watchKey(key, id);
      const entry = transaction.get(key);
      const watched = this.#keys.get(key) ?? { feeds: new Set(), seen: entry?.modified };
      this.#keys.set(key, watched);
      watched.feeds.add(feed);
      this.#events.onBegin(transaction);
      // A key that is there, and was last written before, was not touched in between.
      const isUntouched = entry !== undefined && from !== undefined && entry.modified <= from;
      if (from !== undefined && !isUntouched) feed.requireResync();
    });
  }

  #end(key: string, feed: WatchFeed): void {
    const watched = this.#keys.get(key);
    if (watched?.feeds.delete(feed) && watched.feeds.size === 0) {
      this.#keys.delete(key);
      this.#stale.add(key);
    }
    this.#events.onEnd();
  }
}
