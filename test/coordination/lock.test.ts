import { connect, LockstepError, type Held } from "lockstep";
import { frozenClock } from "lockstep/conformance";
import { FaultyStore, type Faults } from "lockstep/simulation";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Judge } from "./judge.js";
import { codeOf, distant, settled, track, ttlMs, World } from "./world.js";

describe("a lock", () => {
  test("is one client's at a time, and free again when released", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").acquire();
    expect(held.isHeld).toBe(true);
    expect(held.signal.aborted).toBe(false);
    const other = track(b.lock("x").acquire());
    await settled();
    expect(other.state).toBe("pending");
    await held.release();
    await settled();
    expect(other.state).toBe("resolved");
    expect(held.isHeld).toBe(false);
    // A release is no loss.
    expect(held.signal.aborted).toBe(false);
    expect(other.value!.isHeld).toBe(true);
  });

  test("of another name is another lock, however alike the names", async () => {
    const client = new World().client();
    const names = ["a", "a/b", "a%2Fb", "a%", "b", "ä", "a b", "/", "A"];
    for (const name of names) expect(await client.lock(name).tryAcquire()).not.toBeNull();
    const census = await client.census();
    expect(census.locks.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  test("is tried for without waiting", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").tryAcquire();
    expect(held?.isHeld).toBe(true);
    expect(await a.lock("x").tryAcquire()).toBeNull();
    expect(await b.lock("x").tryAcquire()).toBeNull();
    expect(await world.keys("lock/")).toHaveLength(1);
    await held?.release();
    const again = await b.lock("x").tryAcquire();
    expect(again?.isHeld).toBe(true);
  });

  test("is not to be had by trying while others wait for it", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").acquire();
    const waiting = b.lock("x").acquire();
    await settled();
    const released = held.release();
    expect(await a.lock("x").tryAcquire()).toBeNull();
    await released;
    expect((await waiting).isHeld).toBe(true);
  });

  test("is waited for by the one who began while another task was trying", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").acquire();
    const tried = b.lock("x").tryAcquire();
    const waiting = track(b.lock("x").acquire());
    expect(await tried).toBeNull();
    await held.release();
    await settled();
    expect(waiting.state).toBe("resolved");
  });

  test("is granted to clients in the order in which they asked", async () => {
    const world = new World();
    const first = await world.client().lock("x").acquire();
    const order: number[] = [];
    const sections = Array.from({ length: 20 }, async (_, i) => {
      await using _held = await world.client().lock("x").acquire();
      order.push(i);
    });
    await settled();
    await first.release();
    await Promise.all(sections);
    expect(order).toEqual(sections.map((_, i) => i));
  });

  test("is granted to the tasks of a client in the order in which they asked", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    const order: number[] = [];
    const task = (i: number) => lock.run(() => void order.push(i));
    await Promise.all(Array.from({ length: 50 }, (_, i) => task(i)));
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("goes around: a client with many tasks gets no more turns than one with few", async () => {
    const world = new World();
    const clients = [world.client(), world.client()];
    const order: string[] = [];
    const first = await world.client().lock("x").acquire();
    const tasks = ["a", "a", "a", "b", "b"].map((name) =>
      clients[name === "a" ? 0 : 1]!.lock("x").run(() => void order.push(name)),
    );
    await settled();
    await first.release();
    await Promise.all(tasks);
    expect(order.join("")).toBe("ababa");
  });

  test("has a token that rises with each grant", async () => {
    const world = new World();
    const clients = [world.client(), world.client(), world.client()];
    const tokens: bigint[] = [];
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        clients[i % 3]!.lock("x").run((held) => void tokens.push(held.token)),
      ),
    );
    expect(tokens).toHaveLength(60);
    for (const [i, token] of tokens.entries()) if (i > 0) expect(token).toBeGreaterThan(tokens[i - 1]!);
  });

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

  test("leaves nothing in the store and is of a clean queue after use", async () => {
    const world = new World();
    const client = world.client();
    for (let i = 0; i < 5; i++) await client.lock("x").run(() => undefined);
    expect(await world.keys("")).toEqual([]);
  });

  test("says for whom it is: label, age and order in the census", async () => {
    const world = new World();
    const held = await world.client().lock("x").acquire();
    await world.clock.advance(100);
    const waiting = world.client().lock("x").acquire();
    await settled();
    const census = await world.client().census();
    expect(census.locks).toHaveLength(1);
    const { name, holder, queue } = census.locks[0]!;
    expect(name).toBe("x");
    expect(holder).toMatchObject({ token: held.token, ageMs: 100 });
    expect(holder.label).toContain(String(process.pid));
    expect(queue).toHaveLength(1);
    await held.release();
    await waiting;
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
  test("released twice is misuse, and changes nothing", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").acquire();
    await held.release();
    const next = await b.lock("x").acquire();
    const { revision } = await world.store.read({ prefix: "" });
    expect(await codeOf(held.release())).toBe("misuse");
    expect((await world.store.read({ prefix: "" })).revision).toBe(revision);
    expect(next.isHeld).toBe(true);
  });

  test("released while a release is under way is misuse too", async () => {
    const held = await new World().client().lock("x").acquire();
    const first = held.release();
    expect(await codeOf(held.release())).toBe("misuse");
    await first;
  });

  test("disposed of is released, and quiet afterwards", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    let held: Held;
    {
      await using inner = await lock.acquire();
      held = inner;
    }
    expect(held.isHeld).toBe(false);
    expect(await world.keys("lock/")).toEqual([]);
    await held[Symbol.asyncDispose]();
    expect(await codeOf(held.release())).toBe("misuse");
  });

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

  test("by loss costs no waiter of the same client its wait", async () => {
    const world = new World();
    const client = world.client();
    const held = await client.lock("x").acquire();
    const tasks = [1, 2, 3].map(() => track(client.lock("x").run((inner) => inner.token)));
    await settled();
    world.clock.jump(ttlMs * 2);
    expect(held.isHeld).toBe(false);
    await world.clock.advance(0);
    expect(tasks.map((task) => task.state)).toEqual(["resolved", "resolved", "resolved"]);
    for (const task of tasks) expect(task.value).toBeGreaterThan(held.token);
    expect(await world.keys("lock/")).toEqual([]);
  });

  test("a waiter whose session is lost joins again, behind those who came since", async () => {
    const world = new World();
    const holder = await world.client().lock("x").acquire();
    const sleepy = world.client(undefined, frozenClock(world.clock));
    const waiting = track(sleepy.lock("x").acquire());
    await settled();
    const behind = track(world.client().lock("x").acquire());
    await world.clock.advance(ttlMs + 1);
    expect(await world.keys("lock/")).toHaveLength(2);
    await holder.release();
    await settled();
    expect(behind.state).toBe("resolved");
    expect(waiting.state).toBe("pending");
    await behind.value!.release();
    await settled();
    expect(waiting.state).toBe("resolved");
    expect(waiting.value!.token).toBeGreaterThan(behind.value!.token);
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

  test("releases when the section throws, and rethrows it", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    const boom = new Error("boom");
    await expect(lock.run(() => Promise.reject(boom))).rejects.toBe(boom);
    const thrower = () => {
      throw boom;
    };
    await expect(lock.run(thrower)).rejects.toBe(boom);
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
  test("rejects who waits, loses what is held, and refuses what comes later", async () => {
    const world = new World();
    const [a, b] = [world.client(), world.client()];
    const held = await a.lock("x").acquire();
    const signal = held.signal;
    const waiters = [a.lock("x").acquire(), b.lock("x").acquire(), b.lock("x").acquire()].map(codeOf);
    await settled();
    await b.close();
    await a.close();
    expect(await Promise.all(waiters)).toEqual(["closed", "closed", "closed"]);
    expect(signal.aborted).toBe(true);
    expect(held.isHeld).toBe(false);
    expect(await world.keys("")).toEqual([]);
    expect(await codeOf(a.lock("x").acquire())).toBe("closed");
    expect(await codeOf(a.lock("x").tryAcquire())).toBe("closed");
    expect(await codeOf(a.lock("x").run(() => 1))).toBe("closed");
    expect(await codeOf(a.kv.get("x"))).toBe("closed");
    expect(await codeOf(a.census())).toBe("closed");
    await a.close();
  });

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

describe("on lmdb, a lock", () => {
  let directory: string;
  let judge: Judge;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "lockstep-lock-"));
    judge = new Judge();
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const open = async () => judge.follow(await connect(`lmdb:${directory}`, { ttlMs: 2000 }));

  test("is one client's at a time, in order, with rising tokens", async () => {
    await using a = await open();
    await using b = await open();
    const tokens: bigint[] = [];
    let inside = 0;
    const section = async (held: Held) => {
      expect(++inside).toBe(1);
      tokens.push(held.token);
      await settled();
      inside--;
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? a : b).lock("x").run(section)));
    expect([...tokens].sort((x, y) => Number(x - y))).toEqual(tokens);
    expect(new Set(tokens).size).toBe(100);
    expect((await a.store.read({ prefix: "lock/" })).entries).toEqual([]);
  });

  test("is tried for, timed out of, and released by a close", async () => {
    await using b = await open();
    {
      await using a = await open();
      await a.lock("x").acquire();
      expect(await b.lock("x").tryAcquire()).toBeNull();
      expect(await codeOf(b.lock("x").acquire({ timeoutMs: 30 }))).toBe("timeout");
      await settled();
      expect((await b.store.read({ prefix: "lock/" })).entries).toHaveLength(1);
    }
    expect(await b.lock("x").tryAcquire()).not.toBeNull();
  });

  test("can be closed at any moment", async () => {
    for (let step = 0; step < 12; step++) {
      const client = await open();
      const acquired = codeOf(client.lock("x").acquire());
      for (let i = 0; i < step; i++) await (step % 2 ? Promise.resolve() : settled());
      await client.close();
      expect(["closed", "no error"]).toContain(await acquired);
    }
    await using after = await open();
    expect(await after.lock("x").tryAcquire()).not.toBeNull();
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
