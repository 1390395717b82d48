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

  test("is the store's own as well, by which sessions expire", async () => {
    const { result } = await calm(
      async (world) => {
        const [, store] = await hire(world, "a");
        await store.openSession({ ttlMs: 10_000 });
        world.kill("a");
        while (world.look({ prefix: "", sessions: true }).sessions!.length > 0) await world.sleep(1);
        return world.clock.now();
      },
      { drift: 0.3 },
    );
    expect(Math.abs(result - 10_000)).toBeGreaterThan(100);
  });

  test("as a wall clock tells it, jumps; what is measured by goes on", async () => {
    const { tally } = await calm(
      async (world) => {
        const [{ clock }] = await hire(world, "a");
        const [wall, now] = [clock.wallNow(), clock.now()];
        world.jumpClock("a", -50_000);
        await world.sleep(1000);
        expect(clock.wallNow() - wall).toBeCloseTo(-49_000);
        expect(clock.now() - now).toBeCloseTo(1000);
        const seen = new Set<number>();
        for (let i = 0; i < 100; i++) {
          await world.sleep(1000);
          seen.add(Math.round(clock.wallNow() - clock.now()));
        }
        expect(seen.size).toBeGreaterThan(4);
        for (const jumpedMs of seen) expect(Math.abs(jumpedMs + 50_000)).toBeLessThan(60_000);
        expect(clock.now() - now).toBeCloseTo(101_000);
      },
      { clockJumpEveryMs: 10_000, clockJumpMs: 10_000 },
    );
    expect(tally["clock jump"]).toBeGreaterThan(4);
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

  test("that goes on after a freeze rings no timer that was called off before its turn", async () => {
    await calm(async (world) => {
      const [{ clock }] = await hire(world, "a");
      const rung: string[] = [];
      clock.after(10, () => {
        rung.push("first");
        second.cancel();
      });
      const second = clock.after(20, () => rung.push("second"));
      world.freeze("a");
      await world.sleep(100);
      world.thaw("a");
      await world.sleep(100);
      expect(rung).toEqual(["first"]);
    });
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

  test("that fate has in for is frozen now and then, and killed, and always goes on", async () => {
    const { result, tally } = await calm(
      async (world) => {
        let lives = 0;
        world.spawn("a", () => lives++);
        const seen = { frozen: 0, dead: 0, running: 0 };
        for (let i = 0; i < 1000; i++) {
          await world.sleep(1000);
          const process = world.process("a");
          seen[process?.isRunning ? "running" : process ? "frozen" : "dead"]++;
        }
        world.heal();
        await world.sleep(1);
        const { isRunning } = world.process("a")!;
        const healedWith = lives;
        for (let i = 0; i < 1000; i++) {
          await world.sleep(1000);
          expect(world.process("a")?.isRunning).toBe(true);
        }
        expect(lives).toBe(healedWith);
        return { ...seen, lives, isRunning };
      },
      { freezeEveryMs: 60_000, killEveryMs: 60_000 },
    );
    const { frozen, dead, running, lives, isRunning } = result;
    expect(Math.min(frozen, dead, running)).toBeGreaterThan(20);
    expect(lives).toBe(1 + tally["kill"]!);
    expect(isRunning).toBe(true);
  });

  test("that is killed still has its requests under way, and hears of none", async () => {
    await calm(async (world) => {
      const heard: string[] = [];
      world.spawn("a", async (process) => {
        const store = process.store();
        const made = store.commit(put("x")).finally(() => heard.push("x"));
        await process.sleep(0.5);
        world.kill("a");
        // What it still does at this very moment reaches nobody.
        await Promise.all([made, store.commit(put("y"))]);
      });
      await world.sleep(10_000);
      expect(world.look({ prefix: "" }).entries.map(({ key }) => key)).toEqual(["x"]);
      expect(heard).toEqual([]);
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
        world.heal();
        await store.commit(put("x"));
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

  test("makes nothing twice that was acknowledged, and asks nothing twice", async () => {
    const twice = async (loseReply: number, act: (store: Store) => Promise<unknown>) => {
      const { tally } = await calm(
        async (world) => {
          const [, store] = await hire(world, "a");
          await act(store).catch(() => undefined);
          await world.sleep(20_000);
        },
        { loseReply, duplicate: 1 },
      );
      return tally["late copy"] ?? 0;
    };
    expect(await twice(0, (store) => store.commit(put("x")))).toBe(0);
    expect(await twice(1, (store) => store.read({ key: "x" }))).toBe(0);
    expect(await twice(1, (store) => store.commit(put("x")))).toBe(1);
  });

  test("that is cut, in one direction or in both, is whole again", async () => {
    const { result, tally } = await calm(
      async (world) => {
        const [, store] = await hire(world, "a");
        const outcomes: Record<string, number> = {};
        for (let i = 0; i < 200; i++) {
          const outcome = await store.commit(put(`${i}`)).then(
            () => "made",
            (error: unknown) => (error as LockstepError).applied,
          );
          const isThere = world.look({ key: `${i}` }).entries.length > 0;
          const what = `${outcome}, ${isThere ? "there" : "not there"}`;
          outcomes[what] = (outcomes[what] ?? 0) + 1;
          await world.sleep(1000);
        }
        world.heal();
        for (let i = 0; i < 20; i++) await store.commit(put("y"));
        return outcomes;
      },
      { partitionEveryMs: 10_000, partitionMs: 10_000 },
    );
    expect(tally["partition"]).toBeGreaterThan(5);
    expect(Object.keys(result).sort()).toEqual([
      "made, there",
      "maybe, not there",
      "maybe, there",
      "no, not there",
    ]);
  });

  test("that is slow lets one message overtake another", async () => {
    const { result } = await calm(
      async (world) => {
        const [, store] = await hire(world, "a");
        const order: number[] = [];
        const asked = Array.from({ length: 20 }, (_, i) =>
          store.read({ key: "x" }).then(() => order.push(i)),
        );
        await Promise.all(asked);
        expect(world.clock.now()).toBeGreaterThan(500);
        return order;
      },
      { delay: 0.5, longDelayMs: 900 },
    );
    expect(result).toHaveLength(20);
    expect(result).not.toEqual(result.toSorted((a, b) => a - b));
  });

  test("that breaks a watch lets it fail, or begin anew: no change goes untold", async () => {
    const { result } = await calm(
      async (world) => {
        const [, writer] = await hire(world, "writer");
        const [reader, store] = await hire(world, "reader");
        let [fails, resyncs, seen] = [0, 0, 0n];
        const follow = async () => {
          for (;;) {
            try {
              for await (const told of store.watch("x")) {
                if (told.kind === "resync") {
                  resyncs++;
                  expect(told.snapshot.revision).toBeGreaterThanOrEqual(seen);
                  seen = told.snapshot.revision;
                } else expect(told.revision).toBe(++seen);
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
      { delay: 0.1, longDelayMs: 500, loseReply: 0.1, failoverEveryMs: 10_000 },
    );
    expect(result.fails).toBeGreaterThan(3);
    // Each watch begins with one.
    expect(result.resyncs).toBeGreaterThan(result.fails + 3);
  });
});
