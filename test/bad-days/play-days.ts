import { connect } from "lockstep";
import type { Guarantees } from "lockstep/store";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Day, objection, type Outcome } from "./day.js";
import { days } from "./days.js";
import type { Ground, Place } from "./ground.js";
import { outcomesOf, pagePath, record } from "./reliability-page.js";
import { World } from "./world.js";

/** Plays every bad day on one engine, each as a test. */
export function playDays(ground: Ground): void {
  describe(`bad days on ${ground.engine}`, () => {
    let place: Place;
    let guarantees: Guarantees;
    const outcomes = new Map<Day, Outcome>();

    beforeAll(async () => {
      place = await ground.start();
      const client = await connect(place.address("guarantees"), { ttlMs: ground.ttlMs });
      ({ guarantees } = client.store);
      await client.close();
    }, 90_000);
    afterAll(async () => {
      await place.stop();
    }, 30_000);

    const broken = new Map<Day, unknown>();
    const play = async (day: Day) => {
      if (broken.has(day)) throw broken.get(day);
      const why = objection(day, ground, guarantees);
      if (why !== undefined) {
        outcomes.set(day, { is: "not applicable", why });
        return;
      }
      const world = new World(ground, place, guarantees);
      const [played] = await Promise.allSettled([day.play(world)]);
      await world.dispose();
      let outcome;
      try {
        outcome = judged(day, world);
      } catch (error) {
        broken.set(day, error);
        throw error;
      }
      if (played.status === "rejected") throw played.reason;
      outcomes.set(day, outcome);
    };
    // A machine that has more to do than it can loses locks, and is given another day. But what must never
    // happen is not forgiven: see `broken`.
    const retry = 2;
    // Most of a day is waiting for sessions to expire, so they wait together.
    for (const day of days.filter(({ alone }) => !alone)) {
      test.concurrent(titleOf(day), { timeout: 60_000, retry }, () => play(day));
    }
    for (const day of days.filter(({ alone }) => alone)) {
      test(titleOf(day), { timeout: 90_000, retry }, () => play(day));
    }

    test("docs/reliability.md says what became of them", () => {
      record(ground.engine, outcomes);
      const said = outcomesOf(readFileSync(pagePath, "utf8")).get(ground.engine);
      const say = (day: Day, outcome: Outcome | undefined) => [titleOf(day), outcome];
      expect([...outcomes].map(([day]) => say(day, said?.get(day)))).toEqual(
        [...outcomes].map(([day, outcome]) => say(day, outcome)),
      );
    });
  });
}

function titleOf({ number, title }: Day): string {
  return `day ${number}: ${title}`;
}

/** What became of a day, by what the witness has seen; throws if it must not be. */
function judged(day: Day, { witness, guarantees }: World): Outcome {
  const { overlaps, fencedOverlaps, refused } = witness;
  if (overlaps + refused > 0) {
    console.log(`  ${titleOf(day)}: ${overlaps} unfenced overlaps, ${refused} late writes refused`);
  }
  if (guarantees.fence !== "regresses-on-failover") expect(fencedOverlaps).toBe(0);
  if (overlaps === 0) {
    witness.mustBeMutuallyExclusive();
    return { is: "pass" };
  }
  const of = day.limit?.(guarantees);
  if (of === undefined) expect.fail("two held the lock at once, and the engine promises that they do not");
  return { is: "limit", of };
}
