import fc from "fast-check";
import { isLockstepError, ManualClock } from "lockstep/base";
import { detectDeadlocks, KeyedMutex, type Held } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { expectNothingLeft, follow, settled } from "./outcome.js";

const misuse = expect.objectContaining({ code: "misuse" }) as Error;
const badInput = expect.objectContaining({ code: "bad-input" }) as Error;

describe("a keyed mutex", () => {
  test("is a mutex for each key, first come, first served", async () => {
    const locks = new KeyedMutex();
    const order: number[] = [];
    const sections = Array.from({ length: 20 }, (_, i) =>
      locks.run("a", async () => {
        expect(locks.isLocked("a")).toBe(true);
        await settled();
        order.push(i);
      }),
    );
    expect(locks.tryAcquire("a")).toBeNull();
    const other = await locks.acquire("b");
    expect([locks.size, locks.isLocked("a"), locks.isLocked("b"), locks.isLocked("c")]).toEqual([
      ...[2, true, true, false],
    ]);
    other.release();
    await Promise.all(sections);
    expect(order).toEqual([...order.keys()]);
    expect(locks.size).toBe(0);
    expect(() => {
      other.release();
    }).toThrow(misuse);
  });

  test("takes for a key whatever a Map does", async () => {
    const locks = new KeyedMutex<unknown>();
    const object = {};
    const keys = [NaN, null, object, {}, Symbol("s"), Symbol("s"), 0, "0", "", false, 1n, () => 1];
    for (const key of keys) expect(locks.tryAcquire(key)).not.toBeNull();
    expect(locks.size).toBe(keys.length);
    for (const key of [...keys, -0]) {
      expect(locks.tryAcquire(key)).toBeNull();
      expect(locks.isLocked(key)).toBe(true);
      // Each can be named in an error.
      await expect(locks.acquire(key, { timeoutMs: 0 })).rejects.toMatchObject({
        code: "timeout",
        message: expect.stringMatching(/ the key \S/) as string,
      });
    }
    expect(locks.size).toBe(keys.length);
  });

  test("refuses nonsense, and changes nothing", async () => {
    expect(() => new KeyedMutex({ nome: "x" } as never)).toThrow(badInput);
    const locks = new KeyedMutex();
    for (const keys of [undefined, [], [undefined], ["a", undefined]] as never[]) {
      await expect(locks.acquire(keys)).rejects.toMatchObject({ code: "bad-input" });
      await expect(locks.run(keys, () => 1)).rejects.toMatchObject({ code: "bad-input" });
      expect(() => locks.tryAcquire(keys)).toThrow(badInput);
    }
    for (const patience of [{ timeout: 1 }, { timeoutMs: -1 }, { timeoutMs: NaN }, { signal: 1 }, null]) {
      await expect(locks.acquire("a", patience as never)).rejects.toMatchObject({ code: "bad-input" });
    }
    await expect(locks.acquire("a", { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    await expect(locks.run("a", "not a section" as never)).rejects.toMatchObject({ code: "bad-input" });
    expect(locks.size).toBe(0);
  });
});

describe("several keys at once", () => {
  test("are held by one hold, each once however often it is named", async () => {
    const locks = new KeyedMutex();
    const held = await locks.acquire(["a", "b", "a", "a"]);
    expect([locks.size, locks.isLocked("a"), locks.isLocked("b")]).toEqual([2, true, true]);
    held.release();
    expect([locks.size, held.isHeld]).toEqual([0, false]);
    expect(() => {
      held.release();
    }).toThrow(misuse);
  });

  test("are tried for all or nothing", async () => {
    const locks = new KeyedMutex();
    const b = await locks.acquire("b");
    const waiting = follow(locks.acquire("b"));
    expect(locks.tryAcquire(["a", "b", "c"])).toBeNull();
    expect([locks.size, locks.isLocked("a"), locks.isLocked("c")]).toEqual([1, false, false]);
    b.release();
    await settled();
    waiting.value!.release();
    const all = locks.tryAcquire(["a", "b", "c"])!;
    expect(locks.size).toBe(3);
    all.release();
    expect(locks.size).toBe(0);
  });

  test("are not kept by one who tried for them, though others want them next", async () => {
    const locks = new KeyedMutex();
    const x = await locks.acquire("x");
    const both = follow(locks.acquire(["x", "y"]));
    const z = await locks.acquire("z");
    expect(locks.tryAcquire(["y", "z"])).toBeNull();
    expect(locks.isLocked("y")).toBe(false);
    x.release();
    await settled();
    both.value!.release();
    z.release();
    expect(locks.size).toBe(0);
  });

  test("are given back by one who gives up in the middle", async () => {
    const clock = new ManualClock();
    const locks = new KeyedMutex({ clock });
    const blocker = await locks.acquire("b");
    const controller = new AbortController();
    const aborted = follow(locks.acquire(["a", "b", "c"], { signal: controller.signal }));
    const late = follow(locks.acquire(["c", "b"], { timeoutMs: 10 }));
    await settled();
    controller.abort("enough");
    await clock.advance(10);
    expect([aborted.is, late.is]).toEqual(["enough", "timeout"]);
    expect([locks.size, locks.isLocked("a"), locks.isLocked("c")]).toEqual([1, false, false]);
    blocker.release();
    expect(locks.size).toBe(0);
  });

  test("are given back by one who gives up between the grant of one and the wait for the next", async () => {
    const locks = new KeyedMutex();
    const [a, b] = [await locks.acquire("a"), await locks.acquire("b")];
    const controller = new AbortController();
    const both = follow(locks.acquire(["a", "b"], { signal: controller.signal }));
    a.release();
    controller.abort("enough");
    await settled();
    expect([both.is, locks.isLocked("a"), locks.isLocked("b")]).toEqual(["enough", false, true]);
    b.release();
    expect(locks.size).toBe(0);
  });

  test("are waited for with one patience for all of them", async () => {
    const clock = new ManualClock();
    const locks = new KeyedMutex({ clock });
    const blockers: Held[] = [];
    for (const key of ["a", "b", "c"]) blockers.push(await locks.acquire(key));
    const all = follow(locks.acquire(["a", "b", "c"], { timeoutMs: 25 }));
    for (const blocker of blockers.slice(0, 2)) {
      await clock.advance(10);
      blocker.release();
    }
    await clock.advance(4);
    expect(all.is).toBe("waits");
    await clock.advance(1);
    expect(all.is).toBe("timeout");
    expect(locks.size).toBe(1);
  });

  test("with no time to wait are had at once or not at all", async () => {
    const locks = new KeyedMutex();
    const blocker = await locks.acquire("b");
    await expect(locks.acquire(["a", "b"], { timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    expect(locks.size).toBe(1);
    blocker.release();
    (await locks.acquire(["a", "b"], { timeoutMs: 0 })).release();
    expect(locks.size).toBe(0);
  });

  test("never have two holders, nor wait in a circle, whoever wants which", async () => {
    const task = fc.record({
      keys: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
      way: fc.constantFrom("acquire", "run", "try", "abort", "time out"),
      delay: fc.nat(4),
      stays: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(task, { maxLength: 30 }), async (tasks) => {
        const clock = new ManualClock();
        const locks = new KeyedMutex<number>({ clock });
        const holders = new Map<number, number>();
        let done = 0;
        const turns = async (count: number) => {
          for (let i = 0; i < count; i++) await clock.advance(0);
        };
        const all = tasks.map(async ({ keys, way, delay, stays }) => {
          const count = (by: number) => {
            for (const key of new Set(keys)) {
              holders.set(key, (holders.get(key) ?? 0) + by);
              expect(holders.get(key)).toBeLessThanOrEqual(1);
              expect(locks.isLocked(key)).toBe(true);
            }
          };
          const section = async () => {
            count(1);
            await turns(stays);
            count(-1);
          };
          await turns(delay);
          const controller = new AbortController();
          if (way === "try") {
            const held = locks.tryAcquire(keys);
            if (held) await section();
            held?.release();
          } else {
            const { signal } = controller;
            const patience = way === "abort" ? { signal } : way === "time out" ? { timeoutMs: stays } : {};
            const ran = locks.run(keys, section, patience).catch((error: unknown) => {
              if (error !== "aborted" && !isLockstepError(error, "timeout")) throw error;
            });
            await turns(stays);
            controller.abort("aborted");
            await ran;
          }
          done++;
        });
        const finished = Promise.all(all);
        for (let i = 0; i < 400 && done < tasks.length; i++) await clock.advance(1);
        expect(done).toBe(tasks.length);
        await finished;
        expect(locks.size).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

test("a key that is refused for a deadlock is forgotten like any other", async () => {
  using _detector = detectDeadlocks();
  const locks = new KeyedMutex();
  {
    using _held = await locks.acquire("a");
    await expect(locks.acquire("a")).rejects.toMatchObject({ code: "deadlock" });
  }
  expect(locks.size).toBe(0);
});

test("a million keys that were used once leave nothing behind", async () => {
  const locks = new KeyedMutex<number>();
  let key = 0;
  await expectNothingLeft(5_000_000, async () => {
    for (let each = 0; each < 1_000_000; each++) (await locks.acquire(key++)).release();
  });
  expect(locks.size).toBe(0);
});

test("an abort that itself frees the last key still ends the wait for several", async () => {
  const mutex = new KeyedMutex();
  const b = await mutex.acquire("b");
  const controller = new AbortController();
  controller.signal.addEventListener("abort", () => b.release());
  const both = mutex.acquire(["a", "b"], { signal: controller.signal });
  await Promise.resolve();
  controller.abort(new Error("enough"));
  await expect(both).rejects.toThrow("enough");
  expect(mutex.size).toBe(0);
});
