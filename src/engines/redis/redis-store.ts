import type { Clock } from "../../base/clock.js";
import { nonce } from "../../base/nonce.js";
import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot } from "../../store/change.js";
import type { Guarantees } from "../../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../../store/rules.js";
import { OpenSessions } from "../../store/open-sessions.js";
import type { Session } from "../../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../../store/store.js";
import { closedError } from "../../store/watch-feed.js";
import { databaseOf, keyPrefixOf, subscriberLike, type Client } from "./clients.js";
import { Connection } from "./connection.js";
import { guarantees } from "./guarantees.js";
import { Line } from "./line.js";
import { snapshotOf } from "./replies.js";
import { changeArguments, deletesFirst } from "./requests.js";
import { WatchHub } from "./watch-hub.js";

/** Many machines on one Redis server. See docs/engines/redis.md for how the parts play together. */
export class RedisStore implements Store {
  readonly guarantees: Guarantees = guarantees;
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #line: Line;
  readonly #hub: WatchHub;
  readonly #sessions: OpenSessions;
  #closing: Promise<void> | undefined;

  /** `model` is a client whose settings ours take over; it is not used itself. */
  constructor(model: Client, namespace: string, clock: Clock) {
    this.#clock = clock;
    this.#sessions = new OpenSessions(clock);
    // One hash tag, so that all of a namespace lies on one node of a cluster.
    const prefix = `${keyPrefixOf(model)}{${namespace}}:`;
    const channel = `${prefix}${databaseOf(model)}:`;
    const keys = ["entries", "index", "deadlines"].map((name) => prefix + name);
    const address = [String(keys.length), ...keys, channel];
    this.#connection = new Connection(model, address, clock, () => {
      this.#lookAfterSessions();
    });
    this.#line = new Line(this.#connection, (waitMs) => {
      this.#hub.dueIn(waitMs);
    });
    this.#hub = new WatchHub({
      connect: () => subscriberLike(this.#connection.client),
      isRelayed: model.isCluster,
      channel,
      clock,
      read: (query) => this.#read(query),
    });
  }

  /** The first connection. */
  open(): Promise<void> {
    return this.#connection.open();
  }

  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    const { when = [], then, read } = change;
    const answer = await this.#line.ask(changeArguments(change), "maybe");
    const snapshot = snapshotOf(answer, read);
    const number = answer[0] as number;
    if (number === 0) return { ok: true, revision: snapshot.revision, snapshot };
    const write = deletesFirst(then)[number - 1 - when.length];
    const failed =
      write?.kind === "put" ? ({ kind: "alive", session: write.session! } as const) : when[number - 1]!;
    if (failed.kind === "alive") this.#sessions.lose(failed.session);
    return { ok: false, failed, snapshot };
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    return this.#read(query);
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    checkQuery({ prefix });
    return this.#hub.watch(prefix, options);
  }

  async openSession(options: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions(options, this.guarantees);
    const { ttlMs, label = "" } = options;
    const id = nonce();
    const askedAt = this.#clock.now();
    // Of no session's life is it asked what became of a lost request: done twice, or done though nobody heard
    // of it, none does harm. One that was opened so has no keys, and expires.
    await this.#line.ask(["open", id, `${ttlMs} ${label}`], "no");
    const link = { renew: () => this.#renew(id), end: () => this.#end(id) };
    return this.#sessions.keep(id, ttlMs, askedAt, link);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#line.depart();
    this.#hub.close(closedError());
    await this.#sessions.endAll();
    await this.#connection.close();
  }

  async #read(query?: Query): Promise<Snapshot> {
    return snapshotOf(await this.#line.ask(changeArguments({ then: [], read: query }), "no"), query);
  }

  async #renew(id: string): Promise<boolean> {
    const [verdict] = await this.#line.ask(["renew", id], "no");
    return verdict === 0;
  }

  async #end(id: string): Promise<void> {
    try {
      await this.#line.ask(["end", id], "no");
    } catch (error) {
      // Who closes does not wait for a session to expire on a server that is away.
      if (!this.#closing) throw error;
    }
  }

  /** A server that was away may have come back without what it knew; who holds something is told at once. */
  #lookAfterSessions(): void {
    for (const id of this.#sessions.ids) {
      this.#renew(id).then(
        (isKnown) => {
          if (!isKnown) this.#sessions.lose(id);
        },
        () => {
          // Renewed in its time, or not any more.
        },
      );
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}
