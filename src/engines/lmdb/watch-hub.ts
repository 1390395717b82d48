import type { Clock, Timer } from "../../base/clock.js";
import type { Batch, Resync, Revision } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import type { LiveFile } from "./live-file.js";

/** A safety net only: what nobody rang for is noticed after so long. */
const slowPollMs = 1000;
const soonestPollMs = 5;
/** An interest that ended is withdrawn with the next one that begins, or after so long. */
const withdrawAfterMs = 100;

/** The watches of one client: what it wants to hear of, and which of its readers is told what. */
export class WatchHub {
  readonly #live: LiveFile;
  readonly #clock: Clock;
  /** Tells the other clients what this one watches; resolves with the revision after which they log it. */
  readonly #publish: () => Promise<Revision>;
  readonly #feeds = new Set<WatchFeed>();
  /** How many watches there are of each prefix. */
  readonly #watched = new Map<string, number>();
  #published = new Set<string>();
  /** Every commit up to here has been told to the readers. */
  #toldUntil: Revision = 0n;
  #poll: Timer | undefined;
  #withdrawal: Timer | undefined;

  constructor(live: LiveFile, clock: Clock, publish: () => Promise<Revision>) {
    this.#live = live;
    this.#clock = clock;
    this.#publish = publish;
  }

  watch(prefix: string, options: WatchOptions): AsyncIterableIterator<Batch | Resync> {
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
        this.#end(feed);
      },
    });
    if (options.signal?.aborted) return feed;
    this.#watched.set(prefix, (this.#watched.get(prefix) ?? 0) + 1);
    begun = this.#begin(feed, options.from);
    begun.catch((error: unknown) => {
      feed.fail(error);
    });
    return feed;
  }

  /**
   * What this client watches; to be called in the transaction that tells the others, which is when they know.
   */
  interest(): string[] {
    const interest = [...this.#watched.keys()];
    this.#published = new Set(interest);
    return interest;
  }

  /** Tells the readers what happened since they were last told. */
  pump(): void {
    if (this.#feeds.size === 0) return;
    try {
      this.#live.view((view) => {
        const { revision, forgottenUntil, earliestExpiry } = view.meta;
        if (forgottenUntil > this.#toldUntil) {
          for (const feed of this.#feeds) feed.requireResync();
        } else {
          for (const commit of view.logAfter(this.#toldUntil)) {
            for (const feed of this.#feeds) feed.push(commit.revision, commit.events);
          }
        }
        this.#toldUntil = revision;
        this.#pollIn(earliestExpiry - this.#clock.now());
      });
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    for (const feed of [...this.#feeds]) feed.fail(error);
    this.#withdrawal?.cancel();
  }

  async #begin(feed: WatchFeed, from: Revision | undefined): Promise<void> {
    const isKnown = this.#published.has(feed.prefix);
    const loggedAfter = isKnown ? this.#live.view((view) => view.meta.revision) : await this.#publish();
    if (feed.isOver) return;
    if (this.#feeds.size === 0) this.#toldUntil = loggedAfter;
    // From here on the feed hears of every commit after `toldUntil`; what it missed before it must look up.
    // A feed without `from` begins with a snapshot anyway, read after this.
    // A revision that is yet to come is no state that anybody can have seen.
    const isWhole = from === undefined || (from >= this.#toldUntil && from === loggedAfter);
    if (!isWhole) feed.requireResync();
    this.#feeds.add(feed);
    this.pump();
  }

  #end(feed: WatchFeed): void {
    this.#feeds.delete(feed);
    const left = (this.#watched.get(feed.prefix) ?? 0) - 1;
    if (left > 0) this.#watched.set(feed.prefix, left);
    else this.#watched.delete(feed.prefix);
    if (this.#feeds.size === 0) this.#poll?.cancel();
    if (this.#withdrawal) return;
    const withdraw = () => {
      this.#withdrawal = undefined;
      if (this.#published.size > this.#watched.size) this.#publish().catch(ignore);
    };
    this.#withdrawal = this.#clock.after(withdrawAfterMs, withdraw, "background");
  }

  /** Not in the background: who waits for a change keeps its process alive. */
  #pollIn(delayMs: number): void {
    this.#poll?.cancel();
    const poll = () => {
      this.pump();
    };
    this.#poll = this.#clock.after(Math.min(Math.max(delayMs, soonestPollMs), slowPollMs), poll);
  }
}

function ignore(): void {
  // Too many rings do no harm; the next interest to begin puts it right.
}
