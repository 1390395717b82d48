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

    const play = async (day: Day) => {
      const why = objection(day, ground, guarantees);
      if (why !== undefined) outcomes.set(day, { is: "not applicable", why });
      else outcomes.set(day, await played(day, new World(ground, place, guarantees)));
    };
    // Most of a day is waiting for sessions to expire, so they wait together.
    for (const day of days.filter(({ alone }) => !alone)) {
      test.concurrent(titleOf(day), () => play(day), 60_000);
    }
    for (const day of days.filter(({ alone }) => alone)) test(titleOf(day), () => play(day), 90_000);

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

async function played(day: Day, world: World): Promise<Outcome> {
  const { witness, guarantees } = world;
  try {
    await day.play(world);
  } finally {
    await world.dispose();
  }
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
  expect(refused, "the fence told them apart").toBeGreaterThan(0);
  return { is: "limit", of };
}
