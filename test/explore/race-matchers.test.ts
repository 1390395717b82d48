import { raceMatchers, type ExploreOptions, type Program } from "lockstep/explore";
import { expect, test } from "vitest";

expect.extend(raceMatchers);

declare module "vitest" {
  // The names of its parameters are vitest's own.
  interface Matchers<T> {
    toHoldInEverySchedule(options?: ExploreOptions): Promise<T>;
  }
}

const counting =
  (isAtomic: boolean): Program =>
  async ({ task, step }) => {
    let count = 0;
    const add = async () => {
      const seen = count;
      if (!isAtomic) await step();
      count = seen + 1;
    };
    await Promise.all([task("a", add), task("b", add)]);
    if (count !== 2) throw new Error(`counted ${count}`);
  };

test("what holds in every schedule passes, and what does not fails with the schedule", async () => {
  await expect(counting(true)).toHoldInEverySchedule();
  await expect(counting(false)).not.toHoldInEverySchedule({ mode: "pct" });

  const failure = await raceMatchers.toHoldInEverySchedule(counting(false));
  expect(failure.pass).toBe(false);
  expect(failure.message()).toContain("counted 1");
  const success = await raceMatchers.toHoldInEverySchedule(counting(true));
  expect(success.message()).toContain("tried all 2 schedules");
});

test("a failure says what the program's own assertion compared, and where that stands", async () => {
  const failure = await raceMatchers.toHoldInEverySchedule(() => {
    expect({ balance: 40 }).toEqual({ balance: -20 });
  });
  expect(failure).toMatchObject({ actual: { balance: 40 }, expected: { balance: -20 } });
  expect(failure.message()).toMatch(/\n\nThrown at .*race-matchers\.test\.ts:\d+:\d+\)?$/);
  // Nothing of the program's is to blame for a promise that nobody resolves.
  const stuck = await raceMatchers.toHoldInEverySchedule(() => new Promise(() => undefined));
  expect(stuck.message()).not.toContain("Thrown at");
});

test("what cannot be explored is neither", async () => {
  const explored = raceMatchers.toHoldInEverySchedule(counting(true), { runs: 0 });
  await expect(explored).rejects.toMatchObject({ code: "bad-input" });
});
