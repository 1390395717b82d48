// What a summary says of what was not tried.
import { explore, type Program } from "lockstep/explore";
import { describe, expect, test } from "vitest";
import { raceIn } from "./found.js";

describe("where chance was drawn, that of one seed is not all", () => {
  const tossing =
    (toss: (stage: Parameters<Program>[0]) => boolean): Program =>
    (stage) =>
      stage.io("pay", () => {
        if (toss(stage)) throw new Error("declined");
      });

  test.each<[string, Program]>([
    ["the stage", tossing(({ random }) => random.below(2) === 0)],
    ["Math.random", tossing(() => Math.random() < 0.5)],
  ])("from %s", async (_name, program) => {
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
    const outcomes = await Promise.all(
      seeds.map((seed) =>
        explore(program, { seed })
          .then(({ isComplete }) => isComplete)
          .catch(() => "found"),
      ),
    );
    expect(new Set(outcomes)).toEqual(new Set([false, "found"]));
    const kept = seeds[outcomes.indexOf(false)]!;
    const { summary } = await explore(program, { seed: kept });
    expect(summary).toBe(`the only schedule, with the chance of seed ${kept}`);
    expect((await raceIn(program, { mode: "random" })).cause).toEqual(new Error("declined"));
  });

  test.each(["ab", "ba"])("also if it was drawn in some of many schedules only: %s", async (unlucky) => {
    const found = await explore(async ({ task, step, random }) => {
      let order = "";
      const body = (name: string) => async () => {
        await step();
        order += name;
      };
      await Promise.all(["a", "b"].map((name) => task(name, body(name))));
      if (order === unlucky) random.next();
    });
    expect(found.isComplete).toBe(false);
    expect(found.summary).toMatch(/chance of seed 1$/);
  });
});

describe("timers", () => {
  const sleeping: Program = async ({ task, io }) => {
    const isLate = new Promise((resolve) => setTimeout(resolve, 1_000, true));
    await Promise.race([isLate, task("query", () => io("query", () => 0))]);
    await isLate;
  };

  test("that fired only when nobody could go on are told of", async () => {
    expect((await explore(sleeping)).summary).toMatch(/; timers last$/);
    expect((await explore(sleeping, { timers: "any" })).summary).not.toContain("timers");
  });

  test("that never fired are not", async () => {
    const { summary } = await explore(async ({ io }) => {
      const timeout = setTimeout(() => undefined, 1_000);
      await io("query", () => 0);
      clearTimeout(timeout);
    });
    expect(summary).toBe("the only schedule");
  });
});

describe("tasks that came to no point", () => {
  /** A fake without io: what loses an update in Node each time is never interrupted here. */
  const faked: Program = async ({ task }) => {
    let n = 0;
    const [read, write] = [async () => n, async (value: number) => (n = value)];
    const count = async () => write((await read()) + 1);
    await Promise.all([task("a", count), task("b", count)]);
    expect(n).toBe(2);
  };

  test("are told of", async () => {
    for (const mode of [undefined, "pct", "random"] as const) {
      const { summary } = await explore(faked, { mode, runs: 10 });
      expect(summary).toContain("no task could be interrupted: wrap what it waits for in io");
    }
  });

  test.each<[string, Program]>([
    ["an io", ({ task, io }) => void task(() => io(() => 0))],
    ["a step", ({ task, step }) => void task(() => step())],
    ["a sleep", ({ task, clock }) => task(() => new Promise<void>((end) => clock.after(5, end)))],
    ["a turn", ({ task }) => task(() => new Promise<void>((end) => setImmediate(end)))],
  ])("are not if one of them came to %s", async (_name, program) => {
    expect((await explore(program)).summary).not.toContain("interrupted");
  });
});
