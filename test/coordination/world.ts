// What the tests of this folder share: clients of one memory store, all in one event loop and one clock's
// time.
import { Lockstep } from "lockstep";
import { isLockstepError, LockstepError, ManualClock, type Clock, type SeededRandom } from "lockstep/base";
import { MemoryData, MemoryStore } from "lockstep/memory";
import type { Store } from "lockstep/store";
import { Judge } from "./judge.js";

export const ttlMs = 10_000;

export class World {
  readonly clock = new ManualClock(1000);
  readonly data = new MemoryData(this.clock);
  /** Sees everything as it is, whatever becomes of the clients. */
  readonly store = new MemoryStore({ data: this.data, clock: this.clock });

  /** Whatever else a test is about, its clients must keep what locks, elections and registers promise. */
  readonly #judge = new Judge();

  client(wrap: (store: Store) => Store = (store) => store, clock: Clock = this.clock): Lockstep {
    const store = wrap(new MemoryStore({ data: this.data, clock }));
    return this.#judge.follow(new Lockstep(store, { clock, ttlMs }));
  }

  /** The keys that are there now, the oldest first. */
  async keys(prefix: string): Promise<string[]> {
    const { entries } = await this.store.read({ prefix, order: "created" });
    return entries.map((entry) => entry.key);
  }
}

/** Lets microtasks run, so many one after the other. */
export async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** Every promise chain that can go on by itself has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What became of a promise so far. */
export function track<T>(promise: Promise<T>) {
  const tracked: { state: "pending" | "resolved" | "rejected"; value?: T; error?: unknown } = {
    state: "pending",
  };
  promise.then(
    (value) => Object.assign(tracked, { state: "resolved", value }),
    (error: unknown) => Object.assign(tracked, { state: "rejected", error }),
  );
  return tracked;
}

/** The code that a call rejects with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "no error";
  } catch (error) {
    return isLockstepError(error) ? error.code : `another error: ${String(error)}`;
  }
}

/** A store whose requests and replies are both under way for as long as `pause` takes. */
export function distant(inner: Store, pause: () => Promise<void>): Store {
  const far = async <T>(call: () => Promise<T>): Promise<T> => {
    await pause();
    try {
      return await call();
    } finally {
      await pause();
    }
  };
  return {
    guarantees: inner.guarantees,
    commit: (change) => far(() => inner.commit(change)),
    read: (query) => far(() => inner.read(query)),
    watch: (prefix, options) => inner.watch(prefix, options),
    openSession: (options) => far(() => inner.openSession(options)),
    close: () => inner.close(),
  };
}

/**
 * A store that fails to say what became of some commits. Each of those is made now or not, and is made again,
 * or for the first time, when up to `lateMs` have passed; until `heal` is called.
 */
export function doubtful(inner: Store, clock: Clock, random: SeededRandom, chance: number, lateMs: number) {
  let healed = false;
  const store: Store = {
    guarantees: inner.guarantees,
    async commit(change) {
      if (healed || !random.chance(chance)) return inner.commit(change);
      if (random.chance(0.5)) await inner.commit(change);
      clock.after(random.below(lateMs), () => {
        if (!healed) void inner.commit(change).catch(() => undefined);
      });
      throw new LockstepError("unknown-outcome", "nobody knows", { applied: "maybe" });
    },
    read: (query) => inner.read(query),
    watch: (prefix, options) => inner.watch(prefix, options),
    openSession: (options) => inner.openSession(options),
    close: () => inner.close(),
  };
  const heal = () => {
    healed = true;
  };
  return { store, heal };
}
