import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AtomicCounter, Channel, type AtomicCounterHandle } from "lockstep/threads";
import { inThread } from "./channel-thread.js";

const most = Number.MAX_SAFE_INTEGER;
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe("AtomicCounter", () => {
  test("counts, and says what the count is", () => {
    const counter = new AtomicCounter({ initial: 5 });
    expect([counter.get(), counter.increment(), counter.decrement()]).toEqual([5, 6, 5]);
    expect([counter.add(10), counter.subtract(20), counter.add(0)]).toEqual([15, -5, -5]);
    expect([counter.exchange(7), counter.get()]).toEqual([-5, 7]);
    expect([counter.compareAndSet(6, 1), counter.compareAndSet(7, -1), counter.get()]).toEqual([
      false,
      true,
      -1,
    ]);
    counter.set(most);
    expect(counter.get()).toBe(most);
  });

  test("does as a number does, within what a number holds exactly", () => {
    const amount = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(amount, fc.array(amount), (initial, amounts) => {
        const counter = new AtomicCounter({ initial });
        let model = initial;
        for (const each of amounts) {
          if (Number.isSafeInteger(model + each)) expect(counter.add(each)).toBe((model += each));
          else expect(() => counter.add(each)).toThrow(code("bad-input"));
          expect(counter.get()).toBe(model);
        }
      }),
    );
  });

  test("loses nothing among threads, and tells each another count", async () => {
    const counter = new AtomicCounter();
    const crew = Array.from({ length: 3 }, () =>
      inThread(({ AtomicCounter }, handle) => {
        const counter = AtomicCounter.from(handle);
        const seen: number[] = [];
        for (let each = 0; each < 10_000; each++) seen.push(counter.increment());
        for (let each = 0; each < 10_000; each++) {
          for (let count = counter.get(); !counter.compareAndSet(count, count + 2);) count = counter.get();
        }
        return seen;
      }, counter.handle),
    );
    const seen = (await Promise.all(crew.map(({ done }) => done))).flat();
    expect(counter.get()).toBe(90_000);
    expect(new Set(seen).size).toBe(30_000);
  });

  test("what is refused is never there, whoever looks, sets or counts meanwhile", async () => {
    const counter = new AtomicCounter({ initial: 1 });
    const hasEnded = new AtomicCounter();
    const { done } = inThread(
      ({ AtomicCounter }, handles) => {
        const counter = AtomicCounter.from(handles.counter);
        const hasEnded = AtomicCounter.from(handles.hasEnded);
        let refused = 0;
        while (hasEnded.get() === 0) {
          try {
            counter.add(Number.MAX_SAFE_INTEGER);
          } catch {
            refused++;
          }
        }
        return refused;
      },
      { counter: counter.handle, hasEnded: hasEnded.handle },
    );
    const wrong: unknown[] = [];
    const deadline = performance.now() + 1000;
    for (let value = 2; performance.now() < deadline; value = 2 + (value % 7)) {
      counter.set(value);
      const found = [counter.get(), counter.add(1), counter.exchange(9), counter.compareAndSet(9, 1)];
      if (String(found) !== String([value, value + 1, value + 1, true])) wrong.push([value, found]);
    }
    hasEnded.set(1);
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(await done).toBeGreaterThan(0);
    expect(counter.get()).toBe(1);
  });

  test("refuses nonsense, and changes nothing", () => {
    const counter = new AtomicCounter({ initial: 1 });
    for (const bad of [1.5, NaN, Infinity, 2 ** 53, "1", 1n, undefined, null, Object.create(null)]) {
      const value = bad as number;
      expect(() => counter.set(value)).toThrow(code("bad-input"));
      expect(() => counter.add(value)).toThrow(code("bad-input"));
      expect(() => counter.subtract(value)).toThrow(code("bad-input"));
      expect(() => counter.exchange(value)).toThrow(code("bad-input"));
      expect(() => counter.compareAndSet(value, 1)).toThrow(code("bad-input"));
      expect(() => counter.compareAndSet(1, value)).toThrow(code("bad-input"));
      if (bad !== undefined) expect(() => new AtomicCounter({ initial: value })).toThrow(code("bad-input"));
    }
    expect(() => new AtomicCounter({ start: 1 } as object)).toThrow(/no option "start"/);
    expect(counter.get()).toBe(1);
    const from = (handle: unknown) => () => AtomicCounter.from(handle as AtomicCounterHandle);
    expect(from(Channel.numbers({ capacity: 1 }).handle)).toThrow(/use Channel.from\(handle\)/);
    expect(from({ ...counter.handle, version: 0 })).toThrow(/version 0/);
    expect(from({ ...counter.handle, memory: new SharedArrayBuffer(4) })).toThrow(/needs 8 bytes/);
    expect(from({ ...counter.handle, version: Object.create(null) as unknown })).toThrow(code("bad-input"));
  });
});
