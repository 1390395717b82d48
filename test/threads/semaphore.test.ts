import { describe, expect, test } from "vitest";
import { Semaphore, type Held } from "lockstep/threads";
import { Thread } from "./thread.js";

describe("Semaphore", () => {
  test("lends so many permits, and no more", async () => {
    const semaphore = new Semaphore(3);
    expect([semaphore.permits, semaphore.free]).toEqual([3, 3]);
    const two = semaphore.tryAcquire({ weight: 2 });
    expect(semaphore.free).toBe(1);
    expect(semaphore.tryAcquire({ weight: 2 })).toBeNull();
    const one = await semaphore.acquire({ timeoutMs: 0 });
    await expect(semaphore.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    two?.release();
    one.release();
    expect(semaphore.free).toBe(3);
    expect(() => one.release()).toThrow(expect.objectContaining({ code: "misuse" }));
    expect(semaphore.free).toBe(3);
  });

  test("refuses nonsense", async () => {
    const semaphore = new Semaphore(2);
    for (const permits of [0, -1, 1.5, NaN, Infinity, "2" as never, 2 ** 31]) {
      expect(() => new Semaphore(permits)).toThrow(expect.objectContaining({ code: "bad-input" }));
    }
    for (const weight of [0, -1, 1.5, NaN, 3, "1" as never]) {
      await expect(semaphore.acquire({ weight })).rejects.toMatchObject({ code: "bad-input" });
      expect(() => semaphore.tryAcquire({ weight })).toThrow(expect.objectContaining({ code: "bad-input" }));
    }
    expect(() => semaphore.acquireSync()).toThrow(/await semaphore.acquire\(\)/);
    expect(semaphore.free).toBe(2);
  });

  test("one who wants many is not overtaken by those who want few", async () => {
    const semaphore = new Semaphore(2);
    const thread = await Thread.start({ semaphore: semaphore.handle });
    const held = semaphore.tryAcquire();
    const many = thread.run(({ semaphore }) => semaphore.acquireSync({ weight: 2 }).release());
    await expect.poll(() => semaphore.tryAcquire()?.release() === undefined && waiting(semaphore)).toBe(1);
    expect(semaphore.free).toBe(1);
    expect(semaphore.tryAcquire()).toBeNull();
    held?.release();
    await many;
    expect(semaphore.tryAcquire({ weight: 2 })?.isHeld).toBe(true);
  });

  test("one who gives up makes way for those behind it", async () => {
    const semaphore = new Semaphore(2);
    const threads = await Promise.all([1, 2].map(() => Thread.start({ semaphore: semaphore.handle })));
    const held = semaphore.tryAcquire();
    const many = threads[0]!.run(({ semaphore, rejection }) =>
      rejection(() => semaphore.acquire({ weight: 2, timeoutMs: 150 })),
    );
    await expect.poll(() => waiting(semaphore)).toBe(1);
    const few = threads[1]!.run(({ semaphore }) => semaphore.acquireSync({ timeoutMs: 5000 }).release());
    expect(await many).toBe("timeout");
    await few;
    held?.release();
    expect(semaphore.free).toBe(2);
  });

  test("tasks are served in their order, and one that gives up makes way", async () => {
    const semaphore = new Semaphore(2);
    const held = await semaphore.acquire({ weight: 2 });
    const controller = new AbortController();
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const all = [
      semaphore.run(note("a")),
      semaphore.run(note("big"), { weight: 2, signal: controller.signal }).catch(note("gave up")),
      semaphore.run(note("b")),
      semaphore.run(note("c"), { timeoutMs: 5000 }),
    ];
    controller.abort();
    await Promise.resolve();
    held.release();
    await Promise.all(all);
    expect(order.filter((name) => name !== "gave up")).toEqual(["a", "b", "c"]);
    expect(semaphore.free).toBe(2);
  });

  test("a grant that races an abort is lost by nobody", async () => {
    const semaphore = new Semaphore(1);
    for (let round = 0; round < 50; round++) {
      const held = await semaphore.acquire();
      const controller = new AbortController();
      const waits = semaphore.acquire({ signal: controller.signal });
      await Promise.resolve();
      if (round % 2 === 0) held.release();
      controller.abort(new Error("enough"));
      if (round % 2 === 1) held.release();
      await waits.then(
        (late) => late.release(),
        () => undefined,
      );
      expect(semaphore.free).toBe(1);
    }
  });

  test("what a dead thread held is free again, and its place in line is nobody's", async () => {
    const semaphore = new Semaphore(3);
    const threads = await Promise.all([1, 2, 3].map(() => Thread.start({ semaphore: semaphore.handle })));
    const [holder, waiter, other] = threads as [Thread, Thread, Thread];
    await holder.run(({ semaphore, kept }) => {
      kept["a"] = semaphore.acquireSync();
      kept["b"] = semaphore.acquireSync({ weight: 2 });
    });
    void waiter.run(({ semaphore }) => semaphore.acquireSync({ weight: 3 }));
    await expect.poll(() => waiting(semaphore)).toBe(1);
    const waits = other.run(async ({ semaphore }) => (await semaphore.acquire()).isHeld);
    await waiter.kill();
    await holder.kill();
    expect(await waits).toBe(true);
    expect(semaphore.free).toBe(2);
  });

  test("what the dead held is free, and there is room for others", async () => {
    const semaphore = new Semaphore(1000);
    const words = new Int32Array(semaphore.handle.memory);
    fill(words, 2 ** 27);
    expect(semaphore.free).toBe(1000);
    for (const take of [() => semaphore.tryAcquire(), () => semaphore.acquire()]) {
      fill(words, 2 ** 27);
      (await take())?.release();
    }
    fill(words, 2 ** 27);
    // In the full roster too, one who waits finds a row.
    const most = semaphore.tryAcquire({ weight: 999 });
    fill(words, 2 ** 27, 511);
    const waits = semaphore.acquire({ weight: 999, timeoutMs: 5000 });
    most?.release();
    (await waits).release();
    expect(semaphore.free).toBe(1000);
  });

  test("nobody overtakes the tasks of its thread", async () => {
    const semaphore = new Semaphore(2);
    const all = await semaphore.acquire({ weight: 2 });
    const tasks = [semaphore.acquire(), semaphore.acquire()];
    all.release();
    for (let step = 0; step < 50; step++) {
      expect(semaphore.tryAcquire(), `after ${step} steps`).toBeNull();
      await Promise.resolve();
    }
    const late = semaphore.acquire();
    for (const task of tasks) (await task).release();
    (await late).release();
    expect(semaphore.tryAcquire({ weight: 2 })?.isHeld).toBe(true);
  });

  test("nor those who come first because another one gives up", async () => {
    const semaphore = new Semaphore(2);
    const held = await semaphore.acquire();
    const controller = new AbortController();
    const gaveUp = semaphore.acquire({ weight: 2, signal: controller.signal }).catch(() => "gave up");
    let next: Held | undefined;
    const waits = semaphore.acquire().then((found) => (next = found));
    const overtakes = async () => {
      for (let step = 0; step < 50; step++) {
        if (semaphore.tryAcquire() !== null && next === undefined) return step;
        await Promise.resolve();
      }
      return undefined;
    };
    // A step of this loop comes before each step of the others, and one of that loop after it.
    const before = overtakes();
    controller.abort();
    expect(await Promise.all([before, overtakes()])).toEqual([undefined, undefined]);
    expect(await gaveUp).toBe("gave up");
    (await waits).release();
    held.release();
    expect(semaphore.free).toBe(2);
  });

  test("one free permit beside a granted task is free", async () => {
    const semaphore = new Semaphore(2);
    const all = await semaphore.acquire({ weight: 2 });
    const task = semaphore.acquire();
    all.release();
    expect(semaphore.tryAcquire()?.isHeld).toBe(true);
    expect((await task).isHeld).toBe(true);
  });

  test("its tasks stand in line again when a thread could not block for want of room", async () => {
    const semaphore = new Semaphore(1);
    const thread = await Thread.start({ semaphore: semaphore.handle });
    const held = await semaphore.acquire();
    const done = thread.run(async ({ semaphore, failure, words }) => {
      const rows = new Int32Array(semaphore.handle.memory);
      const task = semaphore.acquire();
      // All other rows belong to the main thread, which holds the first.
      const before = rows.slice();
      for (let row = 8; row < rows.length; row += 4)
        if (rows[row + 3] === 0) rows.set([rows[8]!, 0, 0, 4], row);
      rows[1] = 512;
      const code = failure(() => semaphore.acquireSync({ timeoutMs: 100 }));
      for (let row = 8; row < rows.length; row += 4) if (before[row + 3] === 0) rows[row + 3] = 0;
      Atomics.store(words, 0, 1);
      (await task).release();
      return code;
    });
    await expect.poll(() => waiting(semaphore)).toBe(1);
    held.release();
    expect(await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 3000))])).toBe(
      "unavailable",
    );
  });

  test("a thread that would wait for itself is told; one that holds and wants more goes first", async () => {
    const semaphore = new Semaphore(2);
    const thread = await Thread.start({ semaphore: semaphore.handle });
    const codes = await thread.run(async ({ semaphore, failure }) => {
      const held = semaphore.acquireSync();
      const itself = failure(() => semaphore.acquireSync({ weight: 2 }));
      const task = semaphore.acquire({ weight: 2 });
      // The task waits for `held`, and steps aside for the thread that blocks.
      const more = failure(() => semaphore.acquireSync({ timeoutMs: 1000 }).release());
      held.release();
      (await task).release();
      return [itself, more, semaphore.free];
    });
    expect(codes).toEqual(["misuse", "nothing", 2]);
  });

  test("a task that was granted while its thread came to block steps aside", async () => {
    const semaphore = new Semaphore(1);
    const thread = await Thread.start({ semaphore: semaphore.handle });
    const held = await semaphore.acquire();
    const done = thread.run(async ({ semaphore, sleepSync, words }) => {
      const task = semaphore.acquire();
      Atomics.store(words, 0, 1);
      // It is granted while the thread sleeps, and cannot know.
      sleepSync(100);
      semaphore.acquireSync({ timeoutMs: 5000 }).release();
      (await task).release();
      return semaphore.free;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    held.release();
    expect(await done).toBe(1);
  });
});

/** How many rows of the roster wait. */
function waiting({ handle: { memory } }: Semaphore): number {
  const words = new Int32Array(memory);
  let count = 0;
  for (let row = 8; row < words.length; row += 4) if (words[row + 3] === 1) count++;
  return count;
}

/** Fills the last rows of the roster with threads of that number, each of which holds one permit. */
function fill(words: Int32Array, owner: number, count = 512): void {
  for (let row = words.length - count * 4; row < words.length; row += 4) words.set([owner, 1, 0, 4], row);
  words[1] = 512;
}
