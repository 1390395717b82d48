import { noHazards, simulate, type Hazards, type World } from "lockstep/simulation";
import { describe, expect, test } from "vitest";

/** A world where nothing goes wrong. */
function calm<T>(scenario: (world: World) => Promise<T>) {
  return simulate({ seed: 1, hazards: noHazards }, scenario);
}

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

  test("that waits for something outside the world says so, whatever goes on inside", async () => {
    const outside = (hazards: Partial<Hazards>, patienceMs?: number) =>
      simulate({ seed: 1, hazards, patienceMs }, async (world) => {
        world.spawn("a", async (process) => {
          for (;;) await process.sleep(1000);
        });
        await world.sleep(10_000);
        world.clock.after(1e9, () => undefined).cancel();
        await new Promise(() => undefined);
      });
    await expect(outside({})).rejects.toThrow(/waited for more than 3600000 ms .* world\.sleep/);
    await expect(outside(noHazards, 1000)).rejects.toMatchObject({ code: "misuse" });
  });

  test("waits for its processes as long as it is told to, and for its timers for ever", async () => {
    const waiting = (ms: number, sleepMs: number, patienceMs?: number) =>
      simulate({ seed: 1, hazards: noHazards, patienceMs }, async (world) => {
        world.spawn("idle", async (process) => {
          while (world.clock.now() < sleepMs) await process.sleep(1000);
        });
        await world.sleep(sleepMs);
        await new Promise<void>((resolve) => {
          world.spawn("a", async (process) => {
            for (let i = 0; i < ms; i += 100) await process.sleep(100);
            resolve();
          });
        });
        return "done";
      });
    expect((await waiting(3_500_000, 10 * 3_600_000)).result).toBe("done");
    await expect(waiting(5_000_000, 0)).rejects.toThrow(/patienceMs/);
    expect((await waiting(5_000_000, 0, 6_000_000)).result).toBe("done");
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
      { seed: 1, patienceMs: 0 },
      { seed: 1, patienceMs: "an hour" },
    ] as never[];
    for (const options of nonsense) {
      await expect(simulate(options, () => undefined)).rejects.toMatchObject({ code: "bad-input" });
    }
    const mistakes: ((world: World) => unknown)[] = [
      (world) => world.spawn("a", () => undefined),
      (world) => world.spawn("b", "main" as never),
      (world) => world.process("b"),
      (world) => world.kill("b"),
      (world) => world.start("b"),
      (world) => world.freeze("b"),
      (world) => world.thaw("b"),
      (world) => world.jumpClock("b", 1),
      (world) => world.sleep(NaN),
    ];
    for (const mistake of mistakes) {
      const making = calm(async (world) => {
        world.spawn("a", () => undefined);
        await mistake(world);
      });
      await expect(making).rejects.toMatchObject({ code: "bad-input" });
    }
  });
});
