import type { Clock } from "../base/clock.js";
import type { Session } from "../store/session.js";
import type { Store } from "../store/store.js";
import { closedError } from "../store/watch-feed.js";

export interface SessionKeeperOptions {
  readonly ttlMs: number;
  readonly label: string;
  readonly clock: Clock;
}

/** One session for all that a client holds, opened when first needed, and again after it was lost. */
export class SessionKeeper {
  readonly store: Store;
  readonly clock: Clock;
  readonly #options: SessionKeeperOptions;
  /** How many keys rest on each session. */
  readonly #tenants = new Map<Session, number>();
  #current: Session | undefined;
  #opening: Promise<Session> | undefined;
  #closed = false;

  constructor(store: Store, options: SessionKeeperOptions) {
    this.store = store;
    this.clock = options.clock;
    this.#options = options;
  }

  /** A valid session to bind a new key to; at once where there is one, since every lock asks. */
  current(): Session | Promise<Session> {
    if (this.#closed) throw closedError();
    if (this.#current?.isValid()) return this.#current;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** Counts a key that now rests on the session. */
  enter(session: Session): void {
    this.#tenants.set(session, (this.#tenants.get(session) ?? 0) + 1);
  }

  /** The key is gone. A retired session goes with its last; then the promise is that of its end. */
  leave(session: Session): Promise<void> | undefined {
    const left = (this.#tenants.get(session) ?? 0) - 1;
    if (left > 0) {
      this.#tenants.set(session, left);
      return undefined;
    }
    this.#tenants.delete(session);
    return session === this.#current ? undefined : session.end();
  }

  /**
   * Binds no new key to this session; it ends when the last of its keys has gone. So a commit whose fate is
   * unknown, and which may yet arrive late, finds its session dead and changes nothing.
   */
  retire(session: Session): void {
    if (this.#current === session) this.#current = undefined;
    if (!this.#tenants.has(session)) void session.end();
  }

  /**
   * Deletes a key that may be there, or may yet come, again and again until its session is over. Resolves
   * when it was first deleted, or vanished with the session.
   */
  sweep(session: Session, key: string): Promise<void> {
    this.retire(session);
    return new Promise((resolve) => {
      let isGone = false;
      const again = () => {
        if (!session.isValid()) return;
        this.store.commit({ then: [{ kind: "delete", key }] }).then(
          () => {
            isGone = true;
            resolve();
          },
          () => {
            // Not now; the next round may succeed, and the end of the session does it in any case.
          },
        );
        // Until it is known to be gone, somebody waits for that, and the process must not end under him.
        this.clock.after(session.ttlMs / 5, again, isGone ? "background" : undefined);
      };
      session.onEnd(() => {
        resolve();
      });
      again();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // One that is being opened is ended as soon as it is there.
    await this.#opening?.catch(ignore);
    const sessions = new Set(this.#tenants.keys());
    if (this.#current) sessions.add(this.#current);
    await Promise.all([...sessions].map((session) => session.end()));
  }

  async #open(): Promise<Session> {
    const { ttlMs, label } = this.#options;
    const session = await this.store.openSession({ ttlMs, label });
    if (this.#closed) {
      await session.end();
      throw closedError();
    }
    this.#current = session;
    return session;
  }
}

function ignore(): void {
  // Whoever asked for a session hears of it.
}
