// Giving up at every step: whatever an acquire was doing when its signal aborted or its time was up, it
// leaves no key behind, keeps nobody waiting, and says why.
import type { Held, Lockstep } from "lockstep";
import { SeededRandom } from "lockstep/base";
import { setMaxListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { codeOf, distant, settled, ticks, track, World } from "./world.js";

const reason = new Error("enough");
/** More steps than any acquire takes. */
const mostSteps = 150;

/**
 * Every request and every reply takes a few turns of the microtask queue, each of which may bring the abort.
 */
function nearby(world: World): Lockstep {
  return world.client((store) => distant(store, () => ticks(3)));
}

/** Gives up after so many steps, for every number of steps, until it is too late to give up. */
async function atEveryStep(scenario: (signal: AbortSignal) => Promise<Scene>): Promise<number> {
  let granted = 0;
  for (let step = 0; step < mostSteps; step++) {
    const abort = new AbortController();
    const { world, clients, wanted, before, prefix = "lock/" } = await scenario(abort.signal);
    await ticks(step);
    const came = wanted.state === "resolved";
    abort.abort(reason);
    await ticks(2);
    const atOnce = wanted.state;
    await settled();
    if (wanted.state === "resolved") granted++;
    else expect({ step, ...wanted }).toEqual({ step, state: "rejected", error: reason });
    // A task's wait for a lock ends at once, whatever is still under way.
    if (prefix === "lock/") expect({ step, atOnce }).toEqual({ step, atOnce: wanted.state });
    await wanted.value?.release();
    await before();
    await settled();
    expect({ step, keys: await world.keys(prefix) }).toEqual({ step, keys: [] });
    for (const client of [...clients, world.client()]) {
      const next = await client.lock("x").tryAcquire();
      expect({ step, isHeld: next?.isHeld }).toEqual({ step, isHeld: true });
      await next!.release();
    }
    if (!came) continue;
    // It is at most a few turns between the grant and our hearing of it.
    expect(granted).toBeLessThan(12);
    return step;
  }
  throw new Error(`still not acquired after ${mostSteps} steps`);
}

interface Scene {
  world: World;
  clients: Lockstep[];
  wanted: ReturnType<typeof track<Held | undefined>>;
  /** Ends what was held before. */
  before: () => Promise<void>;
  prefix?: string;
}

const nothing = async () => undefined;

describe("an acquire that is given up at any step leaves nothing behind", () => {
  test("when the lock is free, and the session not yet open", async () => {
    const steps = await atEveryStep(async (signal) => {
      const world = new World();
      const client = nearby(world);
      return {
        world,
        clients: [client],
        wanted: track(client.lock("x").acquire({ signal })),
        before: nothing,
      };
    });
    expect(steps).toBeGreaterThan(12);
  });

  test("when the lock is free", async () => {
    const steps = await atEveryStep(async (signal) => {
      const world = new World();
      const client = nearby(world);
      await client.lock("x").run(() => undefined);
      return {
        world,
        clients: [client],
        wanted: track(client.lock("x").acquire({ signal })),
        before: nothing,
      };
    });
    expect(steps).toBeGreaterThan(6);
  });

  test("when another client has it, and releases it sooner or later", async () => {
    for (const releaseAfter of [0, 3, 6, 9, 12, 15, 18, 24, 30]) {
      await atEveryStep(async (signal) => {
        const world = new World();
        const [holder, client] = [nearby(world), nearby(world)];
        const held = await holder.lock("x").acquire();
        const released = ticks(releaseAfter).then(() => held.release());
        const wanted = track(client.lock("x").acquire({ signal }));
        return { world, clients: [holder, client], wanted, before: () => released };
      });
    }
  });

  test("when another task of the client has it, and hands it over", async () => {
    for (const releaseAfter of [0, 2, 5, 8]) {
      await atEveryStep(async (signal) => {
        const world = new World();
        const client = nearby(world);
        const held = await client.lock("x").acquire();
        const released = ticks(releaseAfter).then(() => held.release());
        const wanted = track(client.lock("x").acquire({ signal }));
        return { world, clients: [client], wanted, before: () => released };
      });
    }
  });

  test("when another task of the client hands it over, behind another client", async () => {
    await atEveryStep(async (signal) => {
      const world = new World();
      const [client, rival] = [nearby(world), nearby(world)];
      const held = await client.lock("x").acquire();
      const rivals = rival.lock("x").run(() => ticks(5));
      await settled();
      const wanted = track(client.lock("x").acquire({ signal }));
      const released = held.release();
      return { world, clients: [client, rival], wanted, before: () => released.then(() => rivals) };
    });
  });

  test("when another task of the client is trying for it", async () => {
    for (const isFree of [true, false]) {
      await atEveryStep(async (signal) => {
        const world = new World();
        const [client, rival] = [nearby(world), nearby(world)];
        const held = isFree ? undefined : await rival.lock("x").acquire();
        const tried = client.lock("x").tryAcquire();
        const wanted = track(client.lock("x").acquire({ signal }));
        const released = tried.then(async (first) => {
          await ticks(4);
          await first?.release();
          await held?.release();
        });
        return { world, clients: [client, rival], wanted, before: () => released };
      });
    }
  });

  test("when it is the second of two, who gets what the first gave up", async () => {
    for (let step = 0; step < 40; step++) {
      const world = new World();
      const [client, rival] = [nearby(world), nearby(world)];
      const held = await rival.lock("x").acquire();
      const abort = new AbortController();
      const first = track(client.lock("x").acquire({ signal: abort.signal }));
      await ticks(step);
      abort.abort(reason);
      // It comes in the same turn: the place that is being given up must not be given up under it.
      const second = track(client.lock("x").acquire());
      await ticks(step % 7);
      await held.release();
      await settled();
      expect([step, first.state, second.state]).toEqual([step, "rejected", "resolved"]);
      await second.value!.release();
      expect(await world.keys("lock/")).toEqual([]);
    }
  });

  test("when it is a candidacy", async () => {
    for (const isContended of [false, true]) {
      const steps = await atEveryStep(async (signal) => {
        const world = new World();
        const [client, rival] = [nearby(world), nearby(world)];
        const rivals = rival.election("e").campaign();
        if (isContended) await rivals.next();
        const released = isContended ? ticks(20).then(() => rivals.return(undefined as never)) : undefined;
        const terms = client.election("e").campaign({ signal });
        const wanted = track(terms.next().then(({ value }) => value as Held));
        const before = async () => {
          await released;
        };
        return { world, clients: [client, rival], wanted, before, prefix: "election/" };
      });
      expect(steps).toBeGreaterThan(12);
    }
  });
});

describe("an acquire whose time is up", () => {
  /** Every request and every reply takes a millisecond. */
  const slow = (world: World) =>
    world.client((store) => distant(store, () => new Promise((resolve) => world.clock.after(1, resolve))));

  for (const holder of ["nobody", "another client", "another task"]) {
    test(`at any moment leaves nothing behind, when ${holder} has the lock`, async () => {
      const outcomes = new Set<string>();
      for (let timeoutMs = 0; timeoutMs < 30; timeoutMs++) {
        const world = new World();
        const client = slow(world);
        const other = holder === "another task" ? client : slow(world);
        const before = holder === "nobody" ? undefined : track(other.lock("x").acquire());
        await world.clock.advance(10);
        const wanted = track(client.lock("x").acquire({ timeoutMs }));
        await world.clock.advance(8);
        const released = before?.value?.release();
        await world.clock.advance(30);
        await released;
        const outcome =
          wanted.state === "rejected" ? await codeOf(Promise.reject(wanted.error)) : wanted.state;
        outcomes.add(outcome);
        const release = wanted.value?.release();
        await world.clock.advance(10);
        await release;
        expect({ timeoutMs, keys: await world.keys("lock/") }).toEqual({ timeoutMs, keys: [] });
        const next = track(client.lock("x").tryAcquire());
        await world.clock.advance(10);
        expect(next.value?.isHeld).toBe(true);
      }
      expect([...outcomes].sort()).toEqual(["resolved", "timeout"]);
    });
  }

  test("says so, with what was wanted and how long it waited", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    await lock.acquire();
    const late = track(lock.acquire({ timeoutMs: 250 }));
    await world.clock.advance(249);
    expect(late.state).toBe("pending");
    await world.clock.advance(1);
    expect(late.error).toMatchObject({ code: "timeout", applied: "no" });
    expect(String(late.error)).toMatch(/250 ms.*"x"/);
  });
});

describe("an abort", () => {
  test("before the call rejects with its reason and asks the store for nothing", async () => {
    const world = new World();
    const lock = world.client().lock("x");
    const signal = AbortSignal.abort(reason);
    await expect(lock.acquire({ signal })).rejects.toBe(reason);
    await expect(lock.run(() => 1, { signal })).rejects.toBe(reason);
    expect((await world.store.read({ prefix: "", sessions: true })).sessions).toEqual([]);
  });

  test("after the grant does not touch what is held", async () => {
    const abort = new AbortController();
    const held = await new World().client().lock("x").acquire({ signal: abort.signal });
    abort.abort(reason);
    await settled();
    expect(held.isHeld).toBe(true);
    expect(held.signal.aborted).toBe(false);
  });

  test("that may come no more is not listened for: its signal remembers nothing of us", async () => {
    const lock = new World().client().lock("x");
    const { signal } = new AbortController();
    // Node warns of more than ten, which here are wanted.
    setMaxListeners(0, signal);
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await Promise.all(Array.from({ length: 100 }, () => lock.run(() => undefined, { signal })));
    expect(listeners).toBe(0);
  });
});

test("random sections and cancellations of many clients: nobody is forgotten, nobody overlaps", async () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = new SeededRandom(seed);
    const world = new World();
    const clients = Array.from({ length: 1 + random.below(4) }, () =>
      world.client((store) => distant(store, () => ticks(random.below(4)))),
    );
    let inside: Held | undefined;
    let lastToken = 0n;
    const section = async (held: Held) => {
      expect({ seed, inside: inside?.isHeld }).toEqual({ seed, inside: undefined });
      expect(held.token).toBeGreaterThan(lastToken);
      lastToken = held.token;
      inside = held;
      await ticks(random.below(10));
      held.assertHeld();
      inside = undefined;
    };
    const task = async () => {
      await ticks(random.below(60));
      const lock = clients[random.below(clients.length)]!.lock("x");
      const kind = random.below(4);
      if (kind === 0) {
        const held = await lock.tryAcquire();
        if (!held) return;
        await section(held);
        await held.release();
      } else {
        const abort = new AbortController();
        if (kind === 1) void ticks(random.below(80)).then(() => abort.abort(reason));
        try {
          await lock.run(section, { signal: abort.signal });
        } catch (error) {
          if (error !== reason) throw error;
        }
      }
    };
    const all = track(Promise.all(Array.from({ length: 25 }, task)));
    for (let i = 0; i < 50 && all.state === "pending"; i++) await settled();
    expect({ seed, ...all, value: 0 }).toEqual({ seed, state: "resolved", value: 0 });
    expect({ seed, keys: await world.keys("lock/") }).toEqual({ seed, keys: [] });
    // The clients agree that all is over: none of them keeps a queue that waits for a dead task.
    for (const client of clients) {
      const held = await client.lock("x").tryAcquire();
      await held!.release();
    }
  }
});
