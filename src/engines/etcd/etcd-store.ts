import type { Clock } from "../../base/clock.js";
import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot } from "../../store/change.js";
import type { Guarantees } from "../../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../../store/rules.js";
import { OpenSessions } from "../../store/open-sessions.js";
import type { Session } from "../../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../../store/store.js";
import { closedError } from "../../store/watch-feed.js";
import type { Cluster } from "./cluster.js";
import type { Keyspace } from "./keyspace.js";
import { guarantees } from "./guarantees.js";
import { protocol } from "./messages.js";
import { Leases } from "./leases.js";
import { Transaction, type Look } from "./transaction.js";
import { WatchHub } from "./watch-hub.js";

/** A namespace of an etcd cluster. */
export class EtcdStore implements Store {
  readonly guarantees: Guarantees = guarantees;
  readonly #cluster: Cluster;
  readonly #space: Keyspace;
  readonly #clock: Clock;
  readonly #leases: Leases;
  readonly #hub: WatchHub;
  readonly #sessions: OpenSessions;
  #closing: Promise<void> | undefined;

  constructor(cluster: Cluster, space: Keyspace, clock: Clock) {
    this.#cluster = cluster;
    this.#space = space;
    this.#clock = clock;
    this.#sessions = new OpenSessions(clock);
    this.#leases = new Leases(cluster, space);
    this.#hub = new WatchHub(cluster, space, (query) => this.read(query), clock);
  }

  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    const outcome = await this.#transact(new Transaction(change, this.#space));
    if (!outcome.ok && outcome.failed.kind === "alive") this.#sessions.lose(outcome.failed.session);
    return { ...outcome, snapshot: await this.#complete(outcome.snapshot) };
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    const { atLeast } = query;
    if (atLeast !== undefined) {
      const { snapshot } = await this.#transact(
        new Transaction({ then: [], read: query }, this.#space, true),
      );
      if (snapshot.revision >= atLeast) return this.#complete(snapshot);
    }
    const { snapshot } = await this.#transact(new Transaction({ then: [], read: query }, this.#space));
    return this.#complete(snapshot);
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    checkQuery({ prefix });
    return this.#hub.watch(prefix, options);
  }

  async openSession(options: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions(options, this.guarantees);
    const { ttlMs } = options;
    const askedAt = this.#clock.now();
    const id = await this.#leases.open(options);
    const link = {
      renew: () => this.#leases.renew(id, ttlMs),
      end: () => this.#end(id),
    };
    return this.#sessions.keep(id, ttlMs, askedAt, link);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#hub.fail(closedError());
    await this.#sessions.endAll();
    this.#cluster.close();
  }

  async #transact(transaction: Transaction) {
    const options = { isRepeatable: transaction.onlyReads };
    return transaction.outcomeOf(await this.#cluster.call(protocol.Txn, transaction.request, options));
  }

  async #complete({ sessions, ...seen }: Look): Promise<Snapshot> {
    if (!sessions) return seen;
    const listed = sessions.map(async (session) => {
      return { ...session, remainingMs: await this.#leases.remainingMs(session.id) };
    });
    return { ...seen, sessions: await Promise.all(listed) };
  }

  async #end(id: string): Promise<void> {
    try {
      await this.#leases.end(id);
    } catch (error) {
      // A client that is being closed does not wait until the session expires.
      if (!this.#closing) throw error;
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}
