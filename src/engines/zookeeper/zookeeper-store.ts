import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot } from "../../store/change.js";
import { LockstepError } from "../../base/errors.js";
import type { Guarantees } from "../../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions, firstFailure } from "../../store/rules.js";
import type { Session } from "../../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../../store/store.js";
import { closedError } from "../../store/watch-feed.js";
import { BoundSession } from "./bound-session.js";
import type { Ensemble } from "./client/ensemble.js";
import { fault, ServerFault, type Access } from "./client/protocol.js";
import { ServerSession } from "./client/server-session.js";
import type { Wire } from "./client/wire.js";
import { Committer } from "./committer.js";
import { guaranteesWithin } from "./guarantees-within.js";
import type { Layout } from "./layout.js";
import { Snapshots } from "./snapshots.js";
import { WatchHub } from "./watch-hub.js";

/**
 * Nobody wants a session as short, or as long: the server grants the shortest and the longest that it allows.
 */
const shortestTimeoutMs = 1;
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * A namespace of a ZooKeeper ensemble. One connection is for reads, watches and changes that bind nothing;
 * each session has one of its own, since only there can its ephemeral nodes be made.
 */
export class ZookeeperStore implements Store {
  readonly #ensemble: Ensemble;
  readonly #layout: Layout;
  readonly #access: Access;
  readonly #link: ServerSession;
  readonly #snapshots: Snapshots;
  readonly #committer: Committer;
  readonly #hub: WatchHub;
  /** Those that were opened here, until they have gone at the server. */
  readonly #sessions = new Map<string, { readonly bound: BoundSession; readonly session: Session }>();
  #guarantees = guaranteesWithin(shortestTimeoutMs, longestTimeoutMs);
  #settling: { readonly wire: Wire; readonly done: Promise<void> } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(ensemble: Ensemble, layout: Layout) {
    const isOpenToAll = ensemble.credentials === undefined;
    this.#ensemble = ensemble;
    this.#layout = layout;
    this.#access = isOpenToAll ? { scheme: "world", id: "anyone" } : { scheme: "auth", id: "" };
    this.#snapshots = new Snapshots(layout);
    this.#committer = new Committer(layout, this.#access, this.#snapshots);
    this.#link = new ServerSession(ensemble, {
      timeoutMs: longestTimeoutMs,
      isKept: false,
      onEvent: (path) => {
        this.#hub.ring(path);
      },
      onConnect: () => {
        this.#hub.reconnected();
      },
    });
    this.#hub = new WatchHub(layout, {
      clock: ensemble.clock,
      ready: () => this.#link.ready(),
      read: (wire, query) => this.#snapshots.read(wire, query),
      readEnd: (wire, key) => this.#snapshots.readEnd(wire, key),
      settle: (wire) => this.#settle(wire),
    });
  }

  /** Connects, and makes the namespace if need be. */
  static async open(ensemble: Ensemble, layout: Layout): Promise<ZookeeperStore> {
    const store = new ZookeeperStore(ensemble, layout);
    try {
      await store.#begin();
    } catch (error) {
      store.#link.abandon();
      throw understandable(error);
    }
    return store;
  }

  get guarantees(): Guarantees {
    return this.#guarantees;
  }

  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    const bound = new Set(
      change.then.flatMap((write) => (write.kind === "put" ? (write.session ?? []) : [])),
    );
    const [owner] = bound;
    try {
      if (owner === undefined) return await this.#committer.commit(this.#link, change);
      const own = this.#sessions.get(owner);
      if (bound.size > 1 || !own?.session.isValid()) return await this.#refuse(change);
      try {
        return await this.#committer.commit(own.bound.link, change);
      } catch (error) {
        // It ended, or expired, before it could be asked for this.
        if (own.bound.link.isOver && !isDoubtful(error)) return await this.#refuse(change);
        throw error;
      }
    } catch (error) {
      throw this.#closing && !isDoubtful(error) ? closedError() : understandable(error);
    }
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    const atHand = this.#snapshots.atHand(query);
    if (atHand) return atHand;
    try {
      if (query.atLeast !== undefined) {
        const seen = await this.#link.ask((wire) => this.#snapshots.read(wire, query));
        if (seen.revision >= query.atLeast) return seen;
      }
      return await this.#link.ask(async (wire) => {
        const [, snapshot] = await Promise.all([this.#settle(wire), this.#snapshots.read(wire, query)]);
        return snapshot;
      });
    } catch (error) {
      throw understandable(error);
    }
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    checkQuery({ prefix });
    return this.#hub.watch(prefix, options);
  }

  async openSession(options: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions(options, this.guarantees);
    try {
      const opened = await BoundSession.open(this.#ensemble, this.#layout, this.#access, options);
      const { bound, session } = opened;
      this.#sessions.set(session.id, opened);
      void bound.gone.then(() => this.#sessions.delete(session.id));
      if (this.#closing) {
        await session.end();
        throw closedError();
      }
      return session;
    } catch (error) {
      throw understandable(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#hub.fail(closedError());
    await Promise.all([...this.#sessions.values()].map(({ session }) => session.end()));
    await this.#link.close();
  }

  async #begin(): Promise<void> {
    const probe = new ServerSession(this.#ensemble, { timeoutMs: shortestTimeoutMs, isKept: false });
    try {
      const [shortest, longest] = await Promise.all([probe.ready(), this.#link.ready()]);
      this.#guarantees = guaranteesWithin(shortest.timeoutMs, longest.timeoutMs);
      await this.#committer.prepare(longest);
    } finally {
      await probe.close();
    }
  }

  /**
   * What becomes of a change that cannot be made here, since ZooKeeper binds nodes only to the session that
   * makes them: refused, if a condition says so, or if a session that it binds to is over; else it is too
   * much.
   */
  async #refuse(change: Change): Promise<Refused> {
    // One that goes meanwhile is over, though the look may have come before its end.
    const known = new Map(this.#sessions);
    const sight = await this.#link.ask(async (wire) => {
      const [, seen] = await Promise.all([this.#settle(wire), this.#committer.look(wire, change)]);
      return seen;
    });
    const failed = firstFailure(change, {
      get: (key) => sight.get(key),
      isAlive: (id) => sight.isAlive(id) && known.get(id)?.session.isValid() !== false,
    });
    if (!failed) {
      throw new LockstepError(
        "unsupported",
        "zookeeper binds the keys of a change to one session only, and to one that this very client opened",
      );
    }
    const { read } = change;
    const snapshot = read && (await this.#link.ask((wire) => this.#snapshots.read(wire, read)));
    return { ok: false, failed, snapshot: snapshot ?? { revision: sight.revision, entries: [] } };
  }

  /** One for all who ask in the same turn. */
  #settle(wire: Wire): Promise<void> {
    if (this.#settling?.wire === wire) return this.#settling.done;
    const done = this.#committer.settle(wire);
    this.#settling = { wire, done };
    queueMicrotask(() => (this.#settling = undefined));
    return done;
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}

function isDoubtful(error: unknown): boolean {
  return error instanceof LockstepError && error.applied === "maybe";
}

/** What a server refused, in words. */
function understandable(error: unknown): unknown {
  if (!(error instanceof ServerFault)) return error;
  const why =
    error.code === fault.noAuth
      ? "it does not let us see or change what is in the namespace; is the password another one?"
      : error.message;
  return new LockstepError("unavailable", `zookeeper: ${why}`, { cause: error });
}
