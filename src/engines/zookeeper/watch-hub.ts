import type { Clock } from "../../base/clock.js";
import { isLockstepError } from "../../base/errors.js";
import type { Query, Revision, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import { JuteWriter } from "./client/jute.js";
import { fault, operation, ServerFault, statFrom } from "./client/protocol.js";
import type { Wire } from "./client/wire.js";
import type { Layout } from "./layout.js";

/** How the hub reads. */
export interface WatchReader {
  readonly clock: Clock;
  ready(): Wire | Promise<Wire>;
  read(wire: Wire, query: Query): Promise<Snapshot>;
  /** For a key that is likely to be gone. */
  readEnd(wire: Wire, key: string): Promise<Snapshot>;
  /** After it, the connection reads no state that is older than the call. */
  settle(wire: Wire): Promise<void>;
}

/** ZooKeeper's persistent watches: of a node and all below it. */
const persistentRecursive = 1;
/** Kinds of watches to remove: all. */
const anyWatch = 3;

/** What the server is to tell us of: one path, for all who watch it. */
interface Interest {
  readonly path: string;
  /** Of a single node, for one ring; else of a directory and all below it, for good. */
  readonly isSingle: boolean;
  watchers: number;
  /** The connection on which it was told, and will ring. */
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
      snapshot: () => this.#inTurn(watcher, () => this.#lookFirst(watcher)),
      onEnd: () => {
        this.#forget(watcher);
      },
    });
    const path = exact ? this.#layout.pathOf(prefix) : this.#layout.directoryOf(prefix);
    const query = exact ? { key: prefix } : { prefix };
    const interest = this.#interests.get(path) ?? {
      path,
      isSingle: exact,
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
    const single = this.#interests.get(path);
    if (single) single.wire = undefined;
    for (const watcher of this.#watchers) {
      const { exact, feed } = watcher;
      if (exact ? key === feed.prefix : key.startsWith(feed.prefix)) this.#lookAgain(watcher, exact);
    }
  }

  /** The connection is a new one. */
  reconnected(): void {
    for (const watcher of this.#watchers) this.#lookAgain(watcher);
  }

  fail(error: unknown): void {
    for (const { feed } of [...this.#watchers]) feed.fail(error);
  }

  #lookAgain(watcher: Watcher, hasRung = false): void {
    // One that was never told anything, and came without a revision, looks when its reader comes.
    if (watcher.isDue || (watcher.told === undefined && watcher.from === undefined)) return;
    watcher.isDue = true;
    this.#inTurn(watcher, async () => {
      watcher.isDue = false;
      if (watcher.feed.isOver) return;
      const before = watcher.told;
      const end = hasRung ? await this.#lookForEnd(watcher) : undefined;
      const snapshot = end ?? (await this.#look(watcher));
      if (snapshot && isNews(watcher, before, snapshot)) watcher.feed.requireResync(snapshot);
    }).catch((error: unknown) => {
      watcher.feed.fail(error);
    });
  }

  /**
   * Most who watch a single key wait for its end, and want nothing more then. So its end is told before the
   * server is asked to ring again. Undefined where it is there still, or cannot be told.
   */
  async #lookForEnd(watcher: Watcher): Promise<Snapshot | undefined> {
    try {
      const snapshot = await this.#reader.readEnd(await this.#reader.ready(), watcher.feed.prefix);
      if (snapshot.entries.length > 0 || snapshot.revision < (watcher.from ?? 0n)) return undefined;
      watcher.told = snapshot;
      this.#reader.clock.after(0, () => this.#lookAgain(watcher), "background");
      return snapshot;
    } catch {
      return undefined;
    }
  }

  #lookFirst(watcher: Watcher): Promise<Snapshot> {
    return this.#whileAway(watcher, async (wire) => {
      void this.#tell(wire, watcher.interest);
      void this.#reader.settle(wire).catch(ignore);
      return (watcher.told = await this.#reader.read(wire, watcher.query));
    });
  }

  /** Undefined where nothing has happened since the revision that the reader came with. */
  #look(watcher: Watcher): Promise<Snapshot | undefined> {
    const { query, from, interest } = watcher;
    return this.#whileAway(watcher, async (wire) => {
      const isNew = watcher.told === undefined && from !== undefined;
      const telling = this.#tell(wire, interest);
      if (isNew && interest.isSingle && telling) {
        const writtenAt = await telling;
        if (writtenAt !== undefined && writtenAt <= from) return undefined;
      }
      let snapshot = await this.#reader.read(wire, query);
      if (isNew && snapshot.revision < from) {
        // Read elsewhere, from a server that is ahead of ours.
        await this.#reader.settle(wire);
        snapshot = await this.#reader.read(wire, query);
      }
      return (watcher.told = snapshot);
    });
  }

  async #whileAway<T>({ feed }: Watcher, look: (wire: Wire) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const connecting = this.#reader.ready();
        return await look(connecting instanceof Promise ? await connecting : connecting);
      } catch (error) {
        // The connection broke; there will be another, and everything is to be asked again there.
        if (feed.isOver || !isLockstepError(error, "unavailable")) throw error;
      }
    }
  }

  /**
   * What is asked on this connection after it, is asked after the interest is known there. Resolves with the
   * revision at which a single node was last written, if it is there.
   */
  #tell(wire: Wire, interest: Interest): Promise<Revision | undefined> | undefined {
    if (interest.wire === wire || interest.watchers === 0) return undefined;
    interest.wire = wire;
    const { path, isSingle } = interest;
    const body = new JuteWriter().string(path);
    const telling = isSingle
      ? wire.request("read", operation.exists, body.bool(true).finish())
      : wire.request("read", operation.addWatch, body.int(persistentRecursive).finish());
    return telling.then(
      ({ body }) => (isSingle ? statFrom(body).modified : undefined),
      (error: unknown) => {
        // One is told also of a node that is not there yet; and a connection that broke is replaced.
        if (!(error instanceof ServerFault) || error.code === fault.noNode) return undefined;
        // Refused: nobody will ever ring.
        for (const each of [...this.#watchers]) if (each.interest === interest) each.feed.fail(error);
        return undefined;
      },
    );
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
