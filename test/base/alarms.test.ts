import { ManualClock, SeededRandom } from "lockstep/base";
import { expect, test } from "vitest";
import { Alarms } from "../../src/base/alarms.js";

test("alarms ring in the order of their moments, and of one moment in the order of setting", () => {
  const random = new SeededRandom(1);
  for (let run = 0; run < 300; run++) {
    const alarms = new Alarms();
    const set: { dueAt: number; order: number; cancel: () => void }[] = [];
    const rung: number[] = [];
    for (let order = 0; order < 300; order++) {
      const dueAt = random.below(40);
      const timer = alarms.set(dueAt, () => rung.push(order));
      set.push({ dueAt, order, cancel: () => timer.cancel() });
    }
    // So many that they are cleared away meanwhile.
    const isKept = set.map(() => random.chance(run % 2 === 0 ? 0.2 : 0.9));
    set.forEach(({ cancel }, order) => !isKept[order] && cancel());
    const kept = set.filter(({ order }) => isKept[order]);
    kept.sort((a, b) => a.dueAt - b.dueAt || a.order - b.order);
    for (const { dueAt } of kept) {
      expect(alarms.nextDueAt).toBe(dueAt);
      alarms.take()!();
    }
    expect(rung).toEqual(kept.map(({ order }) => order));
    expect(alarms.nextDueAt).toBe(Infinity);
    expect(alarms.take()).toBeUndefined();
  }
});

test("an alarm that is cancelled when it has rung, or twice, is cancelled all the same", () => {
  const alarms = new Alarms();
  const rung = alarms.set(1, () => undefined);
  const cancelled = alarms.set(2, () => undefined);
  alarms.take();
  for (const timer of [rung, rung, cancelled, cancelled]) timer.cancel();
  alarms.set(3, () => undefined);
  expect(alarms.nextDueAt).toBe(3);
});

test("a manual clock lets an alarm set others, which ring in their turn", async () => {
  const clock = new ManualClock();
  const rung: string[] = [];
  clock.after(10, () => {
    rung.push(`first at ${clock.now()}`);
    clock.after(0, () => rung.push(`at once at ${clock.now()}`));
    clock.after(20, () => rung.push("too late"));
  });
  clock.after(15, () => rung.push(`second at ${clock.now()}`));
  await clock.advance(29);
  expect(rung).toEqual(["first at 10", "at once at 10", "second at 15"]);
  expect(clock.now()).toBe(29);
});
