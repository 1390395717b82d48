// Of a semaphore most histories are right in the order that is tried first; then a search says so, too.
import { SeededRandom } from "lockstep/base";
import { check, semaphore } from "lockstep/check";
import { expect, test } from "vitest";
import { crowdOfWaiters } from "./crowd-of-waiters.js";
import { randomHistory } from "./random-histories.js";
import { smallObjects } from "./small-objects.js";
import { oneByOne, told, type Told } from "./told-history.js";

const { shortcut, ...searched } = semaphore(2);

test("what it finds valid is valid", () => {
  const { toy } = smallObjects["semaphore"]!;
  const random = new SeededRandom(1);
  const counts = { valid: 0, violation: 0, unknown: 0 };
  let decided = 0;
  for (let run = 0; run < 10_000; run++) {
    const operations = randomHistory(random, toy(), {
      operations: 1 + random.below(8),
      clients: 2 + random.below(4),
      faults: random.chance(0.5) ? 0.2 : 0,
      lost: random.chance(0.3) ? 0.2 : 0,
      failed: random.chance(0.2) ? 0.2 : 0,
      ties: random.chance(0.3) ? 0.5 : 0,
    });
    const { is } = check({ operations }).linearizable(searched);
    counts[is]++;
    if (shortcut!(operations) === undefined) continue;
    decided++;
    expect({ run, is }).toEqual({ run, is: "valid" });
  }
  expect(Math.min(counts.valid, counts.violation)).toBeGreaterThan(1_000);
  expect(decided).toBeGreaterThan(counts.valid / 4);
});

test("what another gave back may be taken, and what is not there may not", () => {
  const taken: Told[] = [
    ["a acquire 2", 0, 1],
    ["b acquire", 2, 5],
    ["a release", 3, 6],
  ];
  expect(shortcut!(told(...taken).operations)).toBe("valid");
  expect(shortcut!(oneByOne("a acquire 2", "b acquire").operations)).toBeUndefined();
  expect(shortcut!(oneByOne("a acquire 2", "a release 2 → ?", "b acquire").operations)).toBe("valid");
  expect(shortcut!(oneByOne("a acquire 2", "b acquire → ?").operations)).toBe("valid");
  expect(shortcut!(oneByOne("a acquire", "b acquire → false").operations)).toBeUndefined();
  expect(shortcut!(oneByOne("a release").operations)).toBeUndefined();
});

test("a hundred thousand who wait at once are judged at once", () => {
  const operations = crowdOfWaiters(100_000);
  expect(check({ operations }, { timeoutMs: 60_000 }).linearizable(semaphore(1)).is).toBe("valid");
});
