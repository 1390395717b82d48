import { LockstepError } from "../base/errors.js";
import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot, Write } from "../store/change.js";
import type { Guarantees } from "../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../store/rules.js";
import { KeptSession, type Session } from "../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../store/store.js";
import { closedError } from "../store/watch-feed.js";
import type { SimulatedProcess } from "./simulated-process.js";
import { SimulatedWatch } from "./simulated-watch.js";
import type { StoreServer } from "./store-server.js";
import type { Wire } from "./wire.js";

/** A client waits so long for a reply, by its own clock. */
const requestMs = 2000;

const soundGuarantees: Guarantees = {
  engine: "simulated",
  linearizableReads: true,
  reach: "network",
  durable: "power",
  revisions: "own",
  bindings: "any",
  watch: "log",
  push: "data",
  fence: "monotonic",
  failoverLosesCommits: false,
  expiryClock: "server",
  expiryMovesWithWallClock: false,
  failoverRestartsExpiry: false,
  noticesDeath: false,
  ttl: { minMs: 1, maxMs: 24 * 3600 * 1000, grainMs: 1 },
  maxOperations: 1024,
  maxValueBytes: 1024 * 1024,
};

/** A client of the world's store, in one process. It promises what an engine promises, and no more. */
export class SimulatedStore implements Store {
  readonly guarantees: Guarantees;
  readonly #process: SimulatedProcess;
  readonly #wire: Wire;
  readonly #sessions = new Set<KeptSession>();
  readonly #watches = new Set<SimulatedWatch>();
  #closed = false;

  constructor(process: SimulatedProcess, wire: Wire) {
    this.#process = process;
    this.#wire = wire;
    this.guarantees =
      wire.hazards.failoverLosesCommits > 0
        ? { ...soundGuarantees, fence: "regresses-on-failover", failoverLosesCommits: true }
        : soundGuarantees;
  }

  commit(change: Change): Promise<Committed | Refused> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      checkChange(change, this.guarantees);
      // Copied, since the caller may use its arrays again before the last copy arrives.
      const sent = copied(change);
      this.#ask("change", (server) => server.commit(sent), resolve, reject);
    });
  }

  read(query: Query): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      checkQuery(query);
      this.#ask("read", (server) => server.read(query), resolve, reject);
    });
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    checkQuery({ prefix });
    const query = options.exact ? { key: prefix } : { prefix };
    const watch = new SimulatedWatch(this.#process, this.#wire, prefix, options, {
      snapshot: () => this.read(query),
      onEnd: () => this.#watches.delete(watch),
    });
    if (!watch.feed.isOver) this.#watches.add(watch);
    return watch.feed;
  }

  async openSession(options: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions(options, this.guarantees);
    const { ttlMs, label = "" } = options;
    const { clock } = this.#process;
    const askedAt = clock.now();
    // A lease whose opening is never heard of is never renewed, and so expires.
    const id = await this.#change((server) => server.openLease(label, ttlMs));
    const link = {
      renew: () => this.#change((server) => server.renewLease(id)),
      end: () =>
        this.#change((server) => {
          server.endLease(id);
        }),
    };
    const session = new KeptSession(id, ttlMs, askedAt, link, clock);
    this.#sessions.add(session);
    session.onEnd(() => this.#sessions.delete(session));
    return session;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { feed } of [...this.#watches]) feed.fail(closedError());
    await Promise.all([...this.#sessions].map((session) => session.end()));
  }

  #change<T>(make: (server: StoreServer) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#ask("change", make, resolve, reject);
    });
  }

  /** Sends a request, and waits for the reply as long as one has patience. */
  #ask<T>(
    what: "read" | "change",
    deliver: (server: StoreServer) => T,
    resolve: (answer: T) => void,
    reject: (error: LockstepError) => void,
  ): void {
    const wire = this.#wire;
    const process = this.#process;
    const timer = process.clock.after(requestMs, () => {
      reject(what === "read" ? unavailable() : unknownOutcome());
    });
    const arrive = () => {
      const answer = deliver(wire.server);
      const answered = () => {
        timer.cancel();
        resolve(answer);
      };
      // What was acknowledged is never made again; so only what was not arrives once more.
      if (!wire.reply(process, answered) && what === "change") {
        wire.maybeAgain(process, () => deliver(wire.server));
      }
    };
    wire.send(process, arrive, () => {
      timer.cancel();
      reject(unavailable());
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function copied({ when, then, read, show }: Change): Change {
  const writes = then.map((write): Write => {
    if (write.kind === "delete") return write;
    return { kind: "put", key: write.key, value: new Uint8Array(write.value), session: write.session };
  });
  return { when: when ? [...when] : [], then: writes, read, show };
}

function unavailable(): LockstepError {
  return new LockstepError("unavailable", "the store cannot be reached: a simulated fault");
}

function unknownOutcome(): LockstepError {
  return new LockstepError("unknown-outcome", "the store did not answer: a simulated fault", {
    applied: "maybe",
  });
}
