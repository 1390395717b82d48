// The same program under each explorer: tasks that read a counter, let others go on, and write it. None of
// them fails, or the exploration would end there; what is counted is schedules.
import fastCheck from "fast-check";
import { explore, type ExploreMode, type Program } from "lockstep/explore";
import type { Subjects, Workloads } from "../apart.js";

const smallest = "2 tasks of 2 steps";

/** How many tasks, of how many steps each. */
export const sizes: Record<string, readonly [tasks: number, steps: number]> = {
  [smallest]: [2, 2],
  "3 tasks of 3 steps": [3, 3],
  "5 tasks of 10 steps": [5, 10],
};

const warmUpRuns = 500;

export const subjects: Subjects = {
  "fast-check": () => workloads(3_000, (tasks, steps, runs) => byFastCheck(tasks, steps, runs)),
  lockstep: () => workloads(30_000, (tasks, steps, runs) => byLockstep("random", tasks, steps, runs)),
  "lockstep, pct": () => workloads(30_000, (tasks, steps, runs) => byLockstep("pct", tasks, steps, runs)),
  "lockstep, exhaustive": () => {
    // There are too few schedules of the smallest program to measure anything.
    const all = workloads(30_000, (tasks, steps, runs) => byLockstep("exhaustive", tasks, steps, runs));
    return Object.fromEntries(Object.entries(all).filter(([name]) => name !== smallest));
  },
};

type Play = (tasks: number, steps: number, runs: number) => Promise<number>;

function workloads(runs: number, play: Play): Workloads {
  const perSecond = async (tasks: number, steps: number) => {
    await play(tasks, steps, warmUpRuns);
    const began = performance.now();
    const played = await play(tasks, steps, Math.ceil((runs * 4) / (tasks * steps)));
    return played / ((performance.now() - began) / 1000);
  };
  const entries = Object.entries(sizes);
  return Object.fromEntries(entries.map(([name, [tasks, steps]]) => [name, () => perSecond(tasks, steps)]));
}

/** What lets others go on. */
type Yield = () => Promise<unknown>;

/** One task: as many steps as it is told, each of them a lost update in wait. */
async function update(state: { count: number }, steps: number, others: Yield): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const seen = state.count;
    await others();
    state.count = seen + 1;
  }
}

async function byLockstep(mode: ExploreMode, tasks: number, steps: number, runs: number): Promise<number> {
  const program: Program = async ({ task, step }) => {
    const state = { count: 0 };
    const body = () => update(state, steps, step);
    await Promise.all(Array.from({ length: tasks }, () => task(body)));
  };
  return (await explore(program, { mode, runs })).schedules;
}

async function byFastCheck(tasks: number, steps: number, runs: number): Promise<number> {
  const property = fastCheck.asyncProperty(fastCheck.scheduler(), async (scheduler) => {
    const state = { count: 0 };
    const body = () => update(state, steps, () => scheduler.schedule(Promise.resolve()));
    const all = Promise.all(Array.from({ length: tasks }, body));
    await scheduler.waitIdle();
    await all;
  });
  await fastCheck.assert(property, { numRuns: runs });
  return runs;
}
