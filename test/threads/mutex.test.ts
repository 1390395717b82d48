import { describe, expect, test } from "vitest";
import { Mutex, Semaphore, type MutexHandle } from "lockstep/threads";
import { Thread } from "./thread.js";

describe("Mutex", () => {
  test("is free, held, and free again", async () => {
    const mutex = new Mutex();
    const held = mutex.tryAcquire();
    expect(held?.isHeld).toBe(true);
    expect(mutex.isLocked).toBe(true);
    expect(mutex.tryAcquire()).toBeNull();
    held?.release();
    expect(held?.isHeld).toBe(false);
    expect(mutex.isLocked).toBe(false);
    {
      using again = await mutex.acquire();
      expect(again.isHeld).toBe(true);
    }
    expect(mutex.isLocked).toBe(false);
  });

  test("is released once", async () => {
    const mutex = new Mutex();
    const held = await mutex.acquire();
    held.release();
    const next = await mutex.acquire();
    expect(() => held.release()).toThrow(expect.objectContaining({ code: "misuse" }));
    held[Symbol.dispose]();
    expect(next.isHeld).toBe(true);
    expect(mutex.isLocked).toBe(true);
  });

  test("tasks of one thread wait for each other, in their order", async () => {
    const mutex = new Mutex();
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4].map((each) =>
        mutex.run(async () => {
          order.push(each);
          await Promise.resolve();
          order.push(each);
        }),
      ),
    );
    expect(order).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  });

  test("a task that waits is not overtaken by others of its thread, and the loop goes on", async () => {
    const mutex = new Mutex();
    const held = await mutex.acquire();
    const order: string[] = [];
    const waits = mutex.run(() => order.push("waits"));
    held.release();
    expect(mutex.isLocked).toBe(false);
    expect(mutex.tryAcquire()).toBeNull();
    await expect(mutex.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    for (let round = 0; round < 3; round++) await mutex.run(() => order.push("comes later"));
    await waits;
    expect(order).toEqual(["waits", "comes later", "comes later", "comes later"]);
    // Nobody waits any more.
    mutex.tryAcquire()!.release();
    const controller = new AbortController();
    const again = await mutex.acquire();
    const aborted = mutex.acquire({ signal: controller.signal });
    controller.abort();
    again.release();
    await expect(aborted).rejects.toThrow();
    expect(mutex.tryAcquire()).not.toBeNull();
  });

  test("gives up by time or signal, and is never granted then", async () => {
    const mutex = new Mutex();
    const held = await mutex.acquire();
    await expect(mutex.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    await expect(mutex.acquire({ timeoutMs: 5 })).rejects.toMatchObject({ code: "timeout" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const waits = mutex.acquire({ signal: controller.signal });
    controller.abort(reason);
    await expect(waits).rejects.toBe(reason);
    await expect(mutex.acquire({ signal: controller.signal })).rejects.toBe(reason);
    held.release();
    expect(mutex.isLocked).toBe(false);
    (await mutex.acquire({ timeoutMs: 0 })).release();
  });

  test("refuses nonsense, and says what to do", async () => {
    const mutex = new Mutex({ name: "accounts" });
    await expect(mutex.acquire({ timeout: 5 } as object)).rejects.toMatchObject({ code: "bad-input" });
    await expect(mutex.acquire({ timeoutMs: -1 })).rejects.toMatchObject({ code: "bad-input" });
    await expect(mutex.acquire({ timeoutMs: NaN })).rejects.toMatchObject({ code: "bad-input" });
    await expect(mutex.run(undefined as never)).rejects.toMatchObject({ code: "bad-input" });
    expect(() => new Mutex({ nmae: "x" } as object)).toThrow(/no option "nmae"/);
    expect(() => mutex.lockSync()).toThrow(/main thread must not block: use `await mutex.acquire\(\)`/);
    const held = await mutex.acquire();
    await expect(mutex.acquire({ timeoutMs: 1 })).rejects.toThrow(/the mutex "accounts"/);
    held.release();
  });

  test("refuses what is not its handle", () => {
    const from = (handle: unknown) => () => Mutex.from(handle as MutexHandle);
    const { handle } = new Mutex();
    expect(from(new Semaphore(1).handle)).toThrow(/handle of a Semaphore; use Semaphore.from\(handle\)/);
    expect(from({ ...handle, version: 7 })).toThrow(/version 7/);
    expect(from({ ...handle, memory: new ArrayBuffer(8) })).toThrow(/not a SharedArrayBuffer/);
    expect(from({ ...handle, memory: new SharedArrayBuffer(0) })).toThrow(/needs 8 bytes/);
    expect(from({ ...handle, threads: undefined })).toThrow(/table of threads/);
    expect(from(JSON.parse(JSON.stringify(handle)))).toThrow(/JSON cannot carry it/);
    for (const nonsense of [undefined, null, 1, "mutex", {}, [], Object.create(null)]) {
      expect(from(nonsense)).toThrow(/needs the `handle` of a Mutex/);
    }
  });

  test("excludes other threads, whether they block or await", async () => {
    const mutex = new Mutex();
    const thread = await Thread.start({ mutex: mutex.handle });
    const held = await mutex.acquire();
    expect(await thread.run(({ mutex }) => mutex.tryAcquire())).toBeNull();
    expect(await thread.run(({ mutex, failure }) => failure(() => mutex.lockSync({ timeoutMs: 5 })))).toBe(
      "timeout",
    );
    const blocks = thread.run(({ mutex, kept }) => {
      kept["held"] = mutex.lockSync();
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    held.release();
    await blocks;
    expect(mutex.tryAcquire()).toBeNull();
    const waits = mutex.acquire();
    await thread.run(({ kept }) => kept["held"]!.release());
    (await waits).release();
  });

  test("what is reserved for those who sleep is not for newcomers, unless they have all gone", async () => {
    const mutex = new Mutex();
    const word = new Int32Array(mutex.handle.memory);
    const reserved = 3;
    const thread = await Thread.start({ mutex: mutex.handle });
    const held = await mutex.acquire();
    const blocks = thread.run(({ mutex, kept }) => {
      kept["held"] = mutex.lockSync();
    });
    await expect.poll(() => word[0]! & reserved).toBe(reserved);
    // As the release would leave it, but nobody is woken.
    Atomics.store(word, 0, reserved);
    expect(mutex.tryAcquire()).toBeNull();
    await blocks;
    await thread.run(({ kept }) => kept["held"]!.release());
    Atomics.store(word, 0, reserved);
    held[Symbol.dispose]();
    expect(mutex.tryAcquire()?.isHeld).toBe(true);
  });

  test("nobody starves while others lock again and again", async () => {
    const mutex = new Mutex();
    const words = new Int32Array(new SharedArrayBuffer(64));
    const threads = await Promise.all([1, 2, 3].map(() => Thread.start({ mutex: mutex.handle }, words)));
    const greedy = threads.slice(1).map((thread) =>
      thread.run(({ mutex, words }) => {
        // Holding it nearly all the time, so that whoever wakes up finds it taken.
        while (Atomics.load(words, 0) === 0) {
          const held = mutex.lockSync();
          for (let spin = 0; spin < 20_000; spin++) Atomics.load(words, 1);
          held.release();
        }
      }),
    );
    const served = await threads[0]!.run(({ mutex, words }) => {
      for (let round = 0; round < 20; round++) mutex.lockSync({ timeoutMs: 10_000 }).release();
      Atomics.store(words, 0, 1);
      return true;
    });
    expect(served).toBe(true);
    await Promise.all(greedy);
  });

  test("a thread is told when it would wait for itself", async () => {
    const mutex = new Mutex();
    const thread = await Thread.start({ mutex: mutex.handle });
    const codes = await thread.run(async ({ mutex, failure }) => {
      const held = mutex.lockSync();
      const own = failure(() => mutex.lockSync());
      // Tasks may wait for each other.
      const waits = mutex.acquire();
      held.release();
      (await waits).release();
      return [own, failure(() => mutex.runSync(() => 1)), mutex.isLocked];
    });
    expect(codes).toEqual(["misuse", "nothing", false]);
  });

  test("runSync releases, whatever the section does, and refuses one that awaits", async () => {
    const mutex = new Mutex();
    const thread = await Thread.start({ mutex: mutex.handle });
    const seen = await thread.run(({ mutex, failure }) => [
      mutex.runSync(() => 7),
      failure(() =>
        mutex.runSync(() => {
          throw new Error("boo");
        }),
      ),
      failure(() => mutex.runSync(async () => Promise.reject(new Error("unheard")))),
      failure(() => mutex.runSync(3 as never)),
      failure(() => mutex.lockSync({ timeoutMs: -1 })),
      failure(() => mutex.lockSync({ signal: 1 } as object)),
      mutex.isLocked,
    ]);
    expect(seen).toEqual([7, "Error: boo", "misuse", "bad-input", "bad-input", "bad-input", false]);
  });

  test("the wait of a task keeps its thread alive", async () => {
    const mutex = new Mutex();
    const held = await mutex.acquire();
    const thread = await Thread.start({ mutex: mutex.handle });
    const waits = thread.run(async ({ mutex }) => {
      (await mutex.acquire()).release();
      return "went on";
    });
    await thread.run(({ unref }) => unref());
    await new Promise((resolve) => setTimeout(resolve, 250));
    held.release();
    expect(await waits).toBe("went on");
    await thread.exited;
  });
});
