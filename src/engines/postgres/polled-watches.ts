import type { Clock, Timer } from "../../base/clock.js";
import type { Batch, Query, Resync, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import type { Watches } from "./postgres-store.js";
import type { Requests } from "./requests.js";

const pollMs = 100;

interface Polled {
  readonly feed: WatchFeed;
  readonly query: Query;
  /** What its reader was told last, or is about to be. */
  told: Snapshot | undefined;
}

/** Watches that look for themselves, where the server cannot tell: they give each state that they find. */
export class PolledWatches implements Watches {
  readonly #requests: Requests;
  readonly #clock: Clock;
  readonly #watches = new Set<Polled>();
  #timer: Timer | undefined;

  constructor(requests: Requests, clock: Clock) {
    this.#requests = requests;
    this.#clock = clock;
  }

  watch(
    prefix: string,
    { exact = false, signal }: WatchOptions,
  ): AsyncIterableIterator<Batch | Resync, void> {
    const query: Query = exact ? { key: prefix } : { prefix };
    const feed = new WatchFeed({
      prefix,
      exact,
      from: undefined,
      signal,
      snapshot: async () => (polled.told = await this.#requests.read(query)),
      onEnd: () => {
        this.#watches.delete(polled);
        if (this.#watches.size === 0) this.#stop();
      },
    });
    const polled: Polled = { feed, query, told: undefined };
    if (feed.isOver) return feed;
    this.#watches.add(polled);
    this.#timer ??= this.#clock.after(pollMs, () => void this.#poll());
    return feed;
  }

  close(error: unknown): void {
    for (const { feed } of [...this.#watches]) feed.fail(error);
  }

  async #poll(): Promise<void> {
    // Whose reader has not come yet has nothing to be news to.
    const begun = [...this.#watches].filter(({ told }) => told !== undefined);
    try {
      await Promise.all(begun.map((polled) => this.#look(polled)));
    } catch {
      // A server that is away is asked again.
    }
    this.#stop();
    if (this.#watches.size > 0) this.#timer = this.#clock.after(pollMs, () => void this.#poll());
  }

  async #look(polled: Polled): Promise<void> {
    const before = polled.told;
    const now = await this.#requests.read(polled.query);
    // The reader may have been told something newer meanwhile.
    if (before === undefined || polled.told !== before || isSame(before, now)) return;
    polled.told = now;
    polled.feed.requireResync(now);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** A key that was written, or made anew, has another revision. */
function isSame(before: Snapshot, now: Snapshot): boolean {
  if (before.entries.length !== now.entries.length) return false;
  return before.entries.every(({ key, modified }, i) => {
    const entry = now.entries[i];
    return entry?.key === key && entry.modified === modified;
  });
}
