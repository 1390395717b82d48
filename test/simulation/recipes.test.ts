// The real recipes in simulated worlds. `npm run simulate` goes on with other seeds for as long as one likes.
import { describe, expect, test } from "vitest";
import { noHazards, simulate } from "lockstep/simulation";
import { Believers } from "./workloads/believers.js";
import { findingsOf, playSeed, workloads } from "./workloads/play-seed.js";

const minutes = 8;
const seeds = [0, 1, 2, 3, 4, 5];

for (const workload of Object.values(workloads)) {
  describe(`${workload.name} keep their promises`, () => {
    test.each(seeds)("in the world of seed %i", async (seed) => {
      expect(await findingsOf(seed, workload, minutes)).toEqual([]);
    });
  });
}

test("what happens follows from the seed alone", async () => {
  const runs = [];
  for (const seed of [7, 7, 8]) runs.push(await playSeed(seed, workloads.locks, 3));
  const [first, again, other] = runs.map(({ digest, events, result }) => [digest, events, result.grants]);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test("a wall clock that jumps changes nothing", async () => {
  const run = async (clockJumpEveryMs: number) => {
    const hazards = { ...noHazards, drift: 0.01, clockJumpEveryMs };
    const simulated = await simulate({ seed: 1, hazards }, (world) => {
      return workloads.locks.play(world, minutes, new Believers());
    });
    return { ...simulated.result, jumps: simulated.tally["clock jump"] ?? 0 };
  };
  const [steady, jumping] = [await run(0), await run(5000)];
  expect(jumping.jumps).toBeGreaterThan(100);
  expect(jumping).toEqual({ ...steady, jumps: jumping.jumps });
  expect(jumping.findings).toEqual([]);
});

test("all that can go wrong does, and the locks are granted all the same", async () => {
  const { tally, result } = await playSeed(2, workloads.locks, 2 * minutes);
  expect(Object.keys(tally)).toEqual([
    "clock jump",
    "expired session",
    "failover",
    "freeze",
    "kill",
    "late copy",
    "lost reply",
    "lost request",
    "partition",
  ]);
  expect(result.grants).toBeGreaterThan(100);
});
