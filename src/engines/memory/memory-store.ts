import { systemClock, type Clock } from "../../base/clock.js";
import { courier } from "../../base/courier.js";
import { nonce } from "../../base/nonce.js";
import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot } from "../../store/change.js";
import type { Guarantees } from "../../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../../store/rules.js";
import { OpenSessions } from "../../store/open-sessions.js";
import type { Session } from "../../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../../store/store.js";
import { closedError, WatchFeed } from "../../store/watch-feed.js";
import { MemoryData } from "./memory-data.js";

export interface MemoryStoreOptions {
  /** Clients given the same data share it. */
  readonly data?: MemoryData;
  readonly clock?: Clock;
}

/** The reference engine: exact, inside one process, and under a manual clock the same in every run. */
export class MemoryStore implements Store {
  readonly guarantees: Guarantees = {
    engine: "memory",
    linearizableReads: true,
    reach: "process",
    durable: "no",
    revisions: "own",
    bindings: "any",
    watch: "log",
    push: "view",
    fence: "monotonic",
    failoverLosesCommits: false,
    expiryClock: "process",
    expiryMovesWithWallClock: false,
    failoverRestartsExpiry: false,
    noticesDeath: true,
    ttl: { minMs: 1, maxMs: 24 * 3600 * 1000, grainMs: 1 },
    maxOperations: 1024,
    maxValueBytes: 1024 * 1024,
  };
  readonly #clock: Clock;
  readonly #data: MemoryData;
  readonly #sessions: OpenSessions;
  readonly #feeds = new Set<WatchFeed>();
  #closed = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#sessions = new OpenSessions(this.#clock);
    this.#data = options.data ?? new MemoryData(this.#clock);
  }

  // Each call is async, so that bad input rejects here as it does on every other engine.
  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    return this.#answer(this.#data.commit(change), "a commit");
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    return this.#answer(this.#data.read(query), "a read");
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    checkQuery({ prefix });
    let stop = () => {
      // Not listening yet.
    };
    const feed = new WatchFeed({
      prefix,
      exact: options.exact,
      from: options.from,
      signal: options.signal,
      snapshot: () => this.#data.read(options.exact ? { key: prefix } : { prefix }),
      onEnd: () => {
        stop();
        this.#feeds.delete(feed);
      },
    });
    if (options.signal?.aborted) return feed;
    const listening = this.#data.listen((revision, events, shown) => {
      feed.push(revision, events, shown);
    }, options.from);
    stop = listening.stop;
    if (!listening.complete) feed.requireResync();
    this.#feeds.add(feed);
    return feed;
  }

  async openSession(options: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions(options, this.guarantees);
    const id = nonce();
    const askedAt = this.#clock.now();
    this.#data.openLease(id, options.label ?? "", options.ttlMs);
    const link = {
      renew: () => Promise.resolve(this.#data.renewLease(id)),
      end: async () => {
        this.#data.endLease(id);
      },
    };
    return this.#sessions.keep(id, options.ttlMs, askedAt, link);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const feed of [...this.#feeds]) feed.fail(closedError());
    await this.#sessions.endAll();
  }

  /** As over a network: for the explorer, others may act between what is done here and its answer. */
  #answer<T>(answer: T, what: string): T | Promise<T> {
    return courier === undefined ? answer : courier.deliver(Promise.resolve(answer), what, this);
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}
