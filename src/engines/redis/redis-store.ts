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
import { ExpiryAlarm } from "./expiry-alarm.js";
import { guarantees } from "./guarantees.js";
import { Line } from "./line.js";
import { snapshotOf } from "./replies.js";
import { changeArguments } from "./requests.js";
import { sessionScript } from "./script.js";
import { WatchHub } from "./watch-hub.js";

/** Many machines on one Redis server. See docs/engines/redis.md for how the parts play together. */
export class RedisStore implements Store {
  readonly guarantees: Guarantees = guarantees;
  readonly #clock: Clock;
  readonly #channel: string;
  readonly #connection: Connection;
  readonly #line: Line;
  readonly #hub: WatchHub;
  readonly #alarm: ExpiryAlarm;
  readonly #sessions: OpenSessions;
  #closing: Promise<void> | undefined;

  /** `model` is a client whose settings ours take over; it is not used itself. */
  constructor(model: Client, namespace: string, clock: Clock) {
    this.#clock = clock;
    this.#sessions = new OpenSessions(clock);
    // One hash tag, so that all of a namespace lies on one node of a cluster.
    const prefix = `${keyPrefixOf(model)}{${namespace}}:`;
    this.#channel = `${prefix}${databaseOf(model)}:`;
    const keys = ["entries", "index", "deadlines"].map((name) => prefix + name);
    this.#connection = new Connection(model, keys, clock, () => {
      this.#lookAfterSessions();
    });
    this.#line = new Line(this.#connection, this.#channel, (waitMs) => {
      this.#alarm.set(waitMs);
    });
    this.#hub = new WatchHub({
      connect: () => subscriberLike(this.#connection.client),
      isRelayed: model.isCluster,
      channel: this.#channel,
      clock,
      read: (query) => this.#read(query),
      onWait: (waitMs) => {
        this.#alarm.set(waitMs);
      },
    });
    this.#alarm = new ExpiryAlarm(
      clock,
      () => this.#hub.isWatching,
      () => this.#line.ask(changeArguments({ then: [] }), "no"),
    );
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
    const write = then[number - 1 - when.length];
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
    // One that was opened though its answer is lost has no keys, and expires.
    await this.#command("open", id, String(ttlMs), label);
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
    this.#alarm.cancel();
    await this.#sessions.endAll();
    await this.#connection.close();
  }

  async #read(query: Query): Promise<Snapshot> {
    return snapshotOf(await this.#line.ask(changeArguments({ then: [], read: query }), "no"), query);
  }

  async #renew(id: string): Promise<boolean> {
    return (await this.#command("renew", id)) === 1;
  }

  async #end(id: string): Promise<void> {
    try {
      await this.#command("end", id);
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

  /** Done twice, or done though nobody heard of it, none of these harms. */
  async #command(...command: string[]): Promise<unknown> {
    // What was asked before it arrives before it.
    this.#line.depart();
    try {
      const [waitMs, done] = await this.#connection.run(sessionScript, [this.#channel, ...command]);
      this.#alarm.set(waitMs);
      return done?.[0];
    } catch (error) {
      throw this.#connection.failure(error, "no");
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}
