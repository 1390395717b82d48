import { type Lockstep } from "lockstep";
import { isLockstepError, systemClock } from "lockstep/base";

/** A lock that was granted: who asked when, by the one clock of this machine. */
export interface Granted {
  readonly token: bigint;
  readonly askedAt: number;
  readonly grantedAt: number;
}

/** What somebody thinks of a lock that it was granted. */
export interface Belief {
  readonly isHeld: boolean;
  /** If it is held, it was at this moment. */
  readonly at: number;
  /** Whether the signal of what it was given has told it. */
  readonly isWarned: boolean;
}

type Held = Awaited<ReturnType<ReturnType<Lockstep["lock"]>["acquire"]>>;

/** What a party to a bad day can do: in this process, or in one of its own, which is asked by messages. */
export class Duties {
  readonly #ls: Lockstep;
  readonly #held = new Map<string, Held>();
  readonly #giveUp = new AbortController();

  constructor(ls: Lockstep) {
    this.#ls = ls;
  }

  /** Asks until it is granted: a store that is away is asked again, as a user would. */
  async acquire(lock: string): Promise<Granted> {
    for (;;) {
      try {
        return await this.acquireOnce(lock);
      } catch (error) {
        if (!isLockstepError(error, "unavailable") && !isLockstepError(error, "unknown-outcome")) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async acquireOnce(lock: string, timeoutMs?: number): Promise<Granted> {
    const askedAt = systemClock.now();
    const patience = timeoutMs === undefined ? {} : { timeoutMs };
    const held = await this.#ls.lock(lock).acquire({ ...patience, signal: this.#giveUp.signal });
    const grantedAt = systemClock.now();
    this.#held.set(lock, held);
    return { token: held.token, askedAt, grantedAt };
  }

  believes(lock: string): Belief {
    const held = this.#held.get(lock);
    // Read first: who still holds it afterwards held it then.
    const at = systemClock.now();
    return { isHeld: held?.isHeld ?? false, at, isWarned: held?.signal.aborted ?? false };
  }

  /** Returns when it was last held: just before it was given up. */
  async release(lock: string): Promise<number> {
    const at = systemClock.now();
    await this.#held.get(lock)?.release();
    return at;
  }

  /** Does nothing at all for so long, and says what it believes before anything else runs. */
  block(ms: number, lock: string): Belief {
    const until = systemClock.now() + ms;
    while (systemClock.now() < until);
    return this.believes(lock);
  }

  /** Opens so many sessions, each with one key under `prefix` that is bound to it. */
  async openSessions(count: number, ttlMs: number, prefix: string): Promise<void> {
    const { store } = this.#ls;
    const one = async (_: unknown, index: number) => {
      const session = await store.openSession({ ttlMs });
      const key = `${prefix}${index}`;
      await store.commit({ then: [{ kind: "put", key, value: new Uint8Array(), session: session.id }] });
    };
    await Promise.all(Array.from({ length: count }, one));
  }

  async close(): Promise<void> {
    this.#giveUp.abort();
    await this.#ls.close();
  }
}
