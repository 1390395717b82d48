// Locks behind a bad network, hundreds of them in the time of a manual clock; and what becomes of one commit
// whose reply is lost at the worst of moments.
import fc from "fast-check";
import { LockstepError } from "lockstep/base";
import type { Change, Query } from "lockstep/store";
import { describe, expect, test } from "vitest";
import { faulty, late, playLocks, type Expectations, type Network } from "./recipes/bad-network.js";
import { memoryGround } from "./recipes/grounds.js";
import { inSetting } from "./recipes/setting.js";
import { distant, settled, ticks, track, ttlMs, World } from "./world.js";

function check(runs: number, property: (seed: number) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), property), { numRuns: runs });
}

const play = (runs: number, network: Network, expectations?: Expectations) =>
  check(runs, (seed) =>
    inSetting(memoryGround, (setting) => playLocks(setting, seed, network, expectations)),
  );

describe("locks behind a network", () => {
  test("that is slow", () => play(60, faulty({ delayMs: 30 })));

  test("that is slower than sessions live", () => play(30, faulty({ delayMs: 800 })));

  test("that loses requests", () => play(60, faulty({ loseRequest: 0.2, delayMs: 10 })));

  test("that loses replies", () => play(60, faulty({ loseReply: 0.2, delayMs: 10 })));

  test("that loses nearly everything", () =>
    play(40, faulty({ loseRequest: 0.4, loseReply: 0.4, delayMs: 50 })));

  test("that makes changes it had given up for lost, later", () => play(60, late(20)));

  test("that makes them when their sessions should be over", () => play(60, late(1000)));
});

// An engine must not make a change again that it has acknowledged: no condition can refuse a put of a key
// that was there and is gone. If one did, its key would block the queue until its client goes; but nobody
// would overlap.
test("locks behind a network that makes acknowledged changes twice may block, but never overlap", () =>
  play(60, faulty({ duplicate: 0.1, delayMs: 10 }), { mayBlock: true }));

describe("a commit whose fate is unknown", () => {
  /** How it goes with the next commit: it is made or not; and whether the store can be read afterwards. */
  interface Trick {
    isMade: boolean;
    isReadable?: boolean;
  }

  /** A client whose next commit goes as the trick says, and is made (again) when the list is called. */
  function misled(world: World) {
    const late: (() => Promise<unknown>)[] = [];
    const state: { trick?: Trick | undefined; unreadable?: boolean } = {};
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      commit: async (change: Change) => {
        const { trick } = state;
        if (!trick) return store.commit(change);
        state.trick = undefined;
        state.unreadable = trick.isReadable === false;
        if (trick.isMade) await store.commit(change);
        late.push(() => store.commit(change));
        throw new LockstepError("unknown-outcome", "nobody knows", { applied: "maybe" });
      },
      read: async (query: Query) => {
        if (state.unreadable) throw new LockstepError("unavailable", "out of reach");
        return store.read(query);
      },
    }));
    return { client, late, state };
  }

  for (const trick of [{ isMade: false }, { isMade: true }, { isMade: false, isReadable: false }]) {
    const how = JSON.stringify(trick);

    test(`leaves no key that blocks the lock, though its session lives on: ${how}`, async () => {
      const world = new World();
      const { client, late, state } = misled(world);
      // A hold that outlives everything, on the same session.
      const forEver = await client.lock("y").acquire();
      state.trick = trick;
      const acquired = track(client.lock("x").acquire());
      await settled();
      if (trick.isReadable === false) expect(acquired.error).toMatchObject({ code: "unknown-outcome" });
      else await acquired.value!.release();
      state.unreadable = false;
      await late[0]!();
      expect(await world.keys("lock/x/")).toHaveLength(1);
      await world.clock.advance(ttlMs);
      expect(await world.keys("lock/x/")).toEqual([]);
      forEver.assertHeld();
      expect(await world.client().lock("x").tryAcquire()).not.toBeNull();
    });

    test(`of a hand-over, too: ${how}`, async () => {
      const world = new World();
      const { client, late, state } = misled(world);
      const forEver = await client.lock("y").acquire();
      const held = await client.lock("x").acquire();
      const next = track(client.lock("x").acquire());
      state.trick = trick;
      await held.release();
      state.unreadable = false;
      await settled();
      await next.value?.release();
      await late[0]!();
      await world.clock.advance(ttlMs);
      expect(await world.keys("lock/x/")).toEqual([]);
      forEver.assertHeld();
    });
  }

  test("leaves no session behind: the one it retires ends with its last key", async () => {
    const world = new World();
    const { client, state } = misled(world);
    const forEver = await client.lock("y").acquire();
    for (const isMade of [true, false, true]) {
      state.trick = { isMade };
      await client.lock("x").run(() => undefined);
    }
    const sessions = async () => (await world.client().census()).sessions.length;
    // The next one is opened when it is needed.
    expect(await sessions()).toBe(1);
    await forEver.release();
    expect(await sessions()).toBe(0);
  });

  test("made twice, does not undo what was proclaimed since", async () => {
    const world = new World();
    const { client, late, state } = misled(world);
    state.trick = { isMade: true };
    const term = (await client.election("e").campaign({ value: "old" }).next()).value;
    await term.proclaim("new");
    await late[0]!();
    expect(await client.election("e").leader()).toEqual({ value: "new", token: term.token });
  });
});

describe("a waiter", () => {
  test("whose session the store has forgotten joins again at once, behind those who came since", async () => {
    const world = new World();
    const holder = await world.client().lock("x").acquire();
    const waiting = track(world.client().lock("x").acquire());
    await settled();
    const behind = track(world.client().lock("x").acquire());
    await settled();
    const { entries } = await world.store.read({ prefix: "lock/", order: "created" });
    world.data.endLease(entries[1]!.session!);
    expect(await world.keys("lock/")).toHaveLength(2);
    await world.clock.advance(ttlMs / 2);
    expect(await world.keys("lock/")).toHaveLength(3);
    await holder.release();
    await settled();
    expect([behind.state, waiting.state]).toEqual(["resolved", "pending"]);
    await behind.value!.release();
    await settled();
    expect(waiting.state).toBe("resolved");
  });

  test("keeps its place while the store is out of reach", async () => {
    const world = new World();
    let isAway = false;
    const unreachable = async <T>(call: () => Promise<T>) => {
      if (isAway) throw new LockstepError("unavailable", "out of reach");
      return call();
    };
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      // Else it would not have to look, nor if it were shown who is first.
      guarantees: { ...store.guarantees, failoverLosesCommits: true },
      read: (query: Query) => unreachable(() => store.read(query)),
    }));
    const reticent = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      commit: (change) => store.commit({ ...change, show: undefined }),
    }));
    const holder = await reticent.lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await settled();
    const behind = track(world.client().lock("x").acquire());
    await settled();
    isAway = true;
    await holder.release();
    await world.clock.advance(ttlMs * 2);
    expect([waiting.state, behind.state]).toEqual(["pending", "pending"]);
    isAway = false;
    await world.clock.advance(ttlMs);
    expect([waiting.state, behind.state]).toEqual(["resolved", "pending"]);
  });

  test("is told when its time is up that it was the store that did not answer", async () => {
    const world = new World();
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      commit: () => new Promise<never>(() => undefined),
    }));
    const waiting = track(client.lock("x").acquire({ timeoutMs: 100 }));
    await world.clock.advance(100);
    expect(waiting.error).toMatchObject({
      code: "timeout",
      message: 'waited 100 ms in vain for the lock "x", and for an answer of the store',
    });
  });

  test("is woken by an engine that knows no past: the watch's resync tells", async () => {
    const world = new World();
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      watch: (prefix, options) => {
        const begin = async function* () {
          await ticks(20);
          yield* store.watch(prefix, { signal: options?.signal });
        };
        return begin();
      },
    }));
    for (let step = 0; step < 40; step += 3) {
      const holder = await world.client().lock("x").acquire();
      const waiting = track(client.lock("x").acquire());
      await ticks(step);
      await holder.release();
      await settled();
      expect([step, waiting.state]).toEqual([step, "resolved"]);
      await waiting.value!.release();
    }
  });
});
