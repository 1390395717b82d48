import type { Clock, Timer } from "../../base/clock.js";
import type { Event, Query, Revision, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import { CallFailure } from "./call-failure.js";
import type { Cluster } from "./cluster.js";
import type { GrpcCall } from "./grpc-call.js";
import type { Keyspace } from "./keyspace.js";
import { protocol, type WatchRequest, type WatchResponse } from "./messages.js";

/** A stream that nothing is watched on is kept for so long: whoever waits in a queue soon waits again. */
const lingerMs = 1000;

type Stream = GrpcCall<WatchRequest, WatchResponse>;

/** A reader's end of a watch, and how far etcd has told it. */
interface Watch {
  readonly query: Query;
  readonly feed: WatchFeed;
  /** What it goes by on the stream; undefined while nothing is to be told, for a resync is due. */
  number: bigint | undefined;
  /** The first revision that is still to be told. */
  next: Revision;
  isRefused: boolean;
}

/**
 * All watches of a client, on one stream. etcd keeps a log, so a watch goes on from the first revision that
 * it was not told, on whichever member, however long the stream was broken. Where the log does not go back so
 * far, and where the revision is one that the cluster never reached, the watch is taken off the stream, and
 * begins again behind the snapshot that the reader is given.
 *
 * But what is told from the log is told by a loop of etcd's that comes by every 100 ms, and locks are in a
 * hurry. So one key is watched from now on, and then looked at: what happened before shows in what it is.
 */
export class WatchHub {
  readonly #cluster: Cluster;
  readonly #space: Keyspace;
  readonly #read: (query: Query) => Promise<Snapshot>;
  readonly #clock: Clock;
  readonly #watches = new Set<Watch>();
  readonly #onStream = new Map<bigint, Watch>();
  #lastNumber = 0n;
  #stream: Stream | undefined;
  /** The numbers that etcd has not answered yet. It does so in order, and names none that it refuses. */
  #asked: bigint[] = [];
  #isRunning = false;
  #failures = 0;
  #lingering: Timer | undefined;

  constructor(cluster: Cluster, space: Keyspace, read: (query: Query) => Promise<Snapshot>, clock: Clock) {
    this.#cluster = cluster;
    this.#space = space;
    this.#read = read;
    this.#clock = clock;
  }

  watch(prefix: string, { exact, from, signal }: WatchOptions): WatchFeed {
    const query = exact ? { key: prefix } : { prefix };
    const feed = new WatchFeed({
      prefix,
      exact,
      from,
      signal,
      snapshot: async () => {
        const snapshot = await this.#read(query);
        this.#follow(watch, snapshot.revision);
        return snapshot;
      },
      onEnd: () => {
        this.#watches.delete(watch);
        this.#unfollow(watch);
      },
    });
    const watch: Watch = { query, feed, number: undefined, next: 0n, isRefused: false };
    if (feed.isOver) return feed;
    this.#watches.add(watch);
    if (from !== undefined) this.#follow(watch, from);
    return feed;
  }

  fail(error: unknown): void {
    for (const { feed } of [...this.#watches]) feed.fail(error);
  }

  /** Tells all that comes after a revision. A watch that is on the stream goes on there as it does. */
  #follow(watch: Watch, after: Revision): void {
    if (watch.feed.isOver || watch.number !== undefined) return;
    // etcd counts from 1, and would take what is below for "from now on".
    watch.next = after < 0n ? 1n : after + 1n;
    watch.number = ++this.#lastNumber;
    this.#onStream.set(watch.number, watch);
    this.#lingering?.cancel();
    if (this.#stream) this.#create(this.#stream, watch);
    else void this.#run();
  }

  #unfollow(watch: Watch): void {
    if (watch.number === undefined) return;
    this.#onStream.delete(watch.number);
    this.#stream?.send({ cancelRequest: { watchId: watch.number } });
    watch.number = undefined;
    if (this.#onStream.size > 0) return;
    this.#lingering = this.#clock.after(lingerMs, () => this.#end(), "background");
  }

  #end(): void {
    this.#lingering?.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }

  /** Keeps a stream for as long as there is something to watch. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#onStream.size > 0) {
        const failure = await this.#stay();
        if (failure?.remedy === "give up") throw failure.errorFor(true);
        if (failure) await this.#cluster.pause(this.#cluster.pauseMs(this.#failures++));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Opens the stream, and resolves when it is over: with what failed, unless it was we who ended it. */
  async #stay(): Promise<CallFailure | undefined> {
    let stream: Stream | undefined;
    let over!: (failure: CallFailure | undefined) => void;
    const ended = new Promise<CallFailure | undefined>((resolve) => (over = resolve));
    try {
      stream = await this.#cluster.open(protocol.Watch, {
        onMessage: (response, fail) => {
          if (this.#stream === stream) this.#hear(response, fail);
        },
        onEnd: (failure) => {
          const isOurs = stream !== undefined && this.#stream !== stream;
          if (!isOurs) this.#stream = undefined;
          over(isOurs ? undefined : failure);
        },
      });
      if (stream.isOver) return await ended;
      this.#stream = stream;
      this.#asked = [];
      for (const watch of this.#onStream.values()) this.#create(stream, watch);
      // Those who wanted it may be gone by now.
      if (this.#onStream.size === 0) this.#end();
      return await ended;
    } catch (error) {
      if (error instanceof CallFailure) return error;
      throw error;
    }
  }

  #create(stream: Stream, { query, next, number = 0n }: Watch): void {
    const range = this.#space.rangeOf(query);
    const startRevision = "key" in query ? 0n : next;
    this.#asked.push(number);
    stream.send({ createRequest: { ...range, startRevision, watchId: number } });
  }

  #hear(response: WatchResponse, fail: (words: string) => CallFailure): void {
    const number = response.created ? this.#asked.shift() : response.watchId;
    const watch = this.#onStream.get(number ?? 0n);
    // Given up meanwhile.
    if (!watch) return;
    if (response.canceled) {
      if (response.compactRevision === 0n) this.#refuse(watch, fail(response.cancelReason));
      else this.#resync(watch);
      return;
    }
    if (response.created) {
      this.#failures = 0;
      watch.isRefused = false;
      const { revision } = response.header;
      if (revision + 1n < watch.next) void this.#doubt(watch);
      else if (revision >= watch.next && "key" in watch.query) void this.#catchUp(watch, revision);
    }
    for (const [revision, events] of byRevision(response, this.#space)) {
      watch.next = revision + 1n;
      watch.feed.push(revision, events);
    }
  }

  /** Finds out whether something happened to a key before the revision that it is told from. */
  async #catchUp(watch: Watch, revision: Revision): Promise<void> {
    const { number, next } = watch;
    try {
      const snapshot = await this.#read({ ...watch.query, atLeast: revision });
      if (watch.number !== number) return;
      const [entry] = snapshot.entries;
      if (entry && entry.modified < next) return;
      // What has been told meanwhile may be later than this.
      watch.feed.requireResync(snapshot.revision + 1n >= watch.next ? snapshot : undefined);
    } catch {
      // It is looked at again on the next stream.
      this.#stream?.cancel();
    }
  }

  #refuse(watch: Watch, failure: CallFailure): void {
    if (watch.isRefused) {
      watch.feed.fail(failure.errorFor(true));
      return;
    }
    // The stream goes by the token that it was opened with, which may have expired.
    watch.isRefused = true;
    this.#cluster.forgetToken();
    this.#stream?.cancel();
  }

  /**
   * The member has not got so far. If it only lags, its log will come to it; but a revision that the cluster
   * itself has not reached, as when it was restored from a copy, would be waited for in silence.
   */
  async #doubt(watch: Watch): Promise<void> {
    const { number, next } = watch;
    try {
      const { revision } = await this.#read(watch.query);
      if (revision + 1n < next && watch.number === number) this.#resync(watch);
    } catch {
      // It is doubted again on the next stream.
      this.#stream?.cancel();
    }
  }

  #resync(watch: Watch): void {
    this.#unfollow(watch);
    watch.feed.requireResync();
  }
}

/** A batch for each commit: etcd tells all of a revision in one response. */
function byRevision({ events }: WatchResponse, space: Keyspace): Map<Revision, Event[]> {
  const batches = new Map<Revision, Event[]>();
  for (const { type, kv } of events) {
    const revision = kv.modRevision;
    const batch = batches.get(revision) ?? [];
    const key = space.plainKeyOf(kv.key);
    if (type === "DELETE") batch.push({ kind: "delete", key, revision });
    else batch.push({ kind: "put", key, revision, entry: space.entryOf(kv) });
    batches.set(revision, batch);
  }
  return batches;
}
