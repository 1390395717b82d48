// Threads that lock, wait, give up and die at random, and what must hold whatever they do. It prints its seed
// with a failure; LOCKSTEP_STRESS_SEED repeats a run as far as threads can be repeated, and
// LOCKSTEP_STRESS_SECONDS makes it longer.
import { SeededRandom } from "lockstep/base";
import { Barrier, Mutex, RwLock, Semaphore } from "lockstep/threads";
import { describe, expect, test } from "vitest";
import { Thread, type Stage } from "./thread.js";

const seconds = Number(process.env["LOCKSTEP_STRESS_SECONDS"] ?? 2);
const seed = Number(process.env["LOCKSTEP_STRESS_SEED"] ?? Date.now() % 2 ** 31);
const timeout = { timeout: seconds * 1000 + 60_000 };

// Words that the threads count in.
const insideAt = 0;
const stopAt = 1;
const sumAt = 2;
const writersAt = 3;
const wrongAt = 4;
/** One for each thread: how often it went in. */
const firstOwnAt = 8;

/** Locks again and again until told to stop, in each of the ways, with all kinds of patience. */
async function contend({ mutex, words, sleepSync }: Stage, { own, seed }: { own: number; seed: number }) {
  let state = seed;
  const random = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % limit;
  };
  const inside = () => {
    if (Atomics.add(words, 0, 1) !== 0) Atomics.store(words, 4, 1);
    // Not atomic: only exclusion keeps the sum right.
    words[2] = words[2]! + 1;
    for (let spin = random(200); spin > 0; spin--) Atomics.load(words, 0);
    Atomics.add(words, own, 1);
    if (random(500) === 0) sleepSync(1);
    Atomics.sub(words, 0, 1);
  };
  while (Atomics.load(words, 1) === 0) {
    const way = random(5);
    try {
      if (way === 0) mutex.runSync(inside);
      else if (way === 1) mutex.runSync(inside, { timeoutMs: random(3) });
      else if (way === 2) await mutex.run(inside);
      else if (way === 3) {
        const controller = new AbortController();
        const waits = mutex.run(inside, { signal: controller.signal });
        if (random(2) === 0) await Promise.resolve();
        controller.abort({ code: "timeout" });
        await waits;
      } else mutex.tryAcquire()?.release();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "lost") return "lost";
      if (code !== "timeout") throw error;
    }
    // A turn of the event loop, in which it can be told anything.
    if (random(50) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return "stopped";
}

describe(`at random, with seed ${seed}`, () => {
  test("a mutex excludes, loses no wake-up and lets nobody starve", timeout, async () => {
    const random = new SeededRandom(seed);
    const mutex = new Mutex();
    const words = new Int32Array(new SharedArrayBuffer(128));
    const threads = await Promise.all([1, 2, 3, 4].map(() => Thread.start({ mutex: mutex.handle }, words)));
    const ends = threads.map((thread, index) =>
      thread.run(contend, { own: firstOwnAt + index, seed: random.below(2 ** 31) }),
    );
    const until = Date.now() + seconds * 1000;
    while (Date.now() < until) {
      using _held = await mutex.acquire({ timeoutMs: 10_000 });
      expect(Atomics.add(words, insideAt, 1)).toBe(0);
      words[sumAt]!++;
      Atomics.add(words, firstOwnAt + 4, 1);
      Atomics.sub(words, insideAt, 1);
    }
    Atomics.store(words, stopAt, 1);
    expect(await Promise.all(ends)).toEqual(["stopped", "stopped", "stopped", "stopped"]);
    const own = [...words.slice(firstOwnAt, firstOwnAt + 5)];
    expect(words[wrongAt]).toBe(0);
    expect(words[sumAt]).toBe(own.reduce((sum, each) => sum + each));
    expect(Math.min(...own)).toBeGreaterThan(0);
    expect(mutex.isLocked).toBe(false);
  });

  test("whoever is terminated wherever, a mutex is never stuck", timeout, async () => {
    const random = new SeededRandom(seed + 1);
    const mutex = new Mutex();
    const until = Date.now() + seconds * 1000;
    for (let round = 0; Date.now() < until; round++) {
      const words = new Int32Array(new SharedArrayBuffer(128));
      const threads = await Promise.all([1, 2, 3].map(() => Thread.start({ mutex: mutex.handle }, words)));
      const ends = threads.map((thread, index) =>
        thread.run(contend, { own: firstOwnAt + index, seed: random.below(2 ** 31) }),
      );
      await new Promise((resolve) => setTimeout(resolve, random.below(30)));
      await threads[0]!.kill();
      await new Promise((resolve) => setTimeout(resolve, random.below(10)));
      Atomics.store(words, stopAt, 1);
      const others = await Promise.all(ends.slice(1));
      const held = await mutex.acquire({ timeoutMs: 5000 }).catch(() => mutex.recover());
      expect(held, `round ${round}`).not.toBeNull();
      held?.release();
      for (const end of others) expect(["stopped", "lost"]).toContain(end);
      // Whoever died inside left its count there; nobody else was inside beside it.
      expect(words[wrongAt], `round ${round}`).toBe(0);
      expect(words[insideAt]).toBeLessThanOrEqual(1);
    }
  });

  test("whoever is terminated wherever, permits come back", timeout, async () => {
    const random = new SeededRandom(seed + 2);
    const semaphore = new Semaphore(3);
    const until = Date.now() + seconds * 1000;
    for (let round = 0; Date.now() < until; round++) {
      const words = new Int32Array(new SharedArrayBuffer(128));
      const threads = await Promise.all(
        [1, 2, 3].map(() => Thread.start({ semaphore: semaphore.handle }, words)),
      );
      const ends = threads.map((thread, index) =>
        thread.run(async ({ semaphore, words }, index) => {
          while (Atomics.load(words, 1) === 0) {
            const weight = 1 + (index % 3);
            const held =
              index === 1
                ? await semaphore.acquire({ weight })
                : semaphore.acquireSync({ weight, timeoutMs: 5000 });
            // The dead one's permits are free while its count stays.
            if (Atomics.add(words, 0, weight) + weight > 3 + Atomics.load(words, 5))
              Atomics.store(words, 4, 1);
            Atomics.sub(words, 0, weight);
            held.release();
          }
        }, index),
      );
      await new Promise((resolve) => setTimeout(resolve, random.below(30)));
      Atomics.store(words, 5, 3);
      await threads[0]!.kill();
      await new Promise((resolve) => setTimeout(resolve, random.below(10)));
      Atomics.store(words, stopAt, 1);
      await Promise.all(ends.slice(1));
      const all = await semaphore.acquire({ weight: 3, timeoutMs: 5000 });
      expect(semaphore.free).toBe(0);
      all.release();
      expect(words[wrongAt], `round ${round}`).toBe(0);
    }
  });

  test("readers and writers exclude each other", timeout, async () => {
    const rwLock = new RwLock();
    const words = new Int32Array(new SharedArrayBuffer(128));
    const threads = await Promise.all([1, 2, 3].map(() => Thread.start({ rwLock: rwLock.handle }, words)));
    const ends = threads.map((thread, index) =>
      thread.run(async ({ rwLock, words }, index) => {
        const read = () => {
          Atomics.add(words, 0, 1);
          if (Atomics.load(words, 3) !== 0) Atomics.store(words, 4, 1);
          Atomics.sub(words, 0, 1);
        };
        const write = () => {
          if (Atomics.add(words, 3, 1) !== 0 || Atomics.load(words, 0) !== 0) Atomics.store(words, 4, 1);
          words[2] = words[2]! + 1;
          Atomics.add(words, 8 + index, 1);
          Atomics.sub(words, 3, 1);
        };
        for (let round = 0; Atomics.load(words, 1) === 0; round++) {
          if (round % 3 === index) await rwLock.write.run(write);
          else if (round % 3 === 0) rwLock.write.runSync(write);
          else if (round % 3 === 1) rwLock.read.runSync(read);
          else await rwLock.read.run(read);
        }
      }, index),
    );
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    Atomics.store(words, stopAt, 1);
    await Promise.all(ends);
    const own = [...words.slice(firstOwnAt, firstOwnAt + 3)];
    expect(words[wrongAt]).toBe(0);
    expect(words[writersAt]).toBe(0);
    expect(words[sumAt]).toBe(own.reduce((sum, each) => sum + each));
    expect(Math.min(...own)).toBeGreaterThan(0);
  });

  test("whoever is terminated wherever, a barrier trips or breaks", timeout, async () => {
    const random = new SeededRandom(seed + 3);
    const until = Date.now() + seconds * 1000;
    for (let round = 0; Date.now() < until; round++) {
      const barrier = new Barrier(3);
      const threads = await Promise.all([1, 2, 3].map(() => Thread.start({ barrier: barrier.handle })));
      const ends = threads.map((thread, index) =>
        thread.run(async ({ barrier }, index) => {
          try {
            for (;;) {
              if (index === 1) await barrier.wait();
              else barrier.waitSync();
            }
          } catch (error) {
            return (error as { code: string }).code;
          }
        }, index),
      );
      // Of one that dies before it ever came nobody knows.
      await expect.poll(() => barrier.generation, { interval: 1 }).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, random.below(30)));
      await threads[0]!.kill();
      expect(await Promise.all(ends.slice(1)), `round ${round}`).toEqual(["lost", "lost"]);
    }
  });
});
