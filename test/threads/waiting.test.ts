// Condition, barrier, latch and changes: what one waits for without taking it.
import { describe, expect, test } from "vitest";
import { Barrier, Condition, Latch, Mutex, SharedCell } from "lockstep/threads";
import { Thread, type Stage } from "./thread.js";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("Condition", () => {
  const world = async (count: number) => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    const words = new Int32Array(new SharedArrayBuffer(64));
    const handles = { mutex: mutex.handle, condition: condition.handle };
    const threads = await Promise.all(Array.from({ length: count }, () => Thread.start(handles, words)));
    return { mutex, condition, words, threads };
  };
  const waitSync = ({ mutex, condition, words }: Stage) => {
    const held = mutex.lockSync();
    Atomics.add(words, 1, 1);
    condition.waitSync(held);
    const isHeld = held.isHeld;
    held.release();
    return isHeld;
  };
  const isAsleep = (mutex: Mutex, words: Int32Array, count: number) =>
    expect.poll(() => mutex.tryAcquire()?.release() === undefined && words[1]).toBe(count);

  test("gives the mutex up, and has it again, the same hold", async () => {
    const { mutex, condition, words, threads } = await world(1);
    const waits = threads[0]!.run(waitSync);
    await isAsleep(mutex, words, 1);
    {
      using _held = await mutex.acquire();
      condition.notifyOne();
    }
    expect(await waits).toBe(true);
    expect(mutex.isLocked).toBe(false);
  });

  test("wakes one, the first, or all", async () => {
    const { mutex, condition, words, threads } = await world(3);
    const woken: number[] = [];
    const all: Promise<unknown>[] = [];
    for (const [index, thread] of threads.entries()) {
      all.push(thread.run(waitSync).then(() => woken.push(index)));
      await isAsleep(mutex, words, index + 1);
    }
    condition.notifyOne();
    await all[0];
    // Nobody else, not even when they look again.
    await pause(250);
    expect(woken).toEqual([0]);
    condition.notifyAll();
    await Promise.all(all);
    condition.notifyOne();
    expect(mutex.isLocked).toBe(false);
  });

  test("waits until a predicate holds, in whichever way", async () => {
    const { mutex, condition, words, threads } = await world(2);
    const consume = ({ mutex, condition, words }: Stage) => {
      for (let round = 0; round < 200; round++) {
        const held = mutex.lockSync();
        condition.waitUntilSync(held, () => words[0]! > 0);
        words[0]!--;
        held.release();
      }
    };
    const consumeAwaiting = async ({ mutex, condition, words }: Stage) => {
      for (let round = 0; round < 200; round++) {
        const held = await mutex.acquire();
        await condition.waitUntil(held, () => words[0]! > 0);
        words[0]!--;
        held.release();
      }
    };
    const consumers = [threads[0]!.run(consume), threads[1]!.run(consumeAwaiting)];
    for (let round = 0; round < 400; round++) {
      using _held = await mutex.acquire();
      words[0]!++;
      condition.notifyOne();
    }
    await Promise.all(consumers);
    expect(words[0]).toBe(0);
  });

  test("one who gives up has the mutex again, and takes no call from others", async () => {
    const { mutex, condition, words, threads } = await world(1);
    const held = await mutex.acquire();
    await expect(condition.wait(held, { timeoutMs: 5 })).rejects.toMatchObject({ code: "timeout" });
    await expect(condition.wait(held, { timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    expect(held.isHeld && mutex.isLocked).toBe(true);
    const controller = new AbortController();
    const gaveUp = condition.wait(held, { signal: controller.signal });
    const waits = threads[0]!.run(waitSync);
    await isAsleep(mutex, words, 1);
    controller.abort(new Error("enough"));
    // In the same turn: the call is for the one that still waits.
    condition.notifyOne();
    await expect(gaveUp).rejects.toThrow("enough");
    held.release();
    expect(await waits).toBe(true);
  });

  test("a call that a dead thread did not use is for the next", async () => {
    const { mutex, condition, words, threads } = await world(2);
    void threads[0]!.run(waitSync);
    await isAsleep(mutex, words, 1);
    const waits = threads[1]!.run(waitSync);
    await isAsleep(mutex, words, 2);
    const held = await mutex.acquire();
    // It is woken, and cannot go on before it is dead.
    condition.notifyOne();
    await threads[0]!.kill();
    held.release();
    expect(await Promise.race([waits, pause(5000)])).toBe(true);
  });

  test("so is one of a thread that died while it waited for the mutex", async () => {
    const waitAwaiting = async ({ mutex, condition, words }: Stage) => {
      const held = await mutex.acquire();
      Atomics.add(words, 1, 1);
      await condition.wait(held);
    };
    for (const wait of [waitSync, waitAwaiting]) {
      const { mutex, condition, words, threads } = await world(2);
      void threads[0]!.run<unknown>(wait);
      await isAsleep(mutex, words, 1);
      const waits = threads[1]!.run(waitSync);
      await isAsleep(mutex, words, 2);
      const held = await mutex.acquire();
      condition.notifyOne();
      // It has been woken, and knows.
      await pause(200);
      await threads[0]!.kill();
      held.release();
      expect(await Promise.race([waits, pause(3000)])).toBe(true);
    }
  });

  test("a call is passed on by one that finds the mutex lost", async () => {
    const { mutex, condition, words, threads } = await world(3);
    const wait = ({ mutex, condition, words, failure }: Stage) => {
      const held = mutex.lockSync();
      Atomics.add(words, 1, 1);
      return failure(() => condition.waitSync(held));
    };
    const all = [threads[0]!.run(wait)];
    await isAsleep(mutex, words, 1);
    all.push(threads[1]!.run(wait));
    await isAsleep(mutex, words, 2);
    await threads[2]!.run(({ mutex, kept }) => {
      kept["held"] = mutex.lockSync();
    });
    condition.notifyOne();
    await threads[2]!.kill();
    expect(await Promise.race([Promise.all(all), pause(3000)])).toEqual(["lost", "lost"]);
  });

  test("what the dead leave in line does not fill it", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    fillWithDead(condition.handle.memory);
    const held = await mutex.acquire();
    await expect(condition.wait(held, { timeoutMs: 5 })).rejects.toMatchObject({ code: "timeout" });
  });

  test("a predicate says true or false at once, and leaves the mutex held", async () => {
    const { mutex, condition, threads } = await world(1);
    const held = await mutex.acquire();
    for (const predicate of [async () => false, async () => true, () => undefined, () => 1]) {
      const wait = condition.waitUntil(held, predicate as never, { timeoutMs: 5 });
      await expect(wait).rejects.toMatchObject({ code: "bad-input" });
    }
    expect(held.isHeld).toBe(true);
    const wait = condition.waitUntil(held, () => {
      held.release();
      return true;
    });
    await expect(wait).rejects.toMatchObject({ code: "misuse" });
    const codes = await threads[0]!.run(({ mutex, condition, failure }) => {
      const held = mutex.lockSync();
      const release = () => {
        held.release();
        return true;
      };
      const isAsync = failure(() => condition.waitUntilSync(held, (async () => false) as never));
      return [isAsync, failure(() => condition.waitUntilSync(held, release))];
    });
    expect(codes).toEqual(["bad-input", "misuse"]);
  });

  test("ends with 'lost', and without the mutex, when a thread dies with that", async () => {
    const { mutex, condition, words, threads } = await world(2);
    const waits = threads[0]!.run(({ mutex, condition, words, failure }) => {
      const held = mutex.lockSync();
      Atomics.add(words, 1, 1);
      const code = failure(() => condition.waitSync(held));
      return [code, held.isHeld, failure(() => held[Symbol.dispose]())];
    });
    await isAsleep(mutex, words, 1);
    await threads[1]!.run(({ mutex, kept }) => {
      kept["held"] = mutex.lockSync();
    });
    condition.notifyOne();
    await threads[1]!.kill();
    expect(await waits).toEqual(["lost", false, "nothing"]);
  });

  test("needs its mutex, held", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    const other = new Mutex();
    const held = await mutex.acquire();
    held.release();
    await expect(condition.wait(held)).rejects.toMatchObject({ code: "misuse" });
    await expect(condition.wait(await other.acquire())).rejects.toMatchObject({ code: "misuse" });
    await expect(condition.wait({} as never)).rejects.toMatchObject({ code: "bad-input" });
    await expect(condition.waitUntil(await mutex.acquire(), 1 as never)).rejects.toMatchObject({
      code: "bad-input",
    });
    expect(() => new Condition({} as never)).toThrow(/needs its mutex/);
    expect(() => Condition.from(condition.handle, other)).toThrow(/made with another mutex/);
    expect(Condition.from(condition.handle, Mutex.from(structuredClone(mutex.handle)))).toBeDefined();
  });
});

describe("Barrier", () => {
  test("all wait for each other, phase after phase, and one of them leads", async () => {
    const barrier = new Barrier(3);
    const words = new Int32Array(new SharedArrayBuffer(64));
    const threads = await Promise.all([1, 2].map(() => Thread.start({ barrier: barrier.handle }, words)));
    const phases = 100;
    const blocking = ({ barrier, words }: Stage, phases: number) => {
      let led = 0;
      for (let phase = 0; phase < phases; phase++) {
        if (Atomics.add(words, 0, 1) >= (phase + 1) * 3) throw new Error("somebody was ahead");
        const trip = barrier.waitSync();
        if (trip.generation !== phase) throw new Error("in another generation");
        if (trip.isLeader) led++;
      }
      return led;
    };
    const led = threads.map((thread) => thread.run(blocking, phases));
    let mine = 0;
    for (let phase = 0; phase < phases; phase++) {
      expect(Atomics.add(words, 0, 1)).toBeLessThan((phase + 1) * 3);
      if ((await barrier.wait()).isLeader) mine++;
    }
    const all = await Promise.all(led);
    expect(all.reduce((sum, each) => sum + each, mine)).toBe(phases);
    expect(barrier.generation).toBe(phases);
  });

  test("breaks for all when one gives up, until it is reset", async () => {
    const barrier = new Barrier(3);
    const thread = await Thread.start({ barrier: barrier.handle });
    const waits = thread.run(({ barrier, failure }) => failure(() => barrier.waitSync()));
    await expect.poll(() => barrier.arrived).toBe(1);
    await expect(barrier.wait({ timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    expect(barrier.isBroken).toBe(false);
    await expect(barrier.wait({ timeoutMs: 5 })).rejects.toMatchObject({ code: "timeout" });
    expect(await waits).toBe("lost");
    expect(barrier.isBroken).toBe(true);
    await expect(barrier.wait()).rejects.toMatchObject({ code: "lost" });
    barrier.reset();
    const trips = await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]);
    expect(trips.filter(({ isLeader }) => isLeader)).toHaveLength(1);
  });

  test("a reset is told to those who wait", async () => {
    const barrier = new Barrier(2);
    const thread = await Thread.start({ barrier: barrier.handle });
    const waits = thread.run(({ barrier, failure }) => failure(() => barrier.waitSync()));
    await expect.poll(() => barrier.arrived).toBe(1);
    barrier.reset();
    expect(await waits).toBe("lost");
    expect([barrier.isBroken, barrier.arrived]).toEqual([false, 0]);
  });

  test("breaks when a party dies, while it waits or between two phases", async () => {
    for (const when of ["while it waits", "between two phases"]) {
      const barrier = new Barrier(3);
      const threads = await Promise.all([1, 2].map(() => Thread.start({ barrier: barrier.handle })));
      if (when === "between two phases") {
        const trips = threads.map((thread) => thread.run(({ barrier }) => barrier.waitSync().generation));
        await barrier.wait();
        await Promise.all(trips);
      } else {
        void threads[0]!.run(({ barrier }) => barrier.waitSync());
        await expect.poll(() => barrier.arrived).toBe(1);
      }
      const waits = threads[1]!.run(({ barrier, failure }) => failure(() => barrier.waitSync()));
      await threads[0]!.kill();
      expect(await waits, when).toBe("lost");
      await expect(barrier.wait(), when).rejects.toMatchObject({ code: "lost" });
    }
  });

  test("refuses nonsense", () => {
    for (const parties of [0, -1, 1.5, NaN, 257, "2" as never]) {
      expect(() => new Barrier(parties)).toThrow(expect.objectContaining({ code: "bad-input" }));
    }
    expect(() => new Barrier(1).waitSync()).toThrow(/await barrier.wait\(\)/);
  });

  test("has room for as many threads as it accepts parties", async () => {
    const barrier = new Barrier(256);
    const words = new Int32Array(barrier.handle.memory);
    // So many threads that have come before, and all but the last have come again.
    const waits = Array.from({ length: 255 }, () => barrier.wait());
    fill(words, { from: 256, to: 511, owner: words[8]!, weight: 0, state: 4 });
    const { isLeader } = await barrier.wait({ timeoutMs: 0 });
    expect(isLeader).toBe(true);
    await Promise.all(waits);
  });
});

describe("Latch", () => {
  test("opens once, for those who block and those who await", async () => {
    const latch = new Latch(3);
    const threads = await Promise.all([1, 2].map(() => Thread.start({ latch: latch.handle })));
    const waits = [
      threads[0]!.run(({ latch }) => latch.waitSync()),
      threads[1]!.run(({ latch }) => latch.wait()),
      latch.wait(),
    ];
    await expect(latch.wait({ timeoutMs: 5 })).rejects.toMatchObject({ code: "timeout" });
    await threads[1]!.run(({ latch }) => latch.countDown(2));
    expect(latch.count).toBe(1);
    latch.countDown();
    await Promise.all(waits);
    await latch.wait({ timeoutMs: 0 });
    expect(() => latch.countDown()).toThrow(expect.objectContaining({ code: "misuse" }));
  });

  test("whoever comes after it has opened goes on, though others have not yet", async () => {
    const latch = new Latch(1);
    const waits = latch.wait();
    latch.countDown();
    await latch.wait({ timeoutMs: 0 });
    await waits;
  });

  test("refuses nonsense", () => {
    for (const count of [-1, 1.5, NaN, 2 ** 31, "2" as never]) {
      expect(() => new Latch(count)).toThrow(expect.objectContaining({ code: "bad-input" }));
    }
    for (const by of [0, -1, 1.5, NaN]) {
      expect(() => new Latch(5).countDown(by)).toThrow(expect.objectContaining({ code: "bad-input" }));
    }
    expect(() => new Latch(1).waitSync()).toThrow(/await latch.wait\(\)/);
  });
});

describe("changed", () => {
  test("goes on at once from an older version, though others wait for the next", async () => {
    const cell = new SharedCell<number>({ maxBytes: 100 });
    cell.set(1);
    cell.set(2);
    const { version } = cell;
    const next = cell.changed(version);
    expect(await cell.changed(version - 1, { timeoutMs: 0 })).toBe(version);
    cell.set(3);
    expect(await next).toBe(version + 1);
  });
});

/** Fills a roster to the last row with what a thread waits for that is dead. */
function fillWithDead(memory: SharedArrayBuffer): void {
  fill(new Int32Array(memory), { from: 0, to: 512, owner: 2 ** 27, weight: 1, state: 1 });
}

function fill(
  words: Int32Array,
  { from, to, owner, weight, state }: Record<"from" | "to" | "owner" | "weight" | "state", number>,
): void {
  for (let row = 8 + from * 4; row < 8 + to * 4; row += 4) words.set([owner, weight, 0, state], row);
  words[1] = to;
}
