import fc from "fast-check";
import type { Patience } from "lockstep/base";
import { Latch } from "lockstep/sync";
import { expect, test } from "vitest";
import { abortable, follow, HandClock, happen, interleavings, refusal, settled } from "./outcome.js";
import { likeTheModel } from "./wait-list-model.js";

test("it does as the model does", async () => {
  for (const first of [0, 1, 4, 9]) {
    const property = likeTheModel((clock, list) => {
      const latch = new Latch(first, { clock });
      let count = first;
      const countDown = (by: number) => () => {
        if (by > count) expect(() => latch.countDown(by)).toThrow();
        else {
          latch.countDown(by);
          count -= by;
        }
        if (count === 0) list.wakeAll();
      };
      return {
        wait: (patience) => latch.wait(patience),
        get waiting() {
          expect(latch.count).toBe(count);
          return latch.waiting;
        },
        actions: [countDown(1), countDown(2), countDown(4)],
        goesOn: () => count === 0,
      };
    });
    await fc.assert(property, { numRuns: 150 });
  }
});

test("races in one turn: who has not given up before it opens goes on; in every order", async () => {
  const eventsOf = ["one", "another", "abort a", "time out b"] as const;
  for (const { order, pauses } of interleavings(eventsOf)) {
    const clock = new HandClock();
    const latch = new Latch(2, { clock });
    const { signal, abort } = abortable();
    const waits = [{ signal }, { timeoutMs: 1 }, {}].map((patience) => follow(latch.wait(patience)));
    const events: Record<(typeof eventsOf)[number], () => void> = {
      one: () => latch.countDown(),
      another: () => latch.countDown(),
      "abort a": () => abort("enough"),
      "time out b": () => clock.fire(1),
    };
    await happen({ order: order.map((name) => events[name]), pauses });
    const opensAt = Math.max(order.indexOf("one"), order.indexOf("another"));
    const a = order.indexOf("abort a") < opensAt ? "enough" : "done";
    const b = order.indexOf("time out b") < opensAt ? "timeout" : "done";
    expect({ order, pauses, is: waits.map(({ is }) => is) }).toEqual({ order, pauses, is: [a, b, "done"] });
    expect([latch.count, latch.waiting, clock.pending]).toEqual([0, 0, 0]);
  }
});

test("opens at zero, once and for all, and all go on in the order in which they came", async () => {
  const latch = new Latch(3);
  const order: number[] = [];
  const all = [1, 2, 3].map((who) => latch.wait().then(() => order.push(who)));
  latch.countDown(2);
  await settled();
  expect([order, latch.count, latch.waiting]).toEqual([[], 1, 3]);
  latch.countDown();
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3]);
  expect(await refusal(() => latch.wait({ timeoutMs: 0 }))).toBe("none");
});

test("counting below zero is misuse, and counts nothing", async () => {
  const latch = new Latch(2, { name: "loaded" });
  expect(await refusal(() => latch.countDown(3))).toBe("misuse");
  expect(() => latch.countDown(3)).toThrow(/the latch "loaded" has 2 left to count down, and not 3/);
  expect(latch.count).toBe(2);
  latch.countDown(2);
  expect(await refusal(() => latch.countDown())).toBe("misuse");
});

test("nonsense is refused, and changes nothing", async () => {
  for (const count of [-1, 1.5, NaN, Infinity, "2", undefined]) {
    expect(await refusal(() => new Latch(count as number)), String(count)).toBe("bad-input");
  }
  expect(await refusal(() => new Latch(1, { parties: 2 } as object))).toBe("bad-input");
  const latch = new Latch(1);
  for (const by of [0, -1, 0.5, NaN, "1", null]) {
    expect(await refusal(() => latch.countDown(by as number)), String(by)).toBe("bad-input");
  }
  for (const patience of [{ timeout: 5 }, { timeoutMs: -1 }, { signal: 1 }, null, 5]) {
    expect(await refusal(() => latch.wait(patience as Patience))).toBe("bad-input");
  }
  expect(await refusal(() => latch.wait({ signal: AbortSignal.abort("before") }))).toBe("before");
  expect([latch.count, latch.waiting]).toEqual([1, 0]);
});
