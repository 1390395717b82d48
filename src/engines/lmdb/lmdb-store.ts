import type { Clock } from "../../base/clock.js";
import { isLockstepError, LockstepError } from "../../base/errors.js";
import { nonce } from "../../base/nonce.js";
import type { Batch, Change, Committed, Query, Refused, Resync, Snapshot } from "../../store/change.js";
import type { Guarantees } from "../../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../../store/rules.js";
import { OpenSessions } from "../../store/open-sessions.js";
import type { Session } from "../../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../../store/store.js";
import { closedError } from "../../store/watch-feed.js";
import { unusable } from "./directory.js";
import { DurableCopier } from "./durable-copier.js";
import type { Journals } from "./journals.js";
import type { LiveEvents, LiveFile } from "./live-file.js";
import type { LiveTransaction } from "./live-transaction.js";
import { Peers } from "./peers.js";
import { decodePeer } from "./records.js";
import { WatchHub } from "./watch-hub.js";

/** Many processes of one host on one directory. See ARCHITECTURE.md for how the parts play together. */
export class LmdbStore implements Store {
  readonly guarantees: Guarantees = {
    engine: "lmdb",
    linearizableReads: true,
    reach: "host",
    durable: "power",
    revisions: "own",
    bindings: "any",
    watch: "resync",
    push: "doorbell",
    fence: "monotonic",
    failoverLosesCommits: false,
    expiryClock: "host",
    expiryMovesWithWallClock: false,
    failoverRestartsExpiry: false,
    noticesDeath: true,
    ttl: { minMs: 100, maxMs: 24 * 3600 * 1000, grainMs: 1 },
    maxOperations: 1024,
    maxValueBytes: 1024 * 1024,
  };
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #id = nonce();
  readonly #journals: Journals;
  readonly #live: LiveFile;
  readonly #copier: DurableCopier;
  readonly #hub: WatchHub;
  readonly #sessions: OpenSessions;
  #joining: Promise<Peers> | undefined;
  #peers: Peers | undefined;
  #sessionCount = 0;
  #closing: Promise<void> | undefined;

  constructor(
    directory: string,
    journals: Journals,
    clock: Clock,
    openLive: (events: LiveEvents) => LiveFile,
  ) {
    this.#directory = directory;
    this.#clock = clock;
    this.#sessions = new OpenSessions(clock);
    this.#journals = journals;
    this.#live = openLive({
      onWatched: (toRing) => {
        this.#ring(toRing);
      },
      onLowCeiling: () => {
        this.#copier.flush().catch(ignore);
      },
    });
    this.#copier = new DurableCopier(this.#live, journals);
    this.#live.tidyJournals();
    this.#hub = new WatchHub(this.#live, clock, (run) => this.#tellOthers(run));
  }

  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    const { verdict, isUnbound } = await this.#live.transact((transaction) => {
      transaction.wroteUnbound = false;
      return { verdict: transaction.commit(change), isUnbound: transaction.wroteUnbound };
    });
    if (!verdict.ok && verdict.failed.kind === "alive") this.#sessions.lose(verdict.failed.session);
    if (isUnbound) await this.#untilDurable();
    return verdict;
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    await this.#live.whenFree();
    const look = () => this.#live.view((view) => view.snapshot(query));
    const seen = look();
    // Only one who joined hears of deaths; and who asks for what hangs on a life must not be told of the
    // dead.
    if (this.#peers || !(seen.sessions ?? seen.entries.some(({ session }) => session))) return seen;
    await this.#join();
    return look();
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
    await this.#join();
    // The peer's id leads, so that its death finds its sessions.
    const id = `${this.#id}.${(this.#sessionCount++).toString(36)}`;
    const askedAt = this.#clock.now();
    await this.#live.transact((transaction) => {
      transaction.putSession(id, { expiresAt: this.#clock.now() + ttlMs, ttlMs, label });
    });
    const link = {
      renew: () => this.#live.transact((transaction) => transaction.renewSession(id)),
      end: () =>
        this.#live.transact((transaction) => {
          transaction.endSession(id);
        }),
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
    try {
      const peers = await this.#joining;
      // Forgotten first, so that the end of our connections is no death to the others.
      await this.#live.transact((transaction) => {
        transaction.removePeer(this.#id);
      });
      peers?.close();
    } catch {
      // A store that cannot be written learns of our going from the end of our connections.
      this.#peers?.close();
    }
    await this.#copier.idle();
    await this.#live.close();
    await this.#journals.close();
  }

  /** Becomes known to the other clients, at the first thing that concerns them: a session, or a watch. */
  #join(): Promise<Peers> {
    this.#joining ??= this.#enter().catch((cause: unknown) => {
      this.#joining = undefined;
      throw isLockstepError(cause) ? cause : unusable(this.#directory, cause);
    });
    return this.#joining;
  }

  async #enter(): Promise<Peers> {
    const peers = await Peers.listen(this.#id, this.#directory, this.#clock, {
      onRing: () => {
        this.#hub.pump();
      },
      onDeath: (peer) => this.#bury(peer),
    });
    try {
      const others = await this.#live.transact((transaction) => {
        // Those who come later find us here and connect to us; so each pair is connected once.
        const found = [...transaction.scan("p")].map(([key, raw]) => {
          return { id: key.slice(1), socket: decodePeer(raw).socket };
        });
        transaction.putPeer(this.#id, { socket: peers.socketPath, interest: [] });
        return found;
      });
      await Promise.all(others.map(({ id, socket }) => peers.dial(id, socket)));
    } catch (cause) {
      peers.close();
      throw cause;
    }
    // Not before those are buried who are dead: who finds this set takes what it reads for the living.
    this.#peers = peers;
    return peers;
  }

  /** Writes what this client watches, once it can be rung. */
  async #tellOthers<T>(run: (transaction: LiveTransaction, id: string) => T): Promise<T> {
    if (!this.#peers) await this.#join();
    return this.#live.transact((transaction) => run(transaction, this.#id));
  }

  async #bury(peer: string): Promise<void> {
    if (this.#closing) return;
    this.#live.forgetDeadReaders();
    await this.#live.transact((transaction) => {
      transaction.removePeer(peer);
    });
  }

  #ring(toRing: ReadonlySet<string>): void {
    if (this.#peers) this.#peers.ring(toRing);
    else if (!this.#closing) {
      // One that only writes has met nobody yet; it does when there is somebody to wake.
      this.#join().then((peers) => {
        peers.ring(toRing);
      }, ignore);
    }
    if (toRing.has(this.#id)) {
      queueMicrotask(() => {
        this.#hub.pump();
      });
    }
  }

  async #untilDurable(): Promise<void> {
    try {
      await this.#copier.flush();
    } catch (cause) {
      throw new LockstepError(
        "unknown-outcome",
        "lmdb: the change is made and seen by all, but could not be brought to disk, so that it would not " +
          "survive a power failure; the next write tries again",
        { cause, applied: "maybe" },
      );
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}

function ignore(): void {
  // Those who cannot be rung look for themselves after a while; a ceiling that is low is raised by the next.
}
