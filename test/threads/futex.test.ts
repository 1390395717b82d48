import { ManualClock } from "lockstep/base";
import { describe, expect, test } from "vitest";
import { Futex } from "../../src/threads/futex.js";

/** A word, and futexes on it as several threads have them. Time stands still: nobody looks by itself. */
function world() {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const clock = new ManualClock();
  const futex = () => new Futex(words, 0, clock);
  const isSet = (value: number) => () => (words[0]! >= value ? value : undefined);
  return { words, clock, futex, isSet };
}

describe("Futex", () => {
  test("goes on at once, or when it is woken", async () => {
    const { words, futex, isSet } = world();
    const one = futex();
    expect(await one.wait(isSet(0), {}, "it")).toBe(0);
    const waits = one.wait(isSet(1), {}, "it");
    words[0] = 1;
    expect(futex().wake()).toBe(1);
    expect(await waits).toBe(1);
  });

  // Not in the ten seconds after which a place in line is given up.
  test("a wake-up for one who gave up is passed on", { timeout: 5000 }, async () => {
    const { words, futex, isSet } = world();
    const controller = new AbortController();
    const gaveUp = futex().wait(isSet(1), { signal: controller.signal }, "it");
    const waits = futex().wait(isSet(1), {}, "it");
    controller.abort(new Error("enough"));
    await expect(gaveUp).rejects.toThrow("enough");
    words[0] = 1;
    // The one who gave up cannot be taken out of line.
    expect(futex().wake(1)).toBe(1);
    expect(await waits).toBe(1);
  });

  test("a wake-up for one who gave up serves the next task of its thread", async () => {
    const { words, futex, isSet } = world();
    const one = futex();
    const controller = new AbortController();
    const gaveUp = one.wait(isSet(1), { signal: controller.signal }, "it");
    controller.abort(new Error("enough"));
    await expect(gaveUp).rejects.toThrow("enough");
    const waits = one.wait(isSet(1), {}, "it");
    words[0] = 1;
    // It stands where the other stood: once.
    expect(one.wake()).toBe(1);
    expect(await waits).toBe(1);
  });

  test("tasks of one thread are served in their order, and none before the first", async () => {
    const { words, futex, isSet } = world();
    const one = futex();
    const order: number[] = [];
    const waits = [3, 1, 2].map((value) =>
      one.wait(isSet(value), {}, "it").then((found) => order.push(found)),
    );
    words[0] = 2;
    one.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    words[0] = 3;
    one.wake();
    await Promise.all(waits);
    expect(order).toEqual([3, 1, 2]);
  });

  test("in a crowd each has its own condition, and waits for no other", async () => {
    const { words, clock, isSet } = world();
    const crowd = Futex.ofCrowd(words, 0, clock);
    const order: number[] = [];
    const waits = [3, 1, 2].map((value) =>
      crowd.wait(isSet(value), {}, "it").then((found) => order.push(found)),
    );
    words[0] = 1;
    // At once, though others wait, and none of them has been woken.
    expect(await crowd.wait(isSet(1), { timeoutMs: 0 }, "it")).toBe(1);
    await expect(crowd.wait(isSet(2), { timeoutMs: 0 }, "it")).rejects.toMatchObject({ code: "timeout" });
    words[0] = 2;
    crowd.wake();
    await Promise.all(waits.slice(1));
    expect(order).toEqual([1, 2]);
    words[0] = 3;
    crowd.wake();
    await Promise.all(waits);
  });

  test("looks again by itself, for nobody may be left to wake it", async () => {
    const { words, clock, futex, isSet } = world();
    const waits = futex().wait(isSet(1), {}, "it");
    words[0] = 1;
    await clock.advance(100);
    expect(await waits).toBe(1);
  });

  test("ends with what an attempt throws, and goes on with the next task", async () => {
    const { words, futex, isSet } = world();
    const one = futex();
    const fails = one.wait(
      () => {
        if (words[0] === 0) return undefined;
        throw new Error("broken");
      },
      {},
      "it",
    );
    const waits = one.wait(isSet(1), {}, "it");
    words[0] = 1;
    one.wake(1);
    await expect(fails).rejects.toThrow("broken");
    expect(await waits).toBe(1);
  });

  test("gives up by time, which is 'timeout' with the name of what was awaited", async () => {
    const { clock, futex, isSet } = world();
    const waits = futex().wait(isSet(1), { timeoutMs: 50 }, "the thing");
    const fails = expect(waits).rejects.toThrow("waited 50 ms in vain for the thing");
    await clock.advance(50);
    await fails;
    await expect(futex().wait(isSet(1), { timeoutMs: 0 }, "it")).rejects.toMatchObject({ code: "timeout" });
  });

  test("lets the event loop turn though the word never rests", async () => {
    const { words, clock, futex } = world();
    let attempts = 0;
    const waits = futex().wait(
      () => {
        words[0]!++;
        return ++attempts >= 20 ? attempts : undefined;
      },
      {},
      "it",
    );
    expect(attempts).toBeLessThan(20);
    await clock.advance(1);
    expect(await waits).toBe(20);
  });
});
