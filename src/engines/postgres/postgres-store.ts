import type { Clock } from "../../base/clock.js";
import { nonce } from "../../base/nonce.js";
import { sleep } from "../../base/patience.js";
import type {
  Batch,
  Change,
  Committed,
  Condition,
  Query,
  Refused,
  Resync,
  Snapshot,
} from "../../store/change.js";
import type { Guarantees } from "../../store/guarantees.js";
import { checkChange, checkQuery, checkSessionOptions } from "../../store/rules.js";
import { OpenSessions } from "../../store/open-sessions.js";
import type { Session } from "../../store/session.js";
import type { SessionOptions, Store, WatchOptions } from "../../store/store.js";
import { closedError } from "../../store/watch-feed.js";
import { guaranteesWith } from "./guarantees-with.js";
import type { Requests } from "./requests.js";
import { within } from "./server.js";
import { conditionsOf, snapshotOf, stepsOf, type Answer } from "./wire.js";

/** What tells this client of changes: the server's notifications, or a poll. */
export interface Watches {
  watch(prefix: string, options: WatchOptions): AsyncIterableIterator<Batch | Resync, void>;
  /** Ends all watches. */
  close(error: unknown): void;
}

/** Many hosts on one Postgres. See docs/engines/postgres.md for how the parts play together. */
export class PostgresStore implements Store {
  readonly guarantees: Guarantees;
  readonly #clock: Clock;
  readonly #requests: Requests;
  readonly #watches: Watches;
  readonly #disconnect: () => Promise<void>;
  readonly #sessions: OpenSessions;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  /** `disconnect` is called last. */
  constructor(
    clock: Clock,
    requests: Requests,
    watches: Watches,
    push: Guarantees["push"],
    disconnect: () => Promise<void>,
  ) {
    this.guarantees = guaranteesWith(push);
    this.#clock = clock;
    this.#sessions = new OpenSessions(clock);
    this.#requests = requests;
    this.#watches = watches;
    this.#disconnect = disconnect;
  }

  async commit(change: Change): Promise<Committed | Refused> {
    this.#assertOpen();
    checkChange(change, this.guarantees);
    const [failed, plainRevision, found] = (await this.#requests.ask(...stepsOf(change))) as Answer;
    const revision = BigInt(plainRevision);
    // What is too long to be read in the same step is read after it.
    const isUnread = change.read !== undefined && found === null;
    const snapshot = isUnread ? await this.#requests.read(change.read) : snapshotOf(revision, found);
    if (failed < 0) return { ok: true, revision, snapshot };
    const condition = conditionsOf(change)[failed] as Condition;
    if (condition.kind === "alive") this.#sessions.lose(condition.session);
    return { ok: false, failed: condition, snapshot };
  }

  async read(query: Query): Promise<Snapshot> {
    this.#assertOpen();
    checkQuery(query);
    return this.#requests.read(query);
  }

  watch(prefix: string, options: WatchOptions = {}): AsyncIterableIterator<Batch | Resync, void> {
    this.#assertOpen();
    checkQuery({ prefix });
    return this.#watches.watch(prefix, options);
  }

  async openSession({ ttlMs, label = "" }: SessionOptions): Promise<Session> {
    this.#assertOpen();
    checkSessionOptions({ ttlMs, label }, this.guarantees);
    const id = nonce();
    for (;;) {
      const askedAt = this.#clock.now();
      const waitMs = (await this.#requests.askHarmless(["open", id, label, String(ttlMs)])) as number;
      this.#assertOpen();
      if (waitMs === 0) return this.#keep(id, ttlMs, askedAt);
      // The server has crashed: who had a session then may think it alive for so long.
      await sleep(this.#clock, waitMs, this.#closed.signal);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #keep(id: string, ttlMs: number, askedAt: number): Session {
    const link = {
      renew: async () => (await this.#requests.askHarmless(["renew", id])) as boolean,
      end: async () => {
        await this.#requests.ask(["end", id]);
      },
    };
    return this.#sessions.keep(id, ttlMs, askedAt, link);
  }

  async #close(): Promise<void> {
    this.#closed.abort(closedError());
    this.#watches.close(closedError());
    // A session whose end the server cannot be told would be waited for until its time is up.
    await within(this.#clock, this.#sessions.endAll()).catch(ignore);
    await this.#disconnect();
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}

function ignore(): void {
  // It ends by itself, when its time is up.
}
