// The mode "pct" promises how often it finds a race that needs so many things to happen in one order.
import { explore, type Program } from "lockstep/explore";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../src/base/random.js";

const runs = 5_000;

/** Tasks with so many steps each; says of each schedule in which order they were made, as in "AABBA". */
const stepping =
  (names: string, steps: number, onOrder: (order: string) => void): Program =>
  async ({ task, step }) => {
    let order = "";
    const body = (name: string) => async () => {
      for (let at = 0; at < steps; at++) {
        await step();
        order += name;
      }
    };
    await Promise.all(Array.from(names, (name) => task(name, body(name))));
    onOrder(order);
  };

/** The program is a task as well, and each task begins with a step. */
const leastChance = (tasks: number, steps: number, depth: number) =>
  1 / ((tasks + 1) * (tasks * (steps + 1)) ** (depth - 1));

describe("a race is found at least as often as promised", () => {
  test.each<[depth: number, names: string, steps: number, shape: string, race: RegExp]>([
    [1, "ABCD", 3, "who comes last goes first", /^D/],
    [1, "ABCD", 3, "who comes first goes last", /^[^A]*A+$/],
    [2, "AB", 2, "one gets in between two steps", /AB+A/],
    [2, "ABC", 4, "one gets in between the last two steps", /^A{3}BBBBA|^[AC]*BBBBC*AC*$/],
    [3, "AB", 3, "both are interrupted", /AB+A+B/],
    [4, "AB", 4, "both are interrupted, and one again", /AB+A+B+A/],
    [3, "ABC", 2, "three get in between each other", /AB+C+B*A/],
  ])("depth %i, tasks %s of %i steps: %s", async (depth, names, steps, _shape, race) => {
    const promised = leastChance(names.length, steps, depth);
    for (const seed of [1, 10_001, 20_001]) {
      let found = 0;
      const program = stepping(names, steps, (order) => (found += Number(race.test(order))));
      await explore(program, { mode: "pct", depth, runs, seed });
      expect(found / runs, `seed ${seed}`).toBeGreaterThanOrEqual(promised);
    }
  });

  test("and one that is deeper than was asked for is not found", async () => {
    let found = 0;
    const program = stepping("AB", 3, (order) => (found += Number(/AB+A/.test(order))));
    await explore(program, { mode: "pct", depth: 1, runs });
    expect(found).toBe(0);
  });
});

describe("what is promised", () => {
  test("is what the summary says", async () => {
    const program = stepping("AB", 3, () => undefined);
    const { summary } = await explore(program, { mode: "pct", depth: 2, runs: 51 });
    // The first schedule only tells how many steps there are.
    const missed = (1 - leastChance(2, 3, 2)) ** 50;
    expect(summary).toContain(
      `it missed a race of depth 2 with a probability of ${Math.round(missed * 100)} %`,
    );
  });

  test("is nothing by schedules that were drawn from fewer steps than there can be", async () => {
    // Chance is another in each schedule: the last one is known by it.
    const last = new SeededRandom(20).next();
    const growing: Program = async ({ step, random }) => {
      const steps = random.next() === last ? 11 : 10;
      for (let at = 0; at < steps; at++) await step();
    };
    const { summary } = await explore(growing, { mode: "pct", runs: 20 });
    expect(summary).toContain("with a probability of 100 % at most");
  });

  test("is all where there is only one schedule", async () => {
    const { summary } = await explore(() => undefined, { mode: "pct", runs: 5 });
    expect(summary).toContain("with a probability of 0.1 % at most");
  });
});
