import fc from "fast-check";
import { ManualClock, systemClock } from "lockstep/base";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { WaitQueue, type Waiter } from "../../src/sync/wait-queue.js";
import { abortable, follow, settled } from "./outcome.js";

type Step =
  | { do: "wait"; times: number }
  | { do: "shift"; times: number }
  | { do: "remove"; at: number; every: number; times: number }
  | { do: "turn" };

/** Much at once as well as little, so that the ring grows, shrinks, fills with holes and starts anew. */
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ do: fc.constant("wait"), times: fc.integer({ min: 1, max: 70 }) }),
    fc.record({ do: fc.constant("shift"), times: fc.integer({ min: 1, max: 70 }) }),
    fc.record({
      do: fc.constant("remove"),
      at: fc.nat(200),
      every: fc.integer({ min: 1, max: 5 }),
      times: fc.integer({ min: 1, max: 70 }),
    }),
    fc.record({ do: fc.constant("turn") }),
  ),
  { maxLength: 60 },
);

test("it does as an array does", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const queue = new WaitQueue<void, number>(systemClock, "it");
      const all: Waiter<void, number>[] = [];
      let model: number[] = [];
      for (const step of steps) {
        if (step.do === "wait") {
          for (let time = 0; time < step.times; time++) {
            model.push(all.length);
            void queue.wait(all.length, undefined, (waiter) => all.push(waiter));
          }
        } else if (step.do === "shift") {
          for (let time = 0; time < step.times; time++) expect(queue.shift()?.request).toBe(model.shift());
        } else if (step.do === "remove") {
          const leaving = model.filter((_, index) => index >= step.at && index % step.every === 0);
          for (const id of leaving.slice(0, step.times)) {
            expect(queue.remove(all[id]!)).toBe(true);
            expect(queue.remove(all[id]!)).toBe(false);
            model = model.filter((other) => other !== id);
          }
        } else {
          // Positions go round and round the ring without its being made anew.
          for (let time = 0; time < 40 && model.length > 0; time++) {
            model.push(all.length);
            void queue.wait(all.length, undefined, (waiter) => all.push(waiter));
            expect(queue.shift()?.request).toBe(model.shift());
          }
        }
        expect([...queue].map(({ request }) => request)).toEqual(model);
        expect(queue.size).toBe(model.length);
        expect(queue.isEmpty).toBe(model.length === 0);
        expect(queue.first?.request).toBe(model[0]);
      }
      const waiting = new Set(model);
      expect(all.every((waiter, id) => waiter.isWaiting === waiting.has(id))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("ten thousand come, and leave from the back, the middle or the front", () => {
  const leave: Record<string, (waiters: Waiter<void>[]) => Waiter<void>[]> = {
    front: (waiters) => waiters,
    back: (waiters) => waiters.toReversed(),
    middle: (waiters) => waiters.toSorted((a, b) => (a.position % 97) - (b.position % 97)),
  };
  for (const order of Object.values(leave)) {
    const queue = new WaitQueue<void>(systemClock, "it");
    const waiters: Waiter<void>[] = [];
    for (let i = 0; i < 10_000; i++) void queue.wait(undefined, undefined, (waiter) => waiters.push(waiter));
    for (const waiter of order(waiters)) expect(queue.remove(waiter)).toBe(true);
    expect({ size: queue.size, first: queue.first, all: [...queue] }).toEqual({
      size: 0,
      first: undefined,
      all: [],
    });
  }
});

describe("who gives up", () => {
  test("is out of the queue in the same turn, and the owner hears of it once it is", async () => {
    const clock = new ManualClock();
    const sizes: number[] = [];
    const queue = new WaitQueue<string>(clock, "the thing", () => sizes.push(queue.size));
    const { signal, abort } = abortable();
    const aborted = follow(queue.wait(undefined, { signal }));
    const late = follow(queue.wait(undefined, { timeoutMs: 5 }));
    const patient = follow(queue.wait(undefined, { timeoutMs: 50, signal }));
    const other = follow(queue.wait(undefined));
    await clock.advance(5);
    expect(sizes).toEqual([3]);
    abort("enough");
    expect(queue.size).toBe(1);
    queue.shift()?.grant("it");
    await settled();
    expect([aborted.is, late.is, patient.is, other.is]).toEqual(["enough", "timeout", "enough", "done"]);
    expect((late.error as Error).message).toBe("waited 5 ms in vain for the thing");
  });

  test("leaves no timer and no listener behind, however the wait ends", async () => {
    const clock = new ManualClock();
    const { signal } = abortable();
    const queue = new WaitQueue<void>(clock, "it");
    for (let i = 0; i < 10; i++) follow(queue.wait(undefined, { signal, timeoutMs: i < 5 ? 1 : 1000 }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await clock.advance(1);
    expect(queue.size).toBe(5);
    for (let first = queue.shift(); first; first = queue.shift()) first.grant();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    await clock.advance(5000);
    expect(queue.size).toBe(0);
  });

  test("without any time to wait never joins", async () => {
    const queue = new WaitQueue<void>(systemClock, "the thing");
    const wait = follow(queue.wait(undefined, { timeoutMs: 0 }, () => expect.unreachable()));
    expect(queue.size).toBe(0);
    await settled();
    expect(wait.is).toBe("timeout");
    expect((wait.error as Error).message).toBe("there was no time to wait for the thing");
  });

  test("is not granted to by another whom the same signal told first", async () => {
    const { signal, abort } = abortable();
    const queue: WaitQueue<string> = new WaitQueue(systemClock, "it", () =>
      queue.shift()?.grant("left over"),
    );
    const both = [follow(queue.wait(undefined, { signal })), follow(queue.wait(undefined, { signal }))];
    const other = follow(queue.wait(undefined));
    abort("enough");
    await settled();
    expect(both.map(({ is }) => is)).toEqual(["enough", "enough"]);
    expect(other).toMatchObject({ is: "done", value: "left over" });
  });

  test("is not granted to by a listener that its signal tells first", async () => {
    const { signal, abort } = abortable();
    const queue = new WaitQueue<void>(systemClock, "it");
    signal.addEventListener("abort", () => queue.shift()?.grant());
    const wait = follow(queue.wait(undefined, { signal }));
    abort("enough");
    await settled();
    expect(wait.is).toBe("enough");
  });
});
