import type { TransactionOptions } from "lockstep/stm";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Contender } from "../../src/stm/contender.js";
import { Crowd } from "./crowd.js";
import { expectAtRest } from "./at-rest.js";
import { turns } from "./turns.js";

const pessimistic: TransactionOptions = { control: "pessimistic" };
const sorted: TransactionOptions = { control: "pessimistic", order: "sorted" };
const batch = 50;
const mostTurns = 1_000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs many crowds, of which each must come to its end. */
function crowds(what: string, batches: number, run: (crowd: Crowd) => Promise<void> | void): void {
  for (let first = 0; first < batches * batch; first += batch) {
    test(`${what}: seeds from ${first}`, async () => {
      for (let seed = first; seed < first + batch; seed++) {
        const crowd = new Crowd(seed);
        await run(crowd);
        const stuck = await crowd.run(mostTurns);
        expect(stuck, `stuck, with seed ${seed}`).toEqual([]);
        const { space, counters, others, table, tasks } = crowd;
        expect(crowd.sum, `seed ${seed}`).toBe(tasks.reduce((sum, { adds }) => sum + adds, 0));
        expectAtRest(space, ...counters, ...others, table);
      }
    });
  }
}

function addSeveral(crowd: Crowd, options: () => TransactionOptions, isOfPoints = false): void {
  for (let left = 2 + crowd.random.below(5); left > 0; left--) crowd.add(options(), isOfPoints);
}

describe("a crowd of pessimistic transactions comes to its end", () => {
  crowds("and the oldest never gives way", 20, async (crowd) => {
    addSeveral(crowd, () => pessimistic);
    const [oldest] = crowd.tasks;
    const run = crowd.run.bind(crowd);
    vi.spyOn(crowd, "run").mockImplementation(async (most) => {
      const stuck = await run(most);
      expect(oldest!.runs).toBe(1);
      return stuck;
    });
    await turns(0);
  });

  crowds("in one order, and nobody ever waits in a circle", 8, (crowd) => {
    addSeveral(crowd, () => sorted, true);
    const gaveWay = vi.spyOn(Contender.prototype, "withdraw");
    const run = crowd.run.bind(crowd);
    vi.spyOn(crowd, "run").mockImplementation(async (most) => {
      const stuck = await run(most);
      expect(gaveWay.mock.calls.filter(([why]) => /circle/.test(String(why)))).toEqual([]);
      return stuck;
    });
  });

  crowds("in one order, with ranges", 8, (crowd) => addSeveral(crowd, () => sorted));

  crowds("some in one order, some not", 8, (crowd) => {
    addSeveral(crowd, () => (crowd.random.chance(0.5) ? sorted : pessimistic));
  });
});

describe("a crowd of all kinds comes to its end, with what cannot wait in between", () => {
  const controls = ["optimistic", "adaptive", "pessimistic"] as const;
  for (const kinds of [2, 3]) {
    crowds(controls.slice(0, kinds).join(", "), 6, (crowd) => {
      addSeveral(crowd, () => ({ control: controls[crowd.random.below(kinds)]! }));
      const refused: unknown[] = [];
      const write = async () => {
        for (let left = 10; left > 0; left--) {
          await turns(1);
          try {
            crowd.space.atomicallySync((tx) => {
              for (const ref of crowd.counters) tx.update(ref, (value) => value + 1);
              for (const ref of crowd.counters) tx.update(ref, (value) => value - 1);
              tx.delete(crowd.table, crowd.random.below(5) + 5);
            });
          } catch (error) {
            refused.push(error);
          }
        }
      };
      const run = crowd.run.bind(crowd);
      vi.spyOn(crowd, "run").mockImplementation(async (most) => {
        const [stuck] = await Promise.all([run(most), write()]);
        const isPessimistic = crowd.tasks.some(({ options }) => options.control === "pessimistic");
        const reason: unknown = expect.objectContaining({ code: "timeout" });
        expect(refused).toEqual(isPessimistic ? refused.map(() => reason) : []);
        return stuck;
      });
    });
  }
});
