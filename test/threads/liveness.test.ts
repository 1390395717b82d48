import { Mutex, Semaphore } from "lockstep/threads";
import { describe, expect, test } from "vitest";
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

  test("one that has stopped is dead, and its children are not yet", () => {
    const table = ThreadTable.create();
    table.enter(2, 0);
    table.enter(3, 2);
    table.enter(4, 0);
    table.markStopped(2);
    expect(table.isDead(2)).toBe(true);
    expect(table.isDead(3)).toBe(false);
    table.bury(4);
    expect(table.isDead(3)).toBe(false);
    table.bury(2);
    expect(table.isDead(3)).toBe(true);
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
      // Node has been asked about it while it ran.
      await new Promise((resolve) => setTimeout(resolve, 200));
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
