import type { Revision } from "../../store/change.js";
import type { WatchFeed } from "../../store/watch-feed.js";
import type { Told } from "./replies.js";

/** One channel, or one pattern of channels, and the watches that hear it. */
export class Topic {
  readonly name: string;
  readonly isPattern: boolean;
  readonly feeds = new Set<WatchFeed>();
  /** Resolves when the server has confirmed the first subscription. */
  readonly confirmed: Promise<void>;
  #resolve: (() => void) | undefined;
  /** A commit of several keys comes several times to a pattern. */
  #last: Revision = 0n;

  constructor(name: string, isPattern: boolean) {
    this.name = name;
    this.isPattern = isPattern;
    this.confirmed = new Promise((resolve) => (this.#resolve = resolve));
  }

  tell({ revision, events, shown }: Told): void {
    if (revision <= this.#last) return;
    this.#last = revision;
    if (events.length === 0) this.requireResync();
    else for (const feed of this.feeds) feed.push(revision, events, shown);
  }

  confirm(): void {
    // Another server may be behind the one before.
    this.#last = 0n;
    if (this.#resolve) {
      // Nobody has looked yet: every watch waits for this before it does.
      this.#resolve();
      this.#resolve = undefined;
    } else {
      // Subscribed anew: what was told in between, nobody here heard.
      this.requireResync();
    }
  }

  requireResync(): void {
    for (const feed of this.feeds) feed.requireResync();
  }

  fail(error: unknown): void {
    for (const feed of [...this.feeds]) feed.fail(error);
  }
}
