import { explore, RaceFound, type ExploreOptions, type Program } from "lockstep/explore";
import { Mutex } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { deeds, raceIn } from "./found.js";

/** Fails when the second of two tasks has begun, and then ended, before the first one ends. */
const overtaking: Program = async ({ task, step }) => {
  const ended: string[] = [];
  const run = async (name: string, steps: number) => {
    for (let at = 0; at < steps; at++) await step(`${at}`);
    ended.push(name);
  };
  await Promise.all([task("first", () => run("first", 4)), task("second", () => run("second", 2))]);
  if (ended[0] !== "first") throw new Error("overtaken");
};

describe("a race that is found", () => {
  test("is played again from its replay string, and fails in the same way", async () => {
    for (const mode of ["exhaustive", "random", "pct"] as const) {
      const found = await raceIn(overtaking, { mode, seed: 5 });
      const again = await raceIn(overtaking, { replay: found.replay });
      expect(again.schedule).toEqual(found.schedule);
      expect(again.replay).toBe(found.replay);
      expect(again.cause).toEqual(new Error("overtaken"));
    }
  });

  test("is made as simple as it can be, and its string short", async () => {
    const long: Program = async ({ task, step }) => {
      let at = 0;
      const body = async () => {
        const seen = at;
        for (let i = 0; i < 5; i++) await step();
        at = seen + 1;
      };
      await Promise.all(["a", "b", "c", "d"].map((name) => task(name, body)));
      if (at !== 4) throw new Error(`${at}`);
    };
    const found = await raceIn(long, { mode: "random" });
    const order = deeds(found).map((deed) => deed[0]!);
    const switches = order.filter((name, index) => name !== order[index - 1]).length;
    // One task is interrupted once: all others go on undisturbed.
    expect(switches).toBe(6);
    expect(found.replay.length).toBeLessThan(32);
  });

  test("is told in a message that holds the error, the table and the string", async () => {
    const { message, replay } = await raceIn(overtaking);
    const [, ...table] = message.split("\n\n")[1]!.split("\n");
    expect(message).toMatch(/^error: overtaken\n/);
    expect(table[0]).toBe("  1  begins");
    expect(message).toMatch(new RegExp(`replay: "${replay}" }\\)$`));
  });

  test("keeps apart two tasks of one name", async () => {
    const found = await raceIn(({ task }) => {
      void task("same", () => 0);
      void task("same", () => Promise.reject(new Error("no")));
    });
    expect(new Set(found.schedule.map(({ task }) => task))).toEqual(new Set(["same (1)", "same (2)"]));
  });

  test("puts down to each task what it does, also to one that has awaited another", async () => {
    const found = await raceIn(async ({ task, step }) => {
      await task("outer", async () => {
        await task("inner", () => step("inside"));
        await step("between");
      });
      await step("after");
      throw new Error("told");
    });
    expect(deeds(found)).toEqual([
      "outer: begins",
      "inner: begins",
      "inner: inside; ends",
      "outer: between; ends",
      "program: after; ✗ told",
    ]);
  });

  test("has its error as its cause", async () => {
    const error = new Error("no");
    const found = await raceIn(() => Promise.reject(error));
    expect(found.cause).toBe(error);
    expect(found).toMatchObject({ kind: "error", schedules: 1 });
  });
});

test("a program that fails undisturbed is found to fail, whatever the mode", async () => {
  const program: Program = async ({ task, step }) => {
    let isDone = false;
    const work = async () => {
      for (let at = 0; at < 8; at++) await step();
      isDone = true;
    };
    const visit = async () => {
      await step();
      return isDone;
    };
    const [, wasQuiet] = await Promise.all([task("worker", work), task("visitor", visit)]);
    if (wasQuiet) throw new Error("not disturbed");
  };
  for (const mode of ["exhaustive", "pct", "random"] as const) {
    const found = await raceIn(program, { mode, runs: 1, seed: 2 });
    expect(found).toMatchObject({ cause: new Error("not disturbed"), schedules: 1 });
  }
});

describe("a replay", () => {
  test("of a schedule that holds by now says so", async () => {
    let isMended = false;
    const program: Program = async (stage) => {
      const run = overtaking(stage) as Promise<void>;
      await (isMended ? run.catch(() => undefined) : run);
    };
    const { replay } = await raceIn(program);
    isMended = true;
    expect(await explore(program, { replay })).toMatchObject({ schedules: 1, isComplete: false });
  });

  test("that does not fit the program is refused", async () => {
    const { replay } = await raceIn(overtaking);
    const other: Program = ({ task, step }) => {
      for (const name of ["a", "b", "c"]) void task(name, () => step());
    };
    await expect(explore(other, { replay })).rejects.toMatchObject({ code: "bad-input" });
  });

  test.each(["", "1", "1-2", "a b-c-d", "1-2-3-4", 7, "1-A-3"])(
    "that is nonsense is refused: %j",
    async (replay) => {
      await expect(explore(overtaking, { replay: replay as string })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringContaining("replay must be") as string,
      });
    },
  );
});

describe("errors", () => {
  test("that the program handles are none", async () => {
    const held = await explore(async ({ task }) => {
      const outcomes = await Promise.allSettled([
        task(() => Promise.reject(new Error("full"))),
        task(() => 0),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    });
    expect(held.isComplete).toBe(true);
  });

  test("that nobody handles are, of a task that nobody awaits", async () => {
    const found = await raceIn(({ task }) => void task("alone", () => Promise.reject(new Error("lost"))));
    expect(found).toMatchObject({ kind: "error", cause: new Error("lost") });
    expect(deeds(found)).toContain("alone: begins; ✗ lost");
  });

  test("that a callback throws are, too", async () => {
    const found = await raceIn(async () => {
      setTimeout(() => expect.fail("late"), 5);
      await new Promise((resolve) => setTimeout(resolve, 10));
    });
    expect(found.cause).toMatchObject({ message: "late" });
  });

  test("that are no errors are shown, and kept", async () => {
    const found = await raceIn(() => {
      const thrown: unknown = "just text";
      throw thrown;
    });
    expect(found.cause).toBe("just text");
    expect(found.message).toContain("just text");
  });
});

describe("an invariant", () => {
  const counting =
    (options: { inside: boolean }, state = { sum: 0 }): Program =>
    ({ task, step, invariant }) => {
      state.sum = 0;
      if (options.inside) invariant(() => state.sum < 2);
      for (const name of ["a", "b"]) {
        void task(name, async () => {
          state.sum++;
          await step();
          state.sum--;
        });
      }
    };

  test("is looked at after each step, not only at the end", async () => {
    const found = await raceIn(counting({ inside: true }));
    expect(found.kind).toBe("broken invariant");
    expect(deeds(found)).toEqual(["a: begins", "b: begins; ✗ the invariant does not hold"]);
  });

  test("may be given as an option, and throw", async () => {
    const state = { sum: 0 };
    const invariant = () => {
      expect(state.sum).toBeLessThan(2);
    };
    const found = await raceIn(counting({ inside: false }, state), { invariant });
    expect(found).toMatchObject({ kind: "broken invariant", cause: { name: "AssertionError" } });
  });

  test("must not be async, nor give what would have to be called", async () => {
    for (const invariant of [async () => true, () => () => true]) {
      const found = await raceIn(counting({ inside: false }), { invariant });
      expect(found.cause).toMatchObject({ code: "bad-input" });
    }
  });
});

describe("a program that never ends", () => {
  test("though all go on, is a livelock", async () => {
    const polite: Program = ({ task, step }) => {
      const wants = [true, true];
      for (const me of [0, 1]) {
        void task(`${me}`, async () => {
          while (wants[1 - me]) {
            wants[me] = false;
            await step();
            wants[me] = true;
            await step();
          }
        });
      }
    };
    expect((await raceIn(polite, { mode: "exhaustive" })).kind).toBe("livelock");
  });

  test("while somebody waits, is starvation", async () => {
    const greedy: Program = ({ task, step }) => {
      const mutex = new Mutex({ name: "desk" });
      void task("greedy", async () => {
        using _held = await mutex.acquire();
        for (;;) await step();
      });
      void task("modest", () => mutex.run(() => 0));
    };
    const found = await raceIn(greedy, { mode: "exhaustive" });
    expect(found.kind).toBe("starvation");
    expect(found.message).toContain('modest waits for the mutex "desk", which greedy holds, since step');
  });

  test("only because of an unfair schedule is not found", async () => {
    const spinning: Program = ({ task, step }) => {
      let isReady = false;
      void task("spins", async () => {
        while (!isReady) await step();
      });
      void task("lets go", () => (isReady = true));
    };
    const held = await explore(spinning, { mode: "exhaustive", runs: 300 });
    expect(held.isComplete).toBe(false);
  });
});

describe("what cannot be explored is refused", () => {
  test("a program that does not do the same again", async () => {
    let runs = 0;
    const growing: Program = async ({ task, step }) => {
      runs++;
      for (let at = 0; at < runs; at++) void task(() => step());
    };
    await expect(explore(growing)).rejects.toMatchObject({ code: "misuse" });
  });

  test("an exploration inside another", async () => {
    const found = await raceIn(async () => {
      await explore(overtaking);
    });
    expect(found.cause).toMatchObject({ code: "misuse" });
  });

  test("but not one beside another", async () => {
    const both = [1, 2].map((seed) => raceIn(overtaking, { mode: "random", seed }));
    for (const found of await Promise.all(both)) expect(found.cause).toEqual(new Error("overtaken"));
  });

  test("a stage that is used when its schedule is over", async () => {
    let late: (() => unknown) | undefined;
    await explore(({ step }) => void (late = step));
    expect(late).toThrow(expect.objectContaining({ code: "misuse" }));
  });

  const nonsense: [string, unknown][] = [
    ["mode", "all"],
    ["runs", 0],
    ["runs", 1.5],
    ["preemptions", -1],
    ["depth", 0],
    ["depth", 1e9],
    ["seed", "x"],
    ["timers", "never"],
    ["invariant", true],
    ["maxRuns", 5],
  ];
  test.each(nonsense)("%s: %j", async (name, value) => {
    const options = { [name]: value } as ExploreOptions;
    await expect(explore(overtaking, options)).rejects.toMatchObject({ code: "bad-input" });
  });

  test("something that is no program, no task, no effect, no footprint", async () => {
    await expect(explore("program" as never)).rejects.toMatchObject({ code: "bad-input" });
    const wrong: Program[] = [
      ({ task }) => task("name" as never),
      ({ task }) => task(1 as never, () => 0),
      ({ io }) => io("read", { write: [] } as never, () => 0),
      ({ step }) => step("name", { writes: "x" as never }),
      ({ invariant }) => {
        invariant(true as never);
      },
    ];
    for (const program of wrong) {
      expect((await raceIn(program)).cause).toMatchObject({ code: "bad-input" });
    }
  });
});

test("chance is the same in each schedule of all, and another in each by lot", async () => {
  const drawn = new Set<number>();
  const draws: Program = ({ random }) => void drawn.add(random.next());
  await explore(draws, { mode: "exhaustive" });
  expect(drawn.size).toBe(1);
  await explore(draws, { mode: "random", runs: 50 });
  expect(drawn.size).toBe(50);
});

test("a race that only chance brings about is played again with its chance", async () => {
  const unlucky: Program = ({ random }) => {
    if (random.below(10) === 7) throw new Error("unlucky");
  };
  const { replay } = await raceIn(unlucky, { mode: "random" });
  const again: unknown = await explore(unlucky, { replay }).catch((error: unknown) => error);
  expect(again).toBeInstanceOf(RaceFound);
});
