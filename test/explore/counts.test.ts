// How many schedules there are is known for small programs, so that all of them means all of them.
import { explore, type Footprint, type Program } from "lockstep/explore";
import { describe, expect, test } from "vitest";

const exhaustive = { mode: "exhaustive", runs: 200_000 } as const;

/** So many tasks, each of which is chosen so many times: once to begin, and then for each step. */
const tasksOf =
  (...turns: number[]): Program =>
  ({ task, step }) => {
    for (const count of turns) {
      void task(async () => {
        for (let turn = 1; turn < count; turn++) await step();
      });
    }
  };

/** In how many orders they can take their turns: (a + b + …)! / (a! b! …). */
function multinomial(turns: readonly number[]): number {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  return turns.reduce((orders, count) => orders / factorial(count), factorial(turns.reduce((a, b) => a + b)));
}

/** All orders in which they can take their turns. */
function ordersOf(turns: readonly number[]): number[][] {
  if (turns.every((count) => count === 0)) return [[]];
  return turns.flatMap((count, task) => {
    if (count === 0) return [];
    const rest = turns.with(task, count - 1);
    return ordersOf(rest).map((order) => [task, ...order]);
  });
}

/** How often a task was interrupted that had not ended. */
function preemptionsIn(order: readonly number[]): number {
  return order.filter((task, at) => at > 0 && order[at - 1] !== task && order.includes(order[at - 1]!, at))
    .length;
}

describe("all schedules", () => {
  test.each([
    [[1]],
    [[1, 1]],
    [[2, 2]],
    [[6, 6]],
    [[3, 3, 3]],
    [[1, 2, 3, 2]],
    [[1, 1, 1, 1, 1, 1]],
    [[9, 2]],
  ])("of tasks with %j turns are each played once", async (turns) => {
    const schedules = multinomial(turns);
    const summary =
      schedules === 1 ? "the only schedule" : `all ${schedules.toLocaleString("en-US")} schedules`;
    const played = new Set<string>();
    const program: Program = async ({ task, step }) => {
      const order: number[] = [];
      const body = async (name: number, count: number) => {
        order.push(name);
        for (let turn = 1; turn < count; turn++) {
          await step();
          order.push(name);
        }
      };
      await Promise.all(turns.map((count, name) => task(() => body(name, count))));
      played.add(order.join());
    };
    const found = await explore(program, exhaustive);
    expect(found).toMatchObject({ schedules, isComplete: true });
    expect(found.summary.split(";")[0]).toBe(summary);
    expect(played).toEqual(new Set(ordersOf(turns).map((order) => order.join())));
  });

  test("an io is two turns, and a task of its own begins with one", async () => {
    const program: Program = ({ task, io }) => {
      for (const name of ["a", "b"]) void task(name, () => io("act", () => 0));
    };
    expect(await explore(program)).toMatchObject({ schedules: multinomial([3, 3]), isComplete: true });
  });

  test("are not said to be all when they are more than may be played", async () => {
    const few = await explore(tasksOf(6, 6), { mode: "exhaustive", runs: 900 });
    expect(few).toMatchObject({ schedules: 900, isComplete: false });
    const enough = await explore(tasksOf(6, 6), { mode: "exhaustive", runs: 924 });
    expect(enough).toMatchObject({ schedules: 924, isComplete: true });
  });

  test("are followed by as many by lot when they are too many, unless told otherwise", async () => {
    const found = await explore(tasksOf(10, 10, 10), { runs: 500 });
    expect(found).toMatchObject({ schedules: 1000, isComplete: false });
    expect(found.summary).toMatch(
      /^1,000 schedules, of how many is not known; it missed a race of depth 3 with a probability of/,
    );
  });
});

describe("schedules with few preemptions", () => {
  test.each([[[4, 4]], [[3, 3, 2]], [[2, 2, 2, 1]]])("of tasks with %j turns are those", async (turns) => {
    const orders = ordersOf(turns).map(preemptionsIn);
    for (let preemptions = 0; preemptions <= 3; preemptions++) {
      const schedules = orders.filter((count) => count <= preemptions).length;
      const found = await explore(tasksOf(...turns), { ...exhaustive, preemptions });
      expect(found, `${preemptions} preemptions`).toMatchObject({ schedules, isComplete: true });
    }
  });
});

describe("with footprints, one schedule is played", () => {
  const writes = (...names: string[]): Footprint => ({ writes: names });
  const reads = (...names: string[]): Footprint => ({ reads: names });

  /** Each task touches, in each of its turns, what it says. */
  const touching =
    (tasks: readonly (readonly Footprint[])[], onOrder?: (order: string[]) => void): Program =>
    async ({ task, step }) => {
      const order: string[] = [];
      const bodies = tasks.map((footprints, name) =>
        task(`${name}`, {}, async () => {
          for (const [turn, footprint] of footprints.entries()) {
            await step(`${turn}`, footprint);
            order.push(`${name}.${turn}`);
          }
        }),
      );
      await Promise.all(bodies);
      onOrder?.(order);
    };

  const conflict = (a: Footprint, b: Footprint) =>
    [...(a.writes ?? [])].some((name) => [...(b.reads ?? []), ...(b.writes ?? [])].includes(name)) ||
    [...(b.writes ?? [])].some((name) => [...(a.reads ?? [])].includes(name));

  /** What tells an order from others: which of two turns that are in conflict came first. */
  const traceOf = (tasks: readonly (readonly Footprint[])[], order: readonly string[]) => {
    const footprintOf = (turn: string) => {
      const [name, at] = turn.split(".").map(Number);
      return tasks[name!]![at!]!;
    };
    const pairs = order.flatMap((a, at) => order.slice(at + 1).map((b) => [a, b] as const));
    const told = pairs.filter(([a, b]) => conflict(footprintOf(a), footprintOf(b)));
    return told
      .map(([a, b]) => `${a}<${b}`)
      .sort()
      .join();
  };

  const programs: Record<string, readonly (readonly Footprint[])[]> = {
    "of tasks that share nothing": [[writes("a"), writes("a")], [writes("b"), writes("b")], [writes("c")]],
    "of readers": [[reads("a"), reads("a")], [reads("a"), reads("a")], [reads("a")]],
    "for each order of writers": [[writes("a"), writes("a")], [writes("a"), writes("a")], [writes("a")]],
    "for each order of readers and writers": [
      [reads("a"), writes("b")],
      [reads("b"), writes("a")],
      [writes("a", "b"), reads("a")],
    ],
    "for each order at each of two things": [
      [writes("a"), writes("b"), reads("a")],
      [writes("b"), writes("a")],
      [reads("b"), writes("c")],
    ],
  };

  test.each(Object.entries(programs))("%s", async (_name, tasks) => {
    const turns = tasks.map((footprints) => footprints.length);
    const named = (order: readonly number[]) => {
      const next = turns.map(() => 0);
      return order.map((name) => `${name}.${next[name]!++}`);
    };
    const expected = new Set(ordersOf(turns).map((order) => traceOf(tasks, named(order))));
    const played: string[] = [];
    const found = await explore(
      touching(tasks, (order) => played.push(traceOf(tasks, order))),
      exhaustive,
    );
    expect(found).toMatchObject({ schedules: expected.size, isComplete: true });
    expect(new Set(played)).toEqual(expected);
    // The undisturbed schedule is played thrice more, to see whether it is the same each time.
    expect(played).toHaveLength(expected.size + 3);
  });

  test("but all of them where something looks in between", async () => {
    const tasks = [[writes("a")], [writes("b")]];
    const found = await explore(touching(tasks), { ...exhaustive, invariant: () => true });
    expect(found.schedules).toBe(multinomial([2, 2]));
  });

  test("and what has none is taken to touch everything", async () => {
    const program: Program = ({ task, step }) => {
      for (const name of ["a", "b"]) void task(name, () => step("act", writes(name)));
    };
    // The beginnings conflict with all that the other does: only the two writes can be swapped.
    const found = await explore(program, exhaustive);
    expect(found.schedules).toBeLessThan(multinomial([2, 2]));
    expect(found.schedules).toBe(4);
  });

  test("and what a step does beyond its footprint counts", async () => {
    const program =
      (draws: boolean): Program =>
      async ({ task, step, random }) => {
        const drawn: number[] = [];
        const body = (name: string) => async () => {
          await step("draw", writes(name));
          drawn.push(draws ? random.next() : 0);
        };
        await Promise.all([task("a", {}, body("a")), task("b", {}, body("b"))]);
      };
    expect((await explore(program(false), exhaustive)).schedules).toBe(1);
    // Now the two draws are in conflict, and each is with the beginning of the other task.
    expect((await explore(program(true), exhaustive)).schedules).toBe(4);
  });
});
