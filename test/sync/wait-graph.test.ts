// Whether a wait is hopeless can be found out the slow way: let all who do not wait give back what they hold,
// again and again, and see who still waits.
import fc from "fast-check";
import { systemClock } from "lockstep/base";
import { expect, test } from "vitest";
import { CallSite } from "../../src/sync/call-site.js";
import type { Held } from "../../src/sync/held.js";
import { Permits, Want } from "../../src/sync/permits.js";
import { circleFrom, type Hold, type LockState, type Wait } from "../../src/sync/wait-graph.js";
import { settled } from "./outcome.js";

const at = CallSite.ofCaller();

interface Task {
  readonly holds: Hold[];
  wait: Wait | undefined;
}

class World {
  readonly locks = new Map<Permits, LockState>();
  readonly tasks: Task[];
  readonly #all: Permits[];

  constructor(totals: readonly number[], tasks: number) {
    this.#all = totals.map((total, index) => new Permits(`lock ${index}`, total, systemClock, 2));
    for (const lock of this.#all) this.locks.set(lock, { holds: new Set(), waits: new Map() });
    this.tasks = Array.from({ length: tasks }, () => ({ holds: [], wait: undefined }));
  }

  /** The task takes some permits; a wait is given back if it must wait for them. */
  async take(task: Task, lockIndex: number, weight: number, lane: number): Promise<Wait | undefined> {
    const lock = this.#all[lockIndex % this.#all.length]!;
    const want = new Want(Math.min(weight, lock.total), lane);
    const taken = lock.take(want);
    const waiter = [...lock.waiters()].find(({ request }) => request === want);
    if (waiter === undefined) {
      this.#holds(task, lock, await taken);
      return undefined;
    }
    task.wait = { waiter, lock, at, heldMeanwhile: [...task.holds] };
    this.locks.get(lock)!.waits.set(waiter, task.wait);
    void taken.then((held) => {
      this.locks.get(lock)!.waits.delete(waiter);
      task.wait = undefined;
      this.#holds(task, lock, held);
    });
    return task.wait;
  }

  /** Those who do not wait give back what they hold, until nobody can go on any more. */
  async runOut(): Promise<void> {
    let goesOn: boolean;
    do {
      goesOn = false;
      for (const task of this.tasks) {
        if (task.wait !== undefined) continue;
        for (const { held } of task.holds.splice(0)) {
          goesOn = true;
          held.release();
        }
      }
      await settled();
    } while (goesOn);
  }

  #holds(task: Task, lock: Permits, held: Held) {
    const hold = { held, lock, at };
    task.holds.push(hold);
    this.locks.get(lock)!.holds.add(hold);
  }
}

const request = fc.record({
  task: fc.nat(5),
  lock: fc.nat(3),
  weight: fc.integer({ min: 1, max: 3 }),
  lane: fc.nat(1),
});

test("a wait is hopeless exactly if it lasts when all others go on as far as they can", async () => {
  const outcomes = { hopeless: 0, hopeful: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      fc.array(request, { minLength: 4, maxLength: 24 }),
      async (totals, requests) => {
        const world = new World(totals, 6);
        for (const { task: index, lock, weight, lane } of requests) {
          const task = world.tasks[index]!;
          if (task.wait !== undefined) continue;
          const wait = await world.take(task, lock, weight, lane);
          if (wait === undefined) continue;
          const circle = circleFrom(wait, world.locks);
          if (circle === undefined) continue;
          await world.runOut();
          expect(wait.waiter.isWaiting).toBe(true);
          expect(new Set(circle).size).toBe(circle.length);
          outcomes.hopeless++;
          return;
        }
        await world.runOut();
        expect(world.tasks.every(({ wait }) => wait === undefined)).toBe(true);
        outcomes.hopeful++;
      },
    ),
    { numRuns: 600 },
  );
  // Both kinds were seen.
  expect(Math.min(outcomes.hopeless, outcomes.hopeful)).toBeGreaterThan(50);
});

test("a thousand who hold something and wait for one take no time to look through", async () => {
  const world = new World([1, ...Array.from({ length: 1000 }, () => 1)], 1001);
  await world.take(world.tasks[0]!, 0, 1, 0);
  for (const [index, task] of world.tasks.slice(1).entries()) {
    await world.take(task, index + 1, 1, 0);
    const wait = await world.take(task, 0, 1, 0);
    expect(circleFrom(wait!, world.locks)).toBeUndefined();
  }
  const last = await world.take(world.tasks[0]!, 1000, 1, 0);
  expect(circleFrom(last!, world.locks)).toHaveLength(2);
});
