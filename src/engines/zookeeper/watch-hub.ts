import { isLockstepError } from "../../base/errors.js";
import type { Query, Revision, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import { JuteWriter } from "./client/jute.js";
import { operation } from "./client/protocol.js";
import type { Wire } from "./client/wire.js";
import type { Layout } from "./layout.js";

/** How the hub reads. */
export interface WatchReader {
  ready(): Wire | Promise<Wire>;
  read(wire: Wire, query: Query): Promise<Snapshot>;
  /** After it, the connection reads no state that is older than the call. */
  settle(wire: Wire): Promise<void>;
}

/** ZooKeeper's persistent watches: of one node, or of all below it too. */
const watchModes = { node: 0, tree: 1 } as const;
/** Kinds of watches to remove: all. */
const anyWatch = 3;

/** What the server is to tell us of: one path, for all who watch it. */
interface Interest {
  readonly path: string;
  readonly mode: keyof typeof watchModes;
  watchers: number;
  /** The connection on which it was told. */
  wire: Wire | undefined;
}

interface Watcher {
  readonly feed: WatchFeed;
  readonly query: Query;
  readonly exact: boolean;
  readonly from: Revision | undefined;
  readonly interest: Interest;
  /** How things stood at the last look, which was told, or will be. */
  told: Snapshot | undefined;
  /** Whether a look is due that has not begun. */
  isDue: boolean;
  /** Looks are taken one after the other, so that none tells what is older. */
  looking: Promise<unknown>;
}

/**
 * The watches of a client. ZooKeeper rings when something happens, but keeps no history: so at each ring it
 * is looked how things stand, and told if that is not how they stood.
 *
 * Nothing is missed: the interest goes out before the look, on one connection, which is answered in order.
 * What happens before the look is in it, and what happens after it rings. A new connection begins with both
 * again.
 */
export class WatchHub {
  readonly #layout: Layout;
  readonly #reader: WatchReader;
  readonly #watchers = new Set<Watcher>();
  readonly #interests = new Map<string, Interest>();

  constructor(layout: Layout, reader: WatchReader) {
    this.#layout = layout;
    this.#reader = reader;
  }

  watch(prefix: string, { exact = false, from, signal }: WatchOptions): WatchFeed {
    const feed = new WatchFeed({
      prefix,
      exact,
      from,
      signal,
      // Whoever comes without a revision is told of everything that was acknowledged before.
      snapshot: () => this.#inTurn(watcher, () => this.#look(watcher, true)),
      onEnd: () => {
        this.#forget(watcher);
      },
    });
    const path = exact ? this.#layout.pathOf(prefix) : this.#layout.directoryOf(prefix);
    const query = exact ? { key: prefix } : { prefix };
    const interest = this.#interests.get(path) ?? {
      path,
      mode: exact ? "node" : "tree",
      watchers: 0,
      wire: undefined,
    };
    const watcher: Watcher = {
      feed,
      query,
      exact,
      from,
      interest,
      told: undefined,
      isDue: false,
      looking: Promise.resolve(),
    };
    if (feed.isOver) return feed;
    interest.watchers++;
    this.#interests.set(path, interest);
    this.#watchers.add(watcher);
    if (from !== undefined) this.#lookAgain(watcher);
    return feed;
  }

  /** The server rang: something happened to this node. */
  ring(path: string): void {
    const key = this.#layout.keyAt(path);
    if (key === undefined) return;
    for (const watcher of this.#watchers) {
      const { exact, feed } = watcher;
      if (exact ? key === feed.prefix : key.startsWith(feed.prefix)) this.#lookAgain(watcher);
    }
  }

  /** The connection is a new one. */
  reconnected(): void {
    for (const watcher of this.#watchers) this.#lookAgain(watcher);
  }

  fail(error: unknown): void {
    for (const { feed } of [...this.#watchers]) feed.fail(error);
  }

  #lookAgain(watcher: Watcher): void {
    // One that was never told anything, and came without a revision, looks when its reader comes.
    if (watcher.isDue || (watcher.told === undefined && watcher.from === undefined)) return;
    watcher.isDue = true;
    this.#inTurn(watcher, async () => {
      watcher.isDue = false;
      const before = watcher.told;
      const snapshot = await this.#look(watcher, false);
      if (isNews(watcher, before, snapshot)) watcher.feed.requireResync(snapshot);
    }).catch((error: unknown) => {
      watcher.feed.fail(error);
    });
  }

  async #look(watcher: Watcher, isFirst: boolean): Promise<Snapshot> {
    const { feed, query, from } = watcher;
    for (;;) {
      try {
        const connecting = this.#reader.ready();
        const wire = connecting instanceof Promise ? await connecting : connecting;
        this.#tell(wire, watcher.interest);
        if (isFirst) void this.#reader.settle(wire).catch(ignore);
        let snapshot = await this.#reader.read(wire, query);
        if (watcher.told === undefined && from !== undefined && snapshot.revision < from) {
          // Read elsewhere, from a server that is ahead of ours.
          await this.#reader.settle(wire);
          snapshot = await this.#reader.read(wire, query);
        }
        watcher.told = snapshot;
        return snapshot;
      } catch (error) {
        // The connection broke; there will be another, and everything is to be asked again there.
        if (feed.isOver || !isLockstepError(error, "unavailable")) throw error;
      }
    }
  }

  /** What is asked on this connection after it, is asked after the interest is known there. */
  #tell(wire: Wire, interest: Interest): void {
    if (interest.wire === wire || interest.watchers === 0) return;
    interest.wire = wire;
    const request = new JuteWriter().string(interest.path).int(watchModes[interest.mode]);
    wire.request("read", operation.addWatch, request.finish()).catch((error: unknown) => {
      if (isLockstepError(error)) return;
      // The server refuses: nobody will ever ring.
      for (const { feed, interest: its } of [...this.#watchers]) if (its === interest) feed.fail(error);
    });
  }

  #forget(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    const { interest } = watcher;
    if (--interest.watchers > 0) return;
    this.#interests.delete(interest.path);
    if (interest.wire === undefined || interest.wire.isClosed) return;
    const request = new JuteWriter().string(interest.path).int(anyWatch);
    interest.wire.request("read", operation.removeWatches, request.finish()).catch(ignore);
  }

  #inTurn<T>(watcher: Watcher, look: () => Promise<T>): Promise<T> {
    const result = watcher.looking.then(look);
    watcher.looking = result.catch(ignore);
    return result;
  }
}

function isNews({ exact, from }: Watcher, before: Snapshot | undefined, now: Snapshot): boolean {
  if (before) {
    if (before.entries.length !== now.entries.length) return true;
    return now.entries.some(({ key, created, modified }, i) => {
      const was = before.entries[i]!;
      return was.key !== key || was.created !== created || was.modified !== modified;
    });
  }
  if (from === undefined || now.revision === from) return from === undefined;
  // A key that is there, and was last written before, is what it was. Of many keys, some may have gone since.
  return (
    !exact ||
    now.revision < from ||
    !now.entries.every(({ modified }) => modified <= from) ||
    now.entries.length === 0
  );
}

function ignore(): void {
  // A connection that breaks takes all that was asked on it with it, and is replaced by another.
}
