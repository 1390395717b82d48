import type { LockstepError } from "lockstep/base";
import { noHazards, simulate, type Hazards, type SimulatedProcess, type World } from "lockstep/simulation";
import type { Store } from "lockstep/store";
import { describe, expect, test } from "vitest";

const text = (word: string) => new TextEncoder().encode(word);
const put = (key: string, word = key) => ({ then: [{ kind: "put", key, value: text(word) }] }) as const;

/** A world where nothing goes wrong but what the test does. */
function calm<T>(scenario: (world: World) => Promise<T>, hazards: Partial<Hazards> = {}) {
  return simulate({ seed: 1, hazards: { ...noHazards, ...hazards } }, scenario);
}

/** A process that does nothing by itself, and a store of it. */
async function hire(world: World, name: string): Promise<[SimulatedProcess, Store]> {
  world.spawn(name, () => undefined);
  await world.sleep(1);
  const process = world.process(name)!;
  return [process, process.store()];
}

describe("time", () => {
  test("is simulated: a year passes in no time", async () => {
    const { simulatedMs } = await calm((world) => world.sleep(365 * 24 * 3600 * 1000));
    expect(simulatedMs).toBe(365 * 24 * 3600 * 1000);
  });

  test("goes on only when all promises have gone on as far as they can", async () => {
    const { result } = await calm(async (world) => {
      const order: string[] = [];
      const chain = async (name: string) => {
        await world.sleep(1);
        for (let i = 0; i < 3; i++) await Promise.resolve();
        order.push(name);
      };
      await Promise.all([chain("a"), world.sleep(1.001).then(() => order.push("b")), chain("c")]);
      return order;
    });
    expect(result).toEqual(["a", "c", "b"]);
  });

  test("is each process's own: clocks drift apart", async () => {
    const { result } = await calm(
      async (world) => {
        const [[a], [b]] = [await hire(world, "a"), await hire(world, "b")];
        const [fromA, fromB] = [a.clock.now(), b.clock.now()];
        await world.sleep(100_000);
        return [a.clock.now() - fromA, b.clock.now() - fromB];
      },
      { drift: 0.01 },
    );
    for (const passed of result) expect(Math.abs(passed - 100_000)).toBeLessThan(1000);
    expect(Math.abs(result[0]! - result[1]!)).toBeGreaterThan(1);
  });
});

describe("a process", () => {
  test("that is frozen does nothing, and all of it when it goes on", async () => {
    const { result } = await calm(async (world) => {
      const done: [string, number][] = [];
      world.spawn("a", async (process) => {
        const store = process.store();
        const note = (what: string) => done.push([what, Math.round(world.clock.now())]);
        void process.sleep(10).then(() => note("timer"));
        void store.commit(put("x")).then(() => note("reply"));
      });
      await world.sleep(0.5);
      world.freeze("a");
      await world.sleep(1000);
      expect(done).toEqual([]);
      // What it had sent arrived all the same.
      expect(world.look({ key: "x" }).entries).toHaveLength(1);
      world.thaw("a", "message");
      await world.sleep(1);
      return done;
    });
    expect(result).toEqual([
      ["reply", 1001],
      ["timer", 1001],
    ]);
  });

  test("that is killed never goes on; started again, it begins anew", async () => {
    const { result } = await calm(async (world) => {
      const lives: string[] = [];
      world.spawn("a", async (process) => {
        const life = `life ${lives.length + 1}`;
        lives.push(life);
        await process.sleep(100);
        lives.push(`${life} slept`);
      });
      await world.sleep(50);
      world.kill("a");
      expect(world.process("a")).toBeUndefined();
      await world.sleep(100);
      world.start("a");
      await world.sleep(200);
      return lives;
    });
    expect(result).toEqual(["life 1", "life 2", "life 2 slept"]);
  });

  test("that is killed leaves its session to its time to live", async () => {
    await calm(async (world) => {
      const [, store] = await hire(world, "a");
      const session = await store.openSession({ ttlMs: 1000 });
      const bound = { kind: "put", key: "x", value: text("x"), session: session.id } as const;
      await store.commit({ then: [bound] });
      await world.sleep(5000);
      expect(world.look({ key: "x" }).entries).toHaveLength(1);
      world.kill("a");
      await world.sleep(500);
      expect(world.look({ key: "x" }).entries).toHaveLength(1);
      await world.sleep(600);
      expect(world.look({ key: "x" }).entries).toEqual([]);
    });
  });

  test("that throws ends the simulation", async () => {
    const failing = calm(async (world) => {
      world.spawn("a", async (process) => {
        await process.sleep(10);
        throw new Error("a bug");
      });
      await world.sleep(1000);
    });
    await expect(failing).rejects.toThrow("a bug");
  });
});

describe("the network", () => {
  test("that loses requests makes them unavailable, or unknown", async () => {
    const { result, tally } = await calm(
      async (world) => {
        const [, store] = await hire(world, "a");
        const codes = new Set<string>();
        for (let i = 0; i < 40; i++) {
          await store.commit(put("x")).catch((error: unknown) => {
            const { code, applied } = error as LockstepError;
            codes.add(`${code}, applied: ${applied}`);
          });
        }
        expect(world.look({ key: "x" }).entries).toEqual([]);
        return [...codes].sort();
      },
      { loseRequest: 1 },
    );
    expect(result).toEqual(["unavailable, applied: no", "unknown-outcome, applied: maybe"]);
    expect(tally).toEqual({ "lost request": 40 });
  });

  test("that loses replies makes outcomes unknown, and may make a change twice", async () => {
    const { tally } = await calm(
      async (world) => {
        const [, store] = await hire(world, "a");
        const lost = store.commit(put("x"));
        await expect(lost).rejects.toMatchObject({ code: "unknown-outcome" });
        const { created, modified } = world.look({ key: "x" }).entries[0]!;
        expect(modified).toBe(created);
        await world.sleep(20_000);
        expect(world.look({ key: "x" }).entries[0]!.modified).toBe(created + 1n);
      },
      { loseReply: 1, duplicate: 1 },
    );
    expect(tally).toEqual({ "late copy": 1, "lost reply": 1 });
  });

  test("that breaks a watch lets it fail, or begin anew: no change goes untold", async () => {
    const { result } = await calm(
      async (world) => {
        const [, writer] = await hire(world, "writer");
        const [reader, store] = await hire(world, "reader");
        let [fails, resyncs, seen] = [0, -1, 0n];
        const follow = async () => {
          for (;;) {
            try {
              for await (const told of store.watch("x")) {
                if (told.kind === "resync") resyncs++;
                const latest = told.kind === "resync" ? told.snapshot.revision : told.revision;
                expect(latest).toBeGreaterThanOrEqual(seen);
                seen = latest;
              }
            } catch (error) {
              expect(error).toMatchObject({ code: "unavailable" });
              fails++;
              await reader.sleep(100);
            }
          }
        };
        void follow();
        let last = 0n;
        for (let i = 0; i < 300; i++) {
          const done = await writer.commit(put("x")).catch(() => undefined);
          if (done?.ok) last = done.revision;
          await world.sleep(100);
        }
        world.heal();
        await writer.commit(put("x"));
        await world.sleep(60_000);
        expect(seen).toBeGreaterThan(last);
        return { fails, resyncs };
      },
      { loseReply: 0.1, failoverEveryMs: 10_000 },
    );
    expect(result.fails).toBeGreaterThan(3);
    expect(result.resyncs).toBeGreaterThan(3);
  });
});

describe("a store that fails over", () => {
  const lossy = { failoverEveryMs: 5000, failoverLosesCommits: 20 };

  test("keeps what it acknowledged, where it says so", async () => {
    const { tally } = await calm(writesOn, { failoverEveryMs: 5000 });
    expect(tally["failover"]).toBeGreaterThan(3);
    expect(tally["lost commit"]).toBeUndefined();
  });

  test("loses the last commits, where it says so", async () => {
    const { tally } = await simulate({ seed: 3, hazards: { ...noHazards, ...lossy } }, async (world) => {
      const [, store] = await hire(world, "a");
      expect(store.guarantees).toMatchObject({ fence: "regresses-on-failover", failoverLosesCommits: true });
      let fell = false;
      for (let i = 0, last = 0n; i < 300; i++) {
        const done = await store.commit(put("x")).catch(() => undefined);
        if (done?.ok) fell ||= done.revision <= last;
        if (done?.ok) last = done.revision;
        await world.sleep(100);
      }
      expect(fell).toBe(true);
    });
    expect(tally["lost commit"]).toBeGreaterThan(3);
  });

  async function writesOn(world: World): Promise<void> {
    const [, store] = await hire(world, "a");
    expect(store.guarantees).toMatchObject({ fence: "monotonic", failoverLosesCommits: false });
    let last = 0n;
    for (let i = 0; i < 300; i++) {
      const done = await store.commit(put("x")).catch(() => undefined);
      if (done?.ok) expect(done.revision).toBeGreaterThan(last);
      if (done?.ok) last = done.revision;
      expect(world.look({ key: "x" }).entries[0]?.modified ?? 0n).toBeGreaterThanOrEqual(last);
      await world.sleep(100);
    }
  }
});

describe("a simulation", () => {
  test("tells everything that happens to who listens", async () => {
    const heard: string[] = [];
    const { tally } = await simulate(
      {
        seed: 1,
        hazards: noHazards,
        onHappening: ({ at, what, who }) => heard.push(`${at}: ${what} ${who}`),
      },
      async (world) => {
        await world.sleep(5);
        world.note("tea", "the queen");
      },
    );
    expect(heard).toEqual(["5: tea the queen"]);
    expect(tally).toEqual({ tea: 1 });
  });

  test("that waits for what can never happen says so", async () => {
    const waiting = calm(() => new Promise(() => undefined));
    await expect(waiting).rejects.toMatchObject({ code: "misuse" });
  });

  test("in which time stands still says so", async () => {
    const circling = calm(async (world) => {
      const again = () => void world.clock.after(0, again);
      again();
      await world.sleep(1);
    });
    await expect(circling).rejects.toThrow(/time stands still/);
  });

  test("rejects with what the scenario throws", async () => {
    const error = new Error("enough");
    await expect(calm(() => Promise.reject(error))).rejects.toBe(error);
    const throwing = simulate({ seed: 1 }, () => {
      throw error;
    });
    await expect(throwing).rejects.toBe(error);
  });

  test("refuses what makes no sense", async () => {
    const nonsense = [
      { seed: 1.5 },
      {},
      { seed: 1, speed: 2 },
      { seed: 1, hazards: { drift: 0.5 } },
      { seed: 1, hazards: { loseReply: 2 } },
      { seed: 1, hazards: { killEveryMs: -1 } },
      { seed: 1, hazards: { wind: 1 } },
    ] as never[];
    for (const options of nonsense) {
      await expect(simulate(options, () => undefined)).rejects.toMatchObject({ code: "bad-input" });
    }
    const twice = calm(async (world) => {
      world.spawn("a", () => undefined);
      world.spawn("a", () => undefined);
    });
    await expect(twice).rejects.toMatchObject({ code: "bad-input" });
  });
});
