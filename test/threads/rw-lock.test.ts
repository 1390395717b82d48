import { describe, expect, test } from "vitest";
import { RwLock } from "lockstep/threads";
import { Thread } from "./thread.js";

describe("RwLock", () => {
  test("lets many read, or one write", async () => {
    const lock = new RwLock();
    const thread = await Thread.start({ rwLock: lock.handle });
    const mine = await lock.read.acquire();
    await thread.run(({ rwLock, kept }) => {
      kept["held"] = rwLock.read.lockSync();
    });
    expect(lock.write.tryAcquire()).toBeNull();
    mine.release();
    const writes = lock.write.acquire();
    await thread.run(({ kept }) => kept["held"]!.release());
    const writer = await writes;
    expect(lock.read.tryAcquire()).toBeNull();
    expect(await thread.run(({ rwLock }) => rwLock.read.tryAcquire())).toBeNull();
    writer.release();
    expect(lock.read.tryAcquire()?.isHeld).toBe(true);
  });

  test("a writer is not overtaken by readers, save by a thread that reads already", async () => {
    const lock = new RwLock();
    const thread = await Thread.start({ rwLock: lock.handle });
    await thread.run(({ rwLock, kept }) => {
      kept["held"] = rwLock.read.lockSync();
    });
    const writes = lock.write.acquire();
    expect(lock.read.tryAcquire()).toBeNull();
    expect(
      await thread.run(({ rwLock, failure }) =>
        failure(() => rwLock.read.lockSync({ timeoutMs: 1000 }).release()),
      ),
    ).toBe("nothing");
    await thread.run(({ kept }) => kept["held"]!.release());
    (await writes).release();
  });

  test("a reader becomes the writer before all others, and only one can", async () => {
    const lock = new RwLock();
    const words = new Int32Array(new SharedArrayBuffer(64));
    const thread = await Thread.start({ rwLock: lock.handle }, words);
    const mine = await lock.read.acquire();
    const theirs = thread.run(async ({ rwLock, rejection, failure, words }) => {
      const held = await rwLock.read.acquire();
      const upgrade = held.upgrade();
      words[0] = 1;
      const twice = await rejection(() => held.upgrade());
      const early = failure(() => held.release());
      const writer = await upgrade;
      const states = [held.isHeld, writer.isHeld];
      writer.release();
      return [twice, early, ...states];
    });
    await expect.poll(() => words[0]).toBe(1);
    const later = lock.write.acquire();
    await expect(mine.upgrade({ timeoutMs: 0 })).rejects.toMatchObject({ code: "misuse" });
    expect(mine.isHeld).toBe(true);
    mine.release();
    expect(await theirs).toEqual(["misuse", "misuse", false, true]);
    (await later).release();
  });

  test("an upgrade is no less under way while its thread blocks for something else", async () => {
    const lock = new RwLock();
    const thread = await Thread.start({ rwLock: lock.handle });
    const mine = await lock.read.acquire();
    const theirs = thread.run(async ({ rwLock }) => {
      const held = await rwLock.read.acquire();
      (await held.upgrade()).release();
    });
    const words = new Int32Array(lock.handle.memory);
    const isUpgrade = (row: number) => words[row + 3] === 1;
    const rows = Array.from({ length: 512 }, (_, index) => 8 + index * 4);
    await expect.poll(() => rows.filter(isUpgrade).length).toBe(1);
    const row = rows.find(isUpgrade)!;
    // It steps aside.
    words[row + 3] = 2;
    await expect(mine.upgrade({ timeoutMs: 0 })).rejects.toMatchObject({ code: "misuse" });
    words[row + 3] = 1;
    mine.release();
    await theirs;
  });

  test("nobody overtakes the tasks of its thread", async () => {
    const lock = new RwLock();
    const writer = await lock.write.acquire();
    const reads = lock.read.acquire();
    const writes = lock.write.acquire();
    writer.release();
    expect(lock.read.tryAcquire()).toBeNull();
    (await reads).release();
    (await writes).release();
    expect(lock.read.tryAcquire()?.isHeld).toBe(true);
  });

  test("what dead readers leave behind does not fill it", async () => {
    const lock = new RwLock();
    const words = new Int32Array(lock.handle.memory);
    for (let row = 8; row < words.length; row += 4) words.set([2 ** 27, 1, 0, 4], row);
    words[1] = 512;
    expect(lock.read.tryAcquire()?.isHeld).toBe(true);
  });

  test("a writer becomes a reader, with nobody writing in between", async () => {
    const lock = new RwLock();
    const writer = await lock.write.acquire();
    const thread = await Thread.start({ rwLock: lock.handle });
    const reads = thread.run(({ rwLock }) => rwLock.read.lockSync().release());
    const reader = writer.downgrade();
    expect([writer.isHeld, reader.isHeld]).toEqual([false, true]);
    await reads;
    expect(lock.write.tryAcquire()).toBeNull();
    const again = await reader.upgrade({ timeoutMs: 1000 });
    again.release();
    expect(lock.write.tryAcquire()?.isHeld).toBe(true);
  });

  test("a dead reader reads no more, and a dead writer is told of", async () => {
    const lock = new RwLock();
    const [reader, writer, other] = (await Promise.all(
      [1, 2, 3].map(() => Thread.start({ rwLock: lock.handle })),
    )) as [Thread, Thread, Thread];
    await reader.run(({ rwLock, kept }) => {
      kept["held"] = rwLock.read.lockSync();
    });
    const writes = writer.run(({ rwLock, kept }) => {
      kept["held"] = rwLock.write.lockSync();
    });
    await reader.kill();
    await writes;
    const codes = [
      other.run(({ rwLock, failure }) => failure(() => rwLock.read.lockSync())),
      lock.write.acquire().then(
        () => "nothing",
        (error: unknown) => (error as { code: string }).code,
      ),
    ];
    await writer.kill();
    expect(await Promise.all(codes)).toEqual(["lost", "lost"]);
    expect(() => lock.read.tryAcquire()).toThrow(/recover/);
    const mended = lock.recover();
    expect(lock.recover()).toBeNull();
    expect(lock.read.tryAcquire()).toBeNull();
    mended?.release();
    expect(lock.read.tryAcquire()?.isHeld).toBe(true);
  });

  test("one that became the writer and dies is told of as well", async () => {
    const lock = new RwLock();
    const thread = await Thread.start({ rwLock: lock.handle });
    await thread.run(({ rwLock, kept }) => {
      kept["held"] = rwLock.read.lockSync().upgradeSync();
    });
    await thread.kill();
    await expect(lock.read.acquire()).rejects.toMatchObject({ code: "lost" });
  });

  test("a thread that would wait for itself is told", async () => {
    const lock = new RwLock();
    const thread = await Thread.start({ rwLock: lock.handle });
    const codes = await thread.run(({ rwLock, failure }) => {
      const reader = rwLock.read.lockSync();
      const write = failure(() => rwLock.write.lockSync());
      reader.release();
      const writer = rwLock.write.lockSync();
      const read = failure(() => rwLock.read.lockSync());
      writer.release();
      return [write, read, failure(() => rwLock.write.runSync(() => 1))];
    });
    expect(codes).toEqual(["misuse", "misuse", "nothing"]);
    expect(() => lock.write.lockSync()).toThrow(/await rwLock.write.acquire\(\)/);
  });
});
