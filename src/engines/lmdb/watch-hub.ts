import type { Clock, Timer } from "../../base/clock.js";
import type { Batch, Resync, Revision } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import { KeyWatches, type TellOthers } from "./key-watches.js";
import type { LiveFile } from "./live-file.js";
import type { LiveTransaction } from "./live-transaction.js";

/** A safety net only: what nobody rang for is noticed after so long. */
const slowPollMs = 3000;
const soonestPollMs = 5;
/** What is watched no more is withdrawn with the next watch that begins, or after so long. */
const withdrawAfterMs = 100;

/** The watches of one client: what it wants to hear of, and which of its readers is told what. */
export class WatchHub {
  readonly #live: LiveFile;
  readonly #clock: Clock;
  readonly #tellOthers: TellOthers;
  readonly #keyWatches: KeyWatches;
  /** The watches of prefixes. */
  readonly #feeds = new Set<WatchFeed>();
  /** How many watches there are of each prefix. */
  readonly #watched = new Map<string, number>();
  /** The prefixes that the others know of. */
  #published = new Set<string>();
  /** Every commit up to here has been told to the readers of prefixes. */
  #toldUntil: Revision = 0n;
  #poll: Timer | undefined;
  #pollAt = 0;
  #withdrawal: Timer | undefined;

  constructor(live: LiveFile, clock: Clock, tellOthers: TellOthers) {
    this.#live = live;
    this.#clock = clock;
    this.#tellOthers = tellOthers;
    this.#keyWatches = new KeyWatches(live, tellOthers, {
      onBegin: ({ meta, now }) => {
        // What is watched may vanish with a session whose owner is frozen, and then nobody rings.
        this.#pollIn(meta.earliestExpiry - now);
      },
      onEnd: () => {
        this.#watchEnded();
      },
    });
  }

  watch(prefix: string, options: WatchOptions): AsyncIterableIterator<Batch | Resync, void> {
    return options.exact ? this.#keyWatches.watch(prefix, options) : this.#watchPrefix(prefix, options);
  }

  /** Tells the readers what happened since they were last told. */
  pump(): void {
    if (this.#isIdle) return;
    try {
      this.#live.view((view) => {
        this.#keyWatches.pump(view);
        const { revision, forgottenUntil, earliestExpiry } = view.meta;
        this.#pollIn(earliestExpiry - view.now);
        if (this.#feeds.size === 0) return;
        if (forgottenUntil > this.#toldUntil) {
          for (const feed of this.#feeds) feed.requireResync();
        } else {
          for (const commit of view.logAfter(this.#toldUntil)) {
            for (const feed of this.#feeds) feed.push(commit.revision, commit.events);
          }
        }
        this.#toldUntil = revision;
      });
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    for (const feed of [...this.#feeds]) feed.fail(error);
    this.#keyWatches.fail(error);
    this.#withdrawal?.cancel();
  }

  #watchPrefix(prefix: string, options: WatchOptions): AsyncIterableIterator<Batch | Resync, void> {
    let begun = Promise.resolve();
    const feed = new WatchFeed({
      prefix,
      from: options.from,
      signal: options.signal,
      snapshot: async () => {
        // Read only when what comes after it is sure to be logged.
        await begun;
        return this.#live.view((view) => view.snapshot({ prefix }));
      },
      onEnd: () => {
        this.#feeds.delete(feed);
        const left = (this.#watched.get(prefix) ?? 0) - 1;
        if (left > 0) this.#watched.set(prefix, left);
        else this.#watched.delete(prefix);
        this.#watchEnded();
      },
    });
    if (feed.isOver) return feed;
    this.#watched.set(prefix, (this.#watched.get(prefix) ?? 0) + 1);
    begun = this.#begin(feed, options.from);
    begun.catch((error: unknown) => {
      feed.fail(error);
    });
    return feed;
  }

  async #begin(feed: WatchFeed, from: Revision | undefined): Promise<void> {
    // In the step itself, so that no ring for what comes after it finds the feed not yet here.
    const add = (loggedAfter: Revision) => {
      if (feed.isOver) return;
      if (this.#feeds.size === 0) this.#toldUntil = loggedAfter;
      // From here on the feed hears of every commit after `toldUntil`; what it missed before it must look up.
      // A feed without `from` begins with a snapshot anyway, read after this; and a revision that is yet to
      // come is no state that anybody can have seen.
      const isWhole = from === undefined || (from >= this.#toldUntil && from === loggedAfter);
      if (!isWhole) feed.requireResync();
      this.#feeds.add(feed);
      this.#pollIn(slowPollMs);
    };
    if (this.#published.has(feed.prefix)) {
      this.#live.view((view) => {
        add(view.meta.revision);
      });
      return;
    }
    await this.#tellOthers((transaction, id) => {
      add(this.#publish(transaction, id));
    });
  }

  /** Writes which prefixes are watched; from this transaction on, the others log and ring for them. */
  #publish(transaction: LiveTransaction, id: string): Revision {
    this.#published = new Set(this.#watched.keys());
    transaction.setInterest(id, [...this.#published]);
    return transaction.meta.revision;
  }

  #watchEnded(): void {
    if (this.#isIdle) this.#stopPolling();
    if (this.#withdrawal) return;
    const withdraw = () => {
      this.#withdrawal = undefined;
      const isStale = this.#published.size > this.#watched.size;
      if (!isStale && !this.#keyWatches.isStale) return;
      this.#tellOthers((transaction, id) => {
        this.#keyWatches.withdraw(transaction, id);
        if (isStale) this.#publish(transaction, id);
      }).catch(ignore);
    };
    this.#withdrawal = this.#clock.after(withdrawAfterMs, withdraw, "background");
  }

  get #isIdle(): boolean {
    return this.#feeds.size === 0 && this.#keyWatches.isEmpty;
  }

  /** Looks after so long. Not in the background: who waits for a change keeps its process alive. */
  #pollIn(delayMs: number): void {
    const wait = Math.min(Math.max(delayMs, soonestPollMs), slowPollMs);
    const at = this.#clock.now() + wait;
    // A poll that is set for sooner stays: most rings come long before it, and timers cost.
    if (this.#poll && this.#pollAt <= at) return;
    this.#stopPolling();
    this.#pollAt = at;
    this.#poll = this.#clock.after(wait, () => {
      this.#poll = undefined;
      this.pump();
    });
  }

  #stopPolling(): void {
    this.#poll?.cancel();
    this.#poll = undefined;
  }
}

function ignore(): void {
  // Too many rings do no harm; the next watch to begin puts it right.
}
