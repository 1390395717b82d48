// Random transactions of all kinds, judged by lockstep/check; and what must be so at each moment of them.
import { describe, expect, test } from "vitest";
import { judgeSeeds } from "./workload/judge.js";
import { lookAtPairs } from "./workload/pairs.js";
import { controls, mannersOf } from "./workload/promised.js";
import { addUpWhileTransferring } from "./workload/sums.js";

const timeout = 120_000;
/** Another one each time: what is found by it is said with the seed. */
const fresh = Math.floor(Math.random() * 1e9);

describe("what a history shows", { timeout }, () => {
  for (const [name, seed, transactions] of [
    ["of seeds that are always the same", 0, 50_000],
    ["of seeds that nobody has tried", fresh, 50_000],
  ] as const) {
    test(`${name}: each transaction is as isolated as it was promised`, async () => {
      const { findings, transactions: judged } = await judgeSeeds(seed, transactions);
      expect(findings).toEqual([]);
      expect(judged).toBeGreaterThanOrEqual(transactions);
    });
  }
});

describe("no money is lost, and every sum is right, when all is", { timeout }, () => {
  for (const control of controls) {
    test(control, async () => {
      const { added, wrong } = await addUpWhileTransferring(fresh, control, 3000);
      expect(wrong).toEqual([]);
      expect(added).toBeGreaterThan(3);
    });
  }
});

describe("no block ever sees half of what another did, when all is", { timeout }, () => {
  for (const isolation of ["repeatable-read", "serializable"] as const) {
    for (const under of [...controls.map((control) => [control]), controls]) {
      test(`${isolation}, ${under.join(" and ")}`, async () => {
        const { looks, unlike } = await lookAtPairs(fresh, mannersOf([isolation], under), 200);
        expect(unlike).toEqual([]);
        expect(looks).toBeGreaterThanOrEqual(2 * 8 * 200);
      });
    }
  }
});
