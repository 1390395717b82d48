// Locks where exactness matters: to the millisecond, at every step of a call, and before a store is asked.
// What they do on every engine is in recipes/.
import { connect, LockstepError } from "lockstep";
import { FaultyStore, type Faults } from "lockstep/simulation";
import { describe, expect, test } from "vitest";
import { codeOf, distant, settled, track, ttlMs, World } from "./world.js";

describe("a lock", () => {
  test("costs the store one key for ten thousand waiting tasks", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").acquire();
    let count = 0;
    const tasks = Array.from({ length: 10_000 }, () => b.lock("x").run(() => count++));
    await settled();
    expect(await world.keys("lock/")).toHaveLength(2);
    await held.release();
    await Promise.all(tasks);
    expect(count).toBe(10_000);
    expect(await world.keys("lock/")).toEqual([]);
  });

  test("refuses names that make no sense", async () => {
    const client = new World().client();
    for (const name of ["", "a\nb", "x".repeat(513), "\ud800", 5, null, undefined]) {
      expect(() => client.lock(name as string), String(name)).toThrow(
        expect.objectContaining({ code: "bad-input" }) as Error,
      );
    }
    expect(() => client.lock("x".repeat(512))).not.toThrow();
  });

  test("refuses patience that makes no sense, and keeps nothing of it", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    const nonsense = [{ timeoutMs: -1 }, { timeoutMs: NaN }, { timeoutMs: "1" }, { signal: {} }] as never[];
    for (const patience of nonsense) {
      expect(await codeOf(lock.acquire(patience))).toBe("bad-input");
      expect(await codeOf(lock.run(() => 1, patience))).toBe("bad-input");
    }
    expect(await codeOf(lock.run(undefined as never))).toBe("bad-input");
    expect(await world.keys("lock/")).toEqual([]);
  });
});

describe("the end of a hold", () => {
  test("released after a loss says 'lost'; disposing stays quiet", async () => {
    const world = new World();
    const held = await world.client().lock("x").acquire();
    world.clock.jump(ttlMs);
    expect(await codeOf(held.release())).toBe("lost");
    expect(await codeOf(held.release())).toBe("lost");
    await held[Symbol.asyncDispose]();
    expect(held.signal.aborted).toBe(true);
  });

  test("aborts the signal at the deadline, though no reply ever comes", async () => {
    const world = new World();
    const network: Faults = { seed: 1, clock: world.clock };
    const client = world.client((store) => new FaultyStore(store, network));
    const held = await client.lock("x").acquire();
    let abortedAt: number | undefined;
    held.signal.addEventListener("abort", () => (abortedAt = world.clock.now()));
    Object.assign(network, { delayMs: 1e9 });
    const acknowledgedAt = world.clock.now();
    await world.clock.advance(ttlMs * 2);
    expect(abortedAt).toBe(acknowledgedAt + ttlMs - 500);
  });

  test("after a freeze is known at once, before any callback has run", async () => {
    const world = new World();
    const held = await world.client().lock("x").acquire();
    const aborted: unknown[] = [];
    held.signal.addEventListener("abort", () => aborted.push(held.signal.reason));
    world.clock.jump(ttlMs);
    expect(() => {
      held.assertHeld();
    }).toThrow(expect.objectContaining({ code: "lost" }) as Error);
    expect(held.isHeld).toBe(false);
    expect(aborted).toEqual([expect.objectContaining({ code: "lost" })]);
  });

  test("keeps a hold for as long as it is renewed", async () => {
    const world = new World();
    const held = await world.client().lock("x").acquire();
    await world.clock.advance(ttlMs * 20);
    held.assertHeld();
    await held.release();
  });
});

describe("run", () => {
  test("returns what the section returns, and releases", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    expect(await lock.run((held) => held.isHeld)).toBe(true);
    expect(await lock.run(async () => "later")).toBe("later");
    expect(await world.keys("lock/")).toEqual([]);
  });

  test("says 'lost' when the lock was lost under a section that did not notice", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    expect(await codeOf(lock.run(() => world.clock.jump(ttlMs)))).toBe("lost");
    const boom = new Error("boom");
    const lostAndThrown = lock.run(() => {
      world.clock.jump(ttlMs);
      throw boom;
    });
    await expect(lostAndThrown).rejects.toBe(boom);
  });

  test("refuses to wait for itself, however deep", async () => {
    const lock = new World().client().lock("x");
    const other = new World().client().lock("y");
    expect(await codeOf(lock.run(() => lock.acquire()))).toBe("misuse");
    expect(await codeOf(lock.run(() => lock.run(() => 1)))).toBe("misuse");
    expect(await codeOf(lock.run(() => other.run(() => lock.run(() => 1))))).toBe("misuse");
    // Nothing is left of the refused one: it works as before.
    expect(await lock.run(() => 1)).toBe(1);
    expect(await lock.run(() => lock.tryAcquire())).toBeNull();
  });

  test("knows the lock by its name, not by the object", async () => {
    const client = new World().client();
    expect(await codeOf(client.lock("x").run(() => client.lock("x").acquire()))).toBe("misuse");
  });

  test("lets a section take another lock", async () => {
    const client = new World().client();
    const both = client.lock("x").run(() => client.lock("y").run((held) => held.name));
    expect(await both).toContain("y");
  });

  test("lets a task that a section started take the lock once the section has ended", async () => {
    const lock = new World().client().lock("x");
    let later: Promise<number> | undefined;
    await lock.run(() => {
      later = settled().then(() => lock.run(() => 7));
    });
    expect(await later).toBe(7);
  });

  test("a section that lost its lock may take it again", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    const again = lock.run(async () => {
      world.clock.jump(ttlMs);
      await (await lock.acquire()).release();
      return "taken";
    });
    expect(await codeOf(again)).toBe("lost");
    expect(await world.keys("lock/")).toEqual([]);
  });
});

describe("closing", () => {
  test("at every step of an acquire leaves nothing behind", async () => {
    for (let step = 0; step < 40; step++) {
      const world = new World();
      const client = world.client((store) => distant(store, () => Promise.resolve()));
      const acquired = codeOf(client.lock("x").acquire());
      const tried = codeOf(client.lock("y").tryAcquire());
      for (let i = 0; i < step; i++) await Promise.resolve();
      await client.close();
      await settled();
      expect(["closed", "no error"]).toContain(await acquired);
      expect(["closed", "no error"]).toContain(await tried);
      const { entries, sessions } = await world.store.read({ prefix: "", sessions: true });
      expect({ step, entries, sessions }).toEqual({ step, entries: [], sessions: [] });
    }
  });
});

describe("a lock whose replies are late", () => {
  test("is not granted by a try whose session was over before the reply came", async () => {
    for (const noticed of [true, false]) {
      const world = new World();
      let gate: Promise<void> | undefined;
      const client = world.client((store) => distant(store, () => gate ?? Promise.resolve()));
      const other = await client.lock("y").acquire();
      let open: () => void = () => undefined;
      const tried = track(client.lock("x").tryAcquire());
      // The request has gone through; its reply waits.
      await Promise.resolve();
      gate = new Promise((resolve) => (open = resolve));
      await settled();
      expect(await world.keys("lock/x/")).toHaveLength(1);
      world.clock.jump(ttlMs);
      if (noticed) expect(other.isHeld).toBe(false);
      gate = undefined;
      open();
      await settled();
      expect(tried.state).toBe("resolved");
      if (tried.value) expect(tried.value.isHeld).toBe(true);
      await tried.value?.release();
      expect((await client.lock("x").tryAcquire())?.isHeld).toBe(true);
    }
  });

  test("is not granted to a waiter whose session was over before the reply came", async () => {
    const world = new World();
    let gate: Promise<void> | undefined;
    const client = world.client((store) => distant(store, () => gate ?? Promise.resolve()));
    await client.lock("y").acquire();
    let open: () => void = () => undefined;
    const acquired = track(client.lock("x").acquire());
    await Promise.resolve();
    gate = new Promise((resolve) => (open = resolve));
    await settled();
    world.clock.jump(ttlMs);
    const rival = await world.client().lock("x").acquire();
    gate = undefined;
    open();
    await settled();
    expect(acquired.state).toBe("pending");
    await rival.release();
    await settled();
    expect(acquired.value?.isHeld).toBe(true);
    expect(acquired.value!.token).toBeGreaterThan(rival.token);
  });
});

test("a section of run may release its lock itself", async () => {
  await using ls = await connect("memory:");
  const result = await ls.lock("x").run(async (held) => {
    await held.release();
    return 7;
  });
  expect(result).toBe(7);
});

test("an option that does not exist is refused, not ignored", async () => {
  await using ls = await connect("memory:");
  const typo = { timeout: 5 } as object;
  await expect(ls.lock("x").acquire(typo)).rejects.toThrow(
    /no option "timeout" here; there are signal, timeoutMs/,
  );
  await expect(ls.kv.put("x", "y", { ifrevision: 1n } as object)).rejects.toThrow(/there are ifRevision/);
  await expect(connect("memory:", { ttl: 5 } as object)).rejects.toThrow(/there are ttlMs/);
  expect(await ls.kv.get("x")).toBeNull();
});

test("a lock that ends with its client says so, by its own name", async () => {
  const ls = await connect("memory:");
  const held = await ls.lock("x").acquire();
  const { signal } = held;
  await ls.close();
  expect(held.name).toBe("x");
  expect(signal.aborted).toBe(true);
  expect(() => held.assertHeld()).toThrow(
    /the lock "x" is lost: its session was ended, as when the client is closed/,
  );
});

test("a release that the store cannot be told of waits for its session to end, and no longer", async () => {
  const world = new World();
  let isAway = false;
  const client = world.client((store) => ({
    ...distant(store, () => Promise.resolve()),
    commit: (change) =>
      isAway ? Promise.reject(new LockstepError("unavailable", "out of reach")) : store.commit(change),
  }));
  const held = await client.lock("x").acquire();
  isAway = true;
  const released = track(held.release());
  await world.clock.advance(ttlMs);
  expect(released.state).toBe("resolved");
  isAway = false;
  expect(await world.client().lock("x").tryAcquire()).not.toBeNull();
});
