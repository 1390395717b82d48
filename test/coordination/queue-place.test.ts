// What a hand-over costs, and what a waiter takes for proof that it is its turn.
import type { Lockstep } from "lockstep";
import type { Guarantees, Query, Store } from "lockstep/store";
import { describe, expect, test } from "vitest";
import { distant, settled, ticks, track, World } from "./world.js";

/** A client whose reads are written down, on an engine that promises this, and may show who is first. */
function watched(world: World, promised: Partial<Guarantees> = {}, shows = false) {
  const reads: Query[] = [];
  const client = world.client((store) => ({
    ...distant(store, () => Promise.resolve()),
    guarantees: { ...store.guarantees, ...promised },
    read: (query) => {
      reads.push(query);
      return store.read(query);
    },
    watch: (prefix, options) => {
      const watch = store.watch(prefix, options);
      return shows ? watch : unshown(watch);
    },
  }));
  return { client, reads };
}

/** The client waits for a holder, and for one in between who has just given up. */
async function behindOneWhoGaveUp(world: World, client: Lockstep) {
  const held = await world.client().lock("x").acquire();
  const abort = new AbortController();
  const middle = track(world.client().lock("x").acquire({ signal: abort.signal }));
  await settled();
  const last = track(client.lock("x").acquire());
  await settled();
  abort.abort();
  await settled();
  expect([middle.state, last.state]).toEqual(["rejected", "pending"]);
  return { held, last };
}

async function* unshown(watch: ReturnType<Store["watch"]>) {
  for await (const told of watch) yield told.kind === "batch" ? { ...told, shown: undefined } : told;
}

describe("whoever is next in line", () => {
  test("is granted what the one before it gives up with no further look", async () => {
    const world = new World();
    const { client, reads } = watched(world);
    const held = await world.client().lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await settled();
    await held.release();
    await settled();
    expect(waiting.value?.isHeld).toBe(true);
    expect(reads).toEqual([]);
  });

  test("is granted it at the end of the other's session, too", async () => {
    const world = new World();
    const { client, reads } = watched(world);
    const other = world.client();
    await other.election("e").campaign().next();
    const waiting = track(client.election("e").campaign().next());
    await settled();
    await other.close();
    await settled();
    expect(waiting.value?.value.isHeld).toBe(true);
    expect(reads).toEqual([]);
  });

  test("is not granted it when its own session was over before it heard", async () => {
    const world = new World();
    const { client } = watched(world);
    const held = await world.client().lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await settled();
    // The event is on its way when the freeze begins.
    const released = held.release();
    expect(await world.keys("lock/")).toHaveLength(1);
    world.clock.jump(1e6);
    const rival = await world.client().lock("x").acquire();
    await released;
    await settled();
    expect(waiting.state).toBe("pending");
    await rival.release();
    await settled();
    expect(waiting.value!.token).toBeGreaterThan(rival.token);
  });

  const unsure: Partial<Guarantees>[] = [{ failoverLosesCommits: true }, { expiryMovesWithWallClock: true }];
  for (const promised of unsure) {
    const when = Object.keys(promised).join();

    test(`looks once where a valid session may have lost its keys: ${when}`, async () => {
      const world = new World();
      const { client, reads } = watched(world, promised);
      const held = await world.client().lock("x").acquire();
      const waiting = track(client.lock("x").acquire());
      await settled();
      await held.release();
      await settled();
      expect(waiting.value?.isHeld).toBe(true);
      const gone = (await world.store.read({ prefix: "" })).revision;
      expect(reads).toEqual([{ prefix: "lock/x/", order: "created", limit: 1, atLeast: gone }]);
    });

    test(`and is not granted what another was since, if so: ${when}`, async () => {
      const world = new World();
      const { client } = watched(world, promised);
      const held = await world.client().lock("x").acquire();
      const waiting = track(client.lock("x").acquire());
      await settled();
      const [, ours] = await world.keys("lock/");
      await world.store.commit({ then: [{ kind: "delete", key: ours! }] });
      const rival = track(world.client().lock("x").acquire());
      await settled();
      await held.release();
      await settled();
      expect([rival.state, waiting.state]).toEqual(["resolved", "pending"]);
      await rival.value!.release();
      await settled();
      expect(waiting.value!.token).toBeGreaterThan(rival.value!.token);
    });
  }
});

describe("whoever is shown who is first", () => {
  const unsure = { failoverLosesCommits: true, expiryMovesWithWallClock: true };

  test("does not look, however many were ahead, and wherever it is", async () => {
    const world = new World();
    const { client, reads } = watched(world, unsure, true);
    const [first, second] = [world.client(), world.client()];
    const held = await first.lock("x").acquire();
    const next = track(second.lock("x").acquire());
    await settled();
    const waiting = track(client.lock("x").acquire());
    await settled();
    await held.release();
    await settled();
    expect(waiting.state).toBe("pending");
    await next.value!.release();
    await settled();
    expect(waiting.value?.isHeld).toBe(true);
    expect(reads).toEqual([]);
  });

  test("is granted what is handed over by one whose client wants it again", async () => {
    const world = new World();
    const { client, reads } = watched(world, unsure, true);
    const greedy = world.client();
    const held = await greedy.lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await settled();
    const again = track(greedy.lock("x").acquire());
    await settled();
    await held.release();
    await settled();
    expect([waiting.state, again.state]).toEqual(["resolved", "pending"]);
    expect(reads).toEqual([]);
  });

  test("looks if it is another, and waits for that", async () => {
    const world = new World();
    const { client, reads } = watched(world, unsure, true);
    const { held, last } = await behindOneWhoGaveUp(world, client);
    expect(reads).toHaveLength(1);
    await held.release();
    await settled();
    expect(last.value?.isHeld).toBe(true);
    expect(reads).toHaveLength(1);
  });
});

describe("whoever waits where a look takes time, and news show nothing", () => {
  const remote: Partial<Guarantees> = { reach: "network", push: "data" };

  test("looks while the one ahead has it, and not when it goes", async () => {
    const world = new World();
    const { client, reads } = watched(world, remote);
    const before = [];
    for (let i = 0; i < 4; i++) {
      before.push(track(world.client().lock("x").acquire()));
      await settled();
    }
    const last = track(client.lock("x").acquire());
    await settled();
    for (const [i, looks] of [0, 0, 1, 1].entries()) {
      await before[i]!.value!.release();
      await settled();
      expect([i, reads.length, last.state]).toEqual([i, looks, i < 3 ? "pending" : "resolved"]);
    }
  });

  test("finds out whoever goes, in whichever order", async () => {
    const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]; // prettier-ignore
    for (const order of orders) {
      const world = new World();
      const { client } = watched(world, remote);
      const aborts = [0, 1, 2].map(() => new AbortController());
      const before = [];
      for (const { signal } of aborts) {
        before.push(track(world.client().lock("x").acquire({ signal })));
        await settled();
      }
      const last = track(client.lock("x").acquire());
      await settled();
      for (const [i, which] of order.entries()) {
        expect([order, i, last.state]).toEqual([order, i, "pending"]);
        aborts[which]!.abort("enough");
        if (before[which]!.state === "resolved") await before[which]!.value!.release();
        await settled();
      }
      expect([order, last.state]).toEqual([order, "resolved"]);
    }
  });

  test("does not take the end of one ahead for that of another, though its watch broke", async () => {
    const world = new World();
    const broken: { key?: string; mend?: () => void } = {};
    const mended = new Promise<void>((resolve) => (broken.mend = resolve));
    const client = world.client((store) => ({
      ...distant(store, () => Promise.resolve()),
      guarantees: { ...store.guarantees, ...remote },
      watch: (prefix, options) => {
        if (prefix !== broken.key) return unshown(store.watch(prefix, options));
        const later = async function* () {
          await mended;
          yield { kind: "resync", snapshot: await store.read({ key: prefix }) } as const;
        };
        return later();
      },
    }));
    const held = await world.client().lock("x").acquire();
    const aborts = [0, 1].map(() => new AbortController());
    const between = [];
    for (const { signal } of aborts) {
      between.push(track(world.client().lock("x").acquire({ signal })));
      await settled();
    }
    const keys = await world.keys("lock/");
    broken.key = keys[2]!;
    const waiting = track(client.lock("x").acquire());
    await settled();
    // First who is just ahead gives up, of which nothing is heard; then the second, and so we look.
    aborts[1]!.abort("enough");
    await settled();
    aborts[0]!.abort("enough");
    await settled();
    expect(between.map(({ state }) => state)).toEqual(["rejected", "rejected"]);
    await world.client().kv.put("later", "commit");
    broken.mend?.();
    await settled();
    expect([held.isHeld, waiting.state]).toEqual([true, "pending"]);
    await held.release();
    await settled();
    expect(waiting.state).toBe("resolved");
  });

  test("is told the truth when the one ahead goes during the look", async () => {
    for (let step = 0; step < 30; step++) {
      const world = new World();
      const { client } = watched(world, remote);
      const held = await world.client().lock("x").acquire();
      const next = track(world.client().lock("x").acquire());
      await settled();
      const last = track(client.lock("x").acquire());
      await settled();
      const released = held.release();
      await ticks(step);
      const isGone = next.state === "resolved";
      if (isGone) await next.value!.release();
      await released;
      await settled();
      expect([step, last.state]).toEqual([step, isGone ? "resolved" : "pending"]);
    }
  });
});

describe("whoever is further behind", () => {
  test("looks when the one before it gives up, and waits for the one before that", async () => {
    const world = new World();
    const { client, reads } = watched(world);
    const { held, last } = await behindOneWhoGaveUp(world, client);
    const gone = (await world.store.read({ prefix: "" })).revision;
    const query = { prefix: "lock/x/", order: "created", atLeast: gone };
    expect(reads).toEqual([{ ...query, limit: 1 }, query]);
    await held.release();
    await settled();
    expect(last.value?.isHeld).toBe(true);
    expect(reads).toHaveLength(2);
  });

  test("is granted what nobody before it wants any more, in whichever order they go", async () => {
    const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]; // prettier-ignore
    for (const order of orders) {
      const world = new World();
      const { client, reads } = watched(world);
      const aborts = [0, 1, 2].map(() => new AbortController());
      const before = [];
      for (const { signal } of aborts) {
        before.push(track(world.client().election("e").campaign({ signal }).next()));
        await settled();
      }
      const last = track(client.election("e").campaign().next());
      await settled();
      for (const [i, which] of order.entries()) {
        expect([order, i, last.state]).toEqual([order, i, "pending"]);
        aborts[which]!.abort("enough");
        // A leader goes when its loop is left.
        if (before[which]!.state === "resolved") await before[which]!.value!.value.release();
        await settled();
      }
      expect([order, last.state]).toEqual([order, "resolved"]);
      expect(reads.length).toBeLessThan(5);
    }
  });
});

describe("a watch that begins with a resync", () => {
  /** The client's watch of the one ahead begins with this instead. */
  const beginning = (world: World, entries: "none" | "all", revision?: bigint) => {
    const reads: Query[] = [];
    const client = world.client((store: Store) => ({
      ...distant(store, () => Promise.resolve()),
      read: (query) => {
        reads.push(query);
        return store.read(query);
      },
      watch: (prefix, options) => {
        const begin = async function* () {
          await ticks(3);
          const snapshot = await store.read({ key: prefix });
          const shown = { ...snapshot, revision: revision ?? snapshot.revision };
          yield { kind: "resync", snapshot: entries === "all" ? shown : { ...shown, entries: [] } } as const;
          yield* store.watch(prefix, { ...options, from: snapshot.revision });
        };
        return begin();
      },
    }));
    return { client, reads };
  };

  test("of an older state than the queue was seen in says nothing of who is there", async () => {
    const world = new World();
    const { client, reads } = beginning(world, "none", 0n);
    const held = await world.client().lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await ticks(150);
    const { state } = waiting;
    // It looks again and again, and would for ever.
    await client.close();
    expect(state).toBe("pending");
    expect(reads.length).toBeGreaterThan(0);
    for (const { atLeast } of reads) expect(atLeast).toBeGreaterThan(held.token);
  });

  test("tells as well as an event that the one ahead has gone", async () => {
    const world = new World();
    const { client, reads } = beginning(world, "all");
    const held = await world.client().lock("x").acquire();
    const waiting = track(client.lock("x").acquire());
    await ticks(5);
    await held.release();
    await settled();
    expect(waiting.value?.isHeld).toBe(true);
    expect(reads).toEqual([]);
  });
});
