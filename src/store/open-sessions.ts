import type { Clock } from "../base/clock.js";
import { KeptSession, type SessionLink } from "./session.js";

/** For an engine: the sessions that one client has opened and that are not over yet. */
export class OpenSessions {
  readonly #clock: Clock;
  readonly #byId = new Map<string, KeptSession>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One that the store has just opened; `askedAt` is the reading of the clock before it was asked to. */
  keep(id: string, ttlMs: number, askedAt: number, link: SessionLink): KeptSession {
    const session = new KeptSession(id, ttlMs, askedAt, link, this.#clock);
    this.#byId.set(id, session);
    session.onEnd(() => this.#byId.delete(id));
    return session;
  }

  /** The store says that this one is gone; it need not be one of ours. */
  lose(id: string): void {
    this.#byId.get(id)?.lose();
  }

  get ids(): Iterable<string> {
    return this.#byId.keys();
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#byId.values()].map((session) => session.end()));
  }
}
