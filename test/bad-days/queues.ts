// Days on which somebody gives up, or gives back what is not his.
import { Lockstep } from "lockstep";
import { isLockstepError } from "lockstep/base";
import type { Store } from "lockstep/store";
import { expect } from "vitest";
import type { Day } from "./day.js";

export const timedOutButGranted: Day = {
  number: 11,
  title: "an acquire times out in the moment in which it is granted",
  needs: "clients",
  async play(world) {
    const [holder, waiter] = [await world.party("holder"), await world.party("waiter")];
    const onlooker = await world.client();
    for (let round = 0; round < 30; round++) {
      await holder.acquire();
      const asked = waiter.acquireOnce("lock", 20).then(
        () => waiter.release(),
        (error: unknown) => {
          if (!isLockstepError(error, "timeout")) throw error;
        },
      );
      const released = world.pause(12 + (round % 10)).then(() => holder.release());
      await Promise.all([asked, released]);
      await world.until(async () => (await world.queued(onlooker)) === 0);
    }
  },
};

export const foreignRelease: Day = {
  number: 12,
  title: "a lock is released twice, and after it went to somebody else",
  needs: "clients",
  async play(world) {
    const [first, second] = [await world.client(), await world.party("second")];
    const onlooker = await world.client();
    const released = await first.lock("lock").acquire();
    await released.release();
    await second.acquire();
    await expect(released.release()).rejects.toMatchObject({ code: "misuse" });
    await released[Symbol.asyncDispose]();
    expect(await second.isHeld()).toBe(true);
    expect(await world.queued(onlooker)).toBe(1);
    await second.release();

    const lost = await first.lock("lock").acquire();
    await first.close();
    await second.acquire();
    await expect(lost.release()).rejects.toMatchObject({ code: "lost" });
    await lost[Symbol.asyncDispose]();
    expect(await second.isHeld()).toBe(true);
    expect(await world.queued(onlooker)).toBe(1);
  },
};

export const cancelEverywhere: Day = {
  number: 13,
  title: "an acquire is called off at every one of its steps",
  needs: "clients",
  async play(world) {
    const [holder, onlooker] = [await world.party("holder"), await world.client()];
    const { store } = await world.client();
    let cancelled = 0;
    for (let step = 1; ; step++) {
      const off = new AbortController();
      const steps = new Steps(store, step, () => {
        off.abort(new Error("called off"));
      });
      const asker = new Lockstep(steps.store, { ttlMs: world.ttlMs });
      await holder.acquire();
      const asked = asker.lock("lock").acquire({ signal: off.signal });
      const settled = Promise.allSettled([asked]);
      await world.until(async () => off.signal.aborted || (await world.queued(onlooker)) === 2);
      await holder.release();
      const [result] = await settled;
      if (result.status === "fulfilled") await result.value.release();
      else expect(result.reason).toBe(off.signal.reason);
      cancelled += result.status === "rejected" ? 1 : 0;
      await world.until(async () => (await world.queued(onlooker)) === 0);
      await asker.close();
      if (!off.signal.aborted) break;
    }
    expect(cancelled).toBeGreaterThan(4);
  },
};

/** A store that calls back at one of the moments at which it is asked or answers. */
class Steps {
  readonly store: Store;
  #steps = 0;
  readonly #at: number;
  readonly #callback: () => void;

  constructor(inner: Store, at: number, callback: () => void) {
    this.#at = at;
    this.#callback = callback;
    this.store = {
      guarantees: inner.guarantees,
      commit: (change) => this.#around(() => inner.commit(change)),
      read: (query) => this.#around(() => inner.read(query)),
      openSession: (options) => this.#around(() => inner.openSession(options)),
      watch: (prefix, options) => {
        const watch = inner.watch(prefix, options);
        return Object.assign(Object.create(watch) as typeof watch, {
          next: () => this.#around(() => watch.next()),
          return: () => watch.return?.(),
        });
      },
      close: async () => undefined,
    };
  }

  async #around<T>(call: () => Promise<T>): Promise<T> {
    this.#step();
    try {
      return await call();
    } finally {
      this.#step();
    }
  }

  #step(): void {
    this.#steps += 1;
    if (this.#steps === this.#at) this.#callback();
  }
}
