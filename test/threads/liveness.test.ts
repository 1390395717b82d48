import { ManualClock, systemClock } from "lockstep/base";
import { Mutex, Semaphore } from "lockstep/threads";
import { describe, expect, test, vi } from "vitest";
import type { Liveness } from "../../src/threads/liveness.js";
import { ShortLock } from "../../src/threads/short-lock.js";
import { ThreadTable } from "../../src/threads/thread-table.js";
import { Thread } from "./thread.js";

describe("ThreadTable", () => {
  test("holds a thread from its entry to its end", () => {
    const table = ThreadTable.create();
    expect(table.isDead(5)).toBe(true);
    table.enter(5, 1);
    expect(table.isDead(5)).toBe(false);
    table.bury(5);
    expect(table.isDead(5)).toBe(true);
  });

  test("a thread takes those along that it started, and they theirs", () => {
    const table = ThreadTable.create();
    table.enter(1, 0);
    table.enter(2, 1);
    // Before its parent, so that one round of looking is not enough.
    table.enter(3, 2);
    table.bury(1);
    table.enter(10, 9);
    table.enter(1, 0);
    table.enter(4, 3);
    expect([2, 3].every((each) => table.isDead(each))).toBe(true);
    expect([1, 4, 10].some((each) => table.isDead(each))).toBe(false);
  });

  test("takes one for dead when its time has come, and those that it had started a second later", () => {
    const clock = new ManualClock();
    const table = ThreadTable.create(clock);
    table.enter(2, 0);
    table.enter(3, 2);
    table.enter(4, 3);
    const dead = () => [2, 3, 4].filter((each) => table.isDead(each));
    table.expectEnd(2, 500);
    clock.jump(490);
    expect(dead()).toEqual([]);
    // Who looks again later does not put it off.
    table.expectEnd(2, 500);
    clock.jump(10);
    expect(dead()).toEqual([2]);
    clock.jump(1000);
    expect(dead()).toEqual([2, 3, 4]);
  });

  test("takes the earlier of two times", () => {
    const clock = new ManualClock(2 ** 31 * 10 - 1000);
    const table = ThreadTable.create(clock);
    table.enter(2, 0);
    table.expectEnd(2, 5000);
    table.expectEnd(2, 500);
    expect(table.isDead(2)).toBe(false);
    clock.jump(500);
    expect(table.isDead(2)).toBe(true);
    clock.jump(200 * 24 * 3600 * 1000);
    expect(table.isDead(2)).toBe(true);
  });

  test("a thread that enters while its parent ends goes with it", () => {
    const table = ThreadTable.create();
    table.enter(2, 1);
    table.expectEnd(2, 0);
    table.enter(3, 2);
    expect(table.isDead(3)).toBe(false);
    table.bury(2);
    expect(table.isDead(3)).toBe(true);
    // Nor need its parent be in this table.
    table.enter(5, 4);
    table.bury(4);
    expect(table.isDead(5)).toBe(true);
  });

  test("makes room by striking out those whose time has come, and whom nobody has buried", () => {
    const clock = new ManualClock();
    const table = ThreadTable.create(clock);
    for (let number = 1; number <= 1024; number++) table.enter(number, number <= 1000 ? 0 : 1000);
    table.expectEnd(1000, 0);
    expect(() => table.enter(2000, 0)).not.toThrow();
    expect(() => table.enter(2001, 0)).not.toThrow();
    expect([999, 1024].map((each) => table.isDead(each))).toEqual([false, true]);
  });

  test("has room again for as many as have gone, and says when it is full", () => {
    const table = ThreadTable.create();
    for (let number = 1; number <= 5000; number++) {
      table.enter(number, 0);
      if (number > 1000) table.bury(number - 1000);
    }
    for (let number = 5001; number <= 5024; number++) table.enter(number, 0);
    expect(() => table.enter(5025, 0)).toThrow(expect.objectContaining({ code: "unavailable" }));
  });

  test("knows itself again after a transfer", () => {
    const table = ThreadTable.create();
    expect(new ThreadTable(structuredClone(table.memory)).isSameAs(table)).toBe(true);
    expect(ThreadTable.create().isSameAs(table)).toBe(false);
  });
});

/** The ways in which a thread can end while it holds a lock. */
const ends: Record<string, (thread: Thread) => Promise<unknown>> = {
  "is terminated": (thread) => thread.kill(),
  "calls process.exit": async (thread) => {
    void thread.run(() => process.exit(3));
    expect(await thread.exited).toBe(3);
  },
  "fails with what nobody catches": async (thread) => {
    void thread.run(() => {
      queueMicrotask(() => {
        throw new Error("boo");
      });
    });
    await thread.exited;
  },
  "is terminated while it blocks": async (thread) => {
    void thread.run(({ sleepSync }) => sleepSync(60_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await thread.kill();
  },
  "is terminated while it runs without end": async (thread) => {
    void thread.run(() => {
      for (;;);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await thread.kill();
  },
  "comes to its end": async (thread) => {
    await thread.run(({ unref }) => unref());
    await thread.exited;
  },
};

describe("a thread that dies with a mutex", () => {
  for (const [how, end] of Object.entries(ends)) {
    test(`because it ${how}`, async () => {
      const mutex = new Mutex();
      const [dying, blocked, other] = await Promise.all(
        [1, 2, 3].map(() => Thread.start({ mutex: mutex.handle })),
      );
      await dying!.run(({ mutex, kept }) => {
        kept["held"] = mutex.lockSync();
      });
      const codes = [
        blocked!.run(({ mutex, failure }) => failure(() => mutex.lockSync())),
        other!.run(({ mutex, rejection }) => rejection(() => mutex.acquire())),
        mutex.acquire().then(
          () => "nothing",
          (error: unknown) => (error as { code: string }).code,
        ),
      ];
      await end(dying!);
      expect(await Promise.all(codes)).toEqual(["lost", "lost", "lost"]);
      expect(() => mutex.tryAcquire()).toThrow(/recover\(\)/);

      const mended = mutex.recover();
      expect(mended?.isHeld).toBe(true);
      expect(mutex.recover()).toBeNull();
      const waits = blocked!.run(({ mutex }) => mutex.runSync(() => "whole again"));
      mended?.release();
      expect(await waits).toBe("whole again");
    });
  }

  test("is noticed though its parent blocks", async () => {
    const parent = await Thread.start({});
    const code = await parent.run(async ({ nest, failure }) => {
      const { mutex, child } = await nest();
      await child.step(({ mutex, kept }) => {
        kept["held"] = mutex.lockSync();
      });
      void child.worker.terminate();
      return failure(() => mutex.lockSync({ timeoutMs: 5000 }));
    });
    expect(code).toBe("lost");
  });

  test("is noticed when it goes with the thread that had started it", async () => {
    const parent = await Thread.start({});
    const handle = await parent.run(async ({ nest }) => {
      const { mutex, child } = await nest();
      await child.step(({ mutex, kept }) => {
        kept["held"] = mutex.lockSync();
      });
      return mutex.handle;
    });
    const mutex = Mutex.from(handle);
    await expect(mutex.acquire({ timeoutMs: 150 })).rejects.toMatchObject({ code: "timeout" });
    const waits = mutex.acquire();
    await parent.kill();
    await expect(waits).rejects.toMatchObject({ code: "lost" });
  });
});

describe("a thread that is about to end", () => {
  test("may lock in its last listeners", async () => {
    const mutex = new Mutex();
    const words = new Int32Array(new SharedArrayBuffer(64));
    const thread = await Thread.start({ mutex: mutex.handle }, words);
    void thread.run(({ mutex, words, sleepSync }) => {
      process.on("exit", () => {
        mutex.runSync(() => {
          Atomics.store(words, 0, 1);
          sleepSync(300);
          Atomics.store(words, 0, 2);
        });
      });
      process.exit(0);
    });
    await expect.poll(() => words[0]).toBe(1);
    (await mutex.acquire()).release();
    expect(words[0]).toBe(2);
  });

  test("holds what it holds until they have run", async () => {
    const mutex = new Mutex();
    const words = new Int32Array(new SharedArrayBuffer(64));
    const thread = await Thread.start({ mutex: mutex.handle }, words);
    void thread.run(({ mutex, kept, words, sleepSync }) => {
      kept["held"] = mutex.lockSync();
      process.on("exit", () => {
        Atomics.store(words, 0, 1);
        sleepSync(300);
        Atomics.store(words, 0, 2);
      });
      process.exit(0);
    });
    await expect.poll(() => words[0]).toBe(1);
    await expect(mutex.acquire()).rejects.toMatchObject({ code: "lost" });
    expect(words[0]).toBe(2);
  });

  test("has children that live until they have run", async () => {
    const words = new Int32Array(new SharedArrayBuffer(64));
    const parent = await Thread.start({}, words);
    const handle = await parent.run(async ({ nest }) => {
      const { mutex, child } = await nest();
      await child.step(({ mutex, kept, words }) => {
        kept["held"] = mutex.lockSync();
        setTimeout(() => {
          for (;;) Atomics.add(words, 1, 1);
        });
      });
      return mutex.handle;
    });
    void parent.run(({ words, sleepSync }) => {
      process.on("exit", () => {
        Atomics.store(words, 0, 1);
        sleepSync(300);
        Atomics.store(words, 0, 2);
      });
      process.exit(0);
    });
    await expect.poll(() => words[0]).toBe(1);
    const mutex = Mutex.from(handle);
    await expect(mutex.acquire()).rejects.toMatchObject({ code: "lost" });
    expect(words[0]).toBe(2);
    const counted = Atomics.load(words, 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(Atomics.load(words, 1)).toBe(counted);
  });

  test("takes a child along that has only just begun", async () => {
    const mutex = new Mutex();
    const words = new Int32Array(new SharedArrayBuffer(64));
    const parent = await Thread.start({ mutex: mutex.handle }, words);
    void parent.run(({ mutex, words, sleepSync }) => {
      const { Worker } = process.getBuiltinModule("node:worker_threads");
      const data = { things: { mutex: mutex.handle }, words };
      const child = new Worker(process.argv[1]!, { workerData: data });
      const step = "({ mutex, words, kept }) => { kept.held = mutex.lockSync(); words[0] = 1; }";
      child.postMessage({ id: 0, step });
      process.on("exit", () => {
        for (let nap = 0; nap < 500 && Atomics.load(words, 0) === 0; nap++) sleepSync(10);
      });
      process.exit(0);
    });
    await parent.exited;
    expect(words[0]).toBe(1);
    await expect(mutex.acquire({ timeoutMs: 1000 })).rejects.toMatchObject({ code: "lost" });
  });
});

describe("ShortLock", () => {
  const liveness = { self: 2, isDead: () => false } as unknown as Liveness;

  test("gives up on a thread that stands still, rather than to hang for ever", () => {
    let nowMs = 0;
    using _now = vi.spyOn(systemClock, "now").mockImplementation(() => (nowMs += 100));
    const lock = new ShortLock(new Int32Array(1).fill(7), 0, liveness);
    expect(() => lock.enter()).toThrow(expect.objectContaining({ code: "unavailable" }));
    expect(nowMs).toBeGreaterThan(5000);
  });

  test("is patient with many who come and go", () => {
    let nowMs = 0;
    const words = new Int32Array(1).fill(7);
    using _now = vi.spyOn(systemClock, "now").mockImplementation(() => {
      nowMs += 1000;
      words[0] = nowMs < 30_000 ? 7 + (nowMs % 5000) : 0;
      return nowMs;
    });
    new ShortLock(words, 0, liveness).enter();
    expect(words[0]).toBe(2);
  });
});

test("a worker is seen to have ended by a parent that terminates it and goes on in that turn", async () => {
  const mutex = new Mutex();
  const words = new Int32Array(new SharedArrayBuffer(64));
  const parent = await Thread.start({ mutex: mutex.handle }, words);
  const code = await parent.run(({ mutex, words, sleepSync, failure }) => {
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    const data = { things: { mutex: mutex.handle }, words };
    const child = new Worker(process.argv[1]!, { workerData: data });
    const step = "({ mutex, words, kept }) => { kept.held = mutex.lockSync(); words[0] = 1; }";
    child.postMessage({ id: 0, step });
    while (Atomics.load(words, 0) === 0) sleepSync(10);
    void child.terminate();
    return failure(() => mutex.lockSync({ timeoutMs: 5000 }));
  });
  expect(code).toBe("lost");
});

test("a thread that is started for each task leaves no trace in the table", async () => {
  const semaphore = new Semaphore(1);
  for (let round = 0; round < 20; round++) {
    const thread = await Thread.start({ semaphore: semaphore.handle });
    await thread.run(({ semaphore, kept }) => {
      kept["held"] = semaphore.acquireSync({ timeoutMs: 5000 });
    });
    await thread.kill();
  }
  expect(semaphore.tryAcquire()).not.toBeNull();
});
