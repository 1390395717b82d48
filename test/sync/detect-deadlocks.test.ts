import { isLockstepError } from "lockstep/base";
import {
  Condition,
  detectDeadlocks,
  KeyedMutex,
  Mutex,
  RwLock,
  Semaphore,
  type DeadlockDetector,
  type Held,
} from "lockstep/sync";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectNothingLeft, settled } from "./outcome.js";

const deadlock = { code: "deadlock" };

let detector: DeadlockDetector;
beforeEach(() => {
  detector = detectDeadlocks();
});
afterEach(() => {
  const left = detector.report();
  detector.stop();
  expect(left).toEqual([]);
});

/** How they ended; the codes of errors of ours. */
async function outcomes(...tasks: Promise<unknown>[]): Promise<string[]> {
  const results = await Promise.allSettled(tasks);
  return results.map((result) => {
    if (result.status === "fulfilled") return "done";
    return isLockstepError(result.reason) ? result.reason.code : String(result.reason);
  });
}

const mutexes = (count: number) => Array.from({ length: count }, (_, i) => new Mutex({ name: `m${i}` }));

describe("a circle is found", () => {
  for (const count of [2, 3, 4, 5]) {
    test(`of ${count} that acquire`, async () => {
      const locks = mutexes(count);
      const task = async (i: number) => {
        using _first = await locks[i]!.acquire();
        await settled();
        using _second = await locks[(i + 1) % count]!.acquire();
      };
      const ended = await outcomes(...locks.map((_, i) => task(i)));
      expect(ended.sort()).toEqual(["deadlock", ...Array<string>(count - 1).fill("done")]);
    });

    test(`of ${count} that run`, async () => {
      const locks = mutexes(count);
      const task = (i: number) =>
        locks[i]!.run(async () => {
          await settled();
          await locks[(i + 1) % count]!.run(() => settled());
        });
      const ended = await outcomes(...locks.map((_, i) => task(i)));
      expect(ended.sort()).toEqual(["deadlock", ...Array<string>(count - 1).fill("done")]);
    });
  }

  test("of one that waits for itself", async () => {
    const mutex = new Mutex();
    const semaphore = new Semaphore(3);
    const keyed = new KeyedMutex();
    const lock = new RwLock();
    const twice = (acquire: () => Promise<Held>) => async () => {
      using _first = await acquire();
      using _second = await acquire();
    };
    await expect(twice(() => mutex.acquire())()).rejects.toMatchObject(deadlock);
    await expect(twice(() => keyed.acquire(["a", "b"]))()).rejects.toMatchObject(deadlock);
    await expect(twice(() => semaphore.acquire({ weight: 2 }))()).rejects.toMatchObject(deadlock);
    await expect(twice(() => lock.write.acquire())()).rejects.toMatchObject(deadlock);
    await expect(mutex.run(() => mutex.run(() => 1))).rejects.toMatchObject(deadlock);
    await twice(() => semaphore.acquire())();
    await twice(() => lock.read.acquire())();
    expect([mutex.isLocked, keyed.size, semaphore.free, lock.isWriting]).toEqual([false, 0, 3, false]);
  });

  test("of a function that calls itself, but not of one that goes round in a loop", async () => {
    const mutex = new Mutex();
    const recursion = async (depth: number): Promise<void> => {
      await settled();
      using _held = await mutex.acquire();
      if (depth > 0) await recursion(depth - 1);
    };
    await expect(recursion(1)).rejects.toMatchObject(deadlock);
    await recursion(0);
  });

  test("of a caller of a function that takes the lock for it, twice", async () => {
    const mutex = new Mutex();
    const take = async () => {
      await settled();
      return mutex.acquire();
    };
    const twice = async () => {
      using _first = await take();
      await settled();
      using _second = await take();
    };
    expect(await outcomes(twice())).toEqual(["deadlock"]);
    expect(await outcomes((async () => twice())())).toEqual(["deadlock"]);
    const inside = async () => {
      const again = async () => {
        await Promise.resolve();
        using _second = await take();
      };
      using _first = await take();
      await Promise.all([again()]);
    };
    expect(await outcomes(inside())).toEqual(["deadlock"]);
    expect(mutex.isLocked).toBe(false);
  });

  test("of a function that runs what calls it again, if that awaits it", async () => {
    const mutex = new Mutex();
    const withLock = async <T>(section: () => Promise<T>) => {
      await settled();
      using _held = await mutex.acquire();
      return await section();
    };
    const nested = () =>
      withLock(async () => {
        await settled();
        const inner = await withLock(() => Promise.resolve(1));
        return inner;
      });
    expect(await outcomes(nested())).toEqual(["deadlock"]);
  });

  test("of a reader behind a writer that waits for it", async () => {
    const lock = new RwLock();
    const reader = async () => {
      using _first = await lock.read.acquire();
      await settled();
      await lock.read.run(() => undefined);
    };
    const ended = await outcomes(
      reader(),
      lock.write.run(() => undefined),
    );
    expect(ended).toEqual(["deadlock", "done"]);
  });

  test("of an upgrade and a reader that wants something of the upgrader", async () => {
    const lock = new RwLock();
    const mutex = new Mutex();
    const upgrader = async () => {
      using _mutex = await mutex.acquire();
      using reader = await lock.read.acquire();
      await settled();
      using _writer = await reader.upgrade();
    };
    const other = async () => {
      using _reader = await lock.read.acquire();
      await settled();
      await mutex.run(() => undefined);
    };
    expect((await outcomes(upgrader(), other())).sort()).toEqual(["deadlock", "done"]);
    const twoReads = async () => {
      using _first = await lock.read.acquire();
      using second = await lock.read.acquire();
      using _writer = await second.upgrade();
    };
    await expect(twoReads()).rejects.toMatchObject(deadlock);
    expect(lock.readers).toBe(0);
  });

  test("of one that writes again after an upgrade, or after a downgrade", async () => {
    const lock = new RwLock();
    const task = async (isReader: boolean) => {
      const reader = await lock.read.acquire();
      using writer = await reader.upgrade();
      using _reader = isReader ? writer.downgrade() : undefined;
      await settled();
      using _again = await lock.write.acquire();
    };
    expect(await outcomes(task(false))).toEqual(["deadlock"]);
    expect(await outcomes(task(true))).toEqual(["deadlock"]);
  });

  test("of several keys and a mutex", async () => {
    const keyed = new KeyedMutex();
    const mutex = new Mutex();
    const one = async () => {
      using _keys = await keyed.acquire(["a", "b", "c"]);
      await settled();
      using _mutex = await mutex.acquire();
    };
    const other = async () => {
      using _mutex = await mutex.acquire();
      await settled();
      using _keys = await keyed.acquire(["x", "c", "d"]);
    };
    expect((await outcomes(one(), other())).sort()).toEqual(["deadlock", "done"]);
    expect(keyed.size).toBe(0);
  });

  test("of all who have a permit and want another", async () => {
    const pool = new Semaphore(2);
    const task = () =>
      pool.run(async () => {
        await settled();
        await pool.run(() => settled());
      });
    expect((await outcomes(task(), task())).sort()).toEqual(["deadlock", "done"]);
  });

  test("through the program's own functions, whatever they await before they take it", async () => {
    const [a, b] = mutexes(2) as [Mutex, Mutex];
    const take = async (mutex: Mutex) => {
      await settled();
      const held = await mutex.acquire();
      await settled();
      return held;
    };
    const passOn = async (mutex: Mutex) => take(mutex);
    const race = (mutex: Mutex) => Promise.race([mutex.acquire(), new Promise<never>(() => undefined)]);
    for (const way of [take, passOn, race]) {
      const task = async (first: Mutex, second: Mutex) => {
        using _first = await way(first);
        await settled();
        await settled();
        using _second = await way(second);
      };
      expect((await outcomes(task(a, b), task(b, a))).sort()).toEqual(["deadlock", "done"]);
    }
  });

  test("of one who is woken, and another who has its mutex", async () => {
    const [mutex, other] = mutexes(2) as [Mutex, Mutex];
    const condition = new Condition(mutex);
    const sleeper = async () => {
      using held = await mutex.acquire();
      using _other = await other.acquire();
      await condition.wait(held);
    };
    const waker = async () => {
      await settled();
      using _held = await mutex.acquire();
      condition.notifyOne();
      using _other = await other.acquire();
    };
    expect(await outcomes(sleeper(), waker())).toEqual(["done", "deadlock"]);
    const again = async () => {
      using held = await mutex.acquire();
      await condition.wait(held);
      using _twice = await mutex.acquire();
    };
    const tasks = outcomes(again());
    await settled();
    condition.notifyAll();
    expect(await tasks).toEqual(["deadlock"]);
  });

  test("in the turn in which it closes", async () => {
    const mutex = new Mutex();
    using _held = await mutex.acquire();
    let code: unknown;
    mutex.acquire().catch((error: unknown) => (code = (error as { code: string }).code));
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(code).toBe("deadlock");
    expect(mutex.waiting).toBe(0);
  });
});

describe("the message", () => {
  test("tells the circle: which locks, and where each was taken", async () => {
    const [a, b] = [new Mutex({ name: "accounts" }), new KeyedMutex({ name: "files" })];
    async function book() {
      using _held = await a.acquire();
      await settled();
      await b.run(["x", "y"], () => undefined);
    }
    async function archive() {
      using _held = await b.acquire("y");
      await settled();
      using _second = await a.acquire();
    }
    const results = await Promise.allSettled([book(), archive()]);
    const { message } = (results.find(({ status }) => status === "rejected") as PromiseRejectedResult)
      .reason as Error;
    const lines = message.split("\n").map((line) => line.trim());
    expect(lines[0]).toMatch(/^this would wait for ever/);
    expect(lines.filter((line) => /^(\d\. waits|holds) /.test(line))).toEqual([
      expect.stringMatching(/^1\. waits for the mutex "accounts" \(lock \d\)$/),
      expect.stringMatching(/^holds the key "y" of the keyed mutex "files" \(lock \d\), taken$/),
      expect.stringMatching(/^2\. waits for the key "y" of the keyed mutex "files" \(lock \d\)$/),
      expect.stringMatching(/^holds the mutex "accounts" \(lock \d\), taken$/),
    ]);
    const places = lines.filter((line) => /^at (async )?(book|archive) /.test(line));
    expect(places.every((line) => line.includes("detect-deadlocks.test.ts"))).toBe(true);
    expect(places).toHaveLength(4);
    expect(message).not.toMatch(/src.sync|node:internal/);
  });

  test("knows locks of one name apart", async () => {
    const [a, b] = [new Mutex(), new Mutex()];
    const task = async (first: Mutex, second: Mutex) => {
      using _first = await first.acquire();
      await settled();
      using _second = await second.acquire();
    };
    const results = await Promise.allSettled([task(a, b), task(b, a)]);
    const text = results
      .map((result) => (result.status === "rejected" ? String(result.reason) : ""))
      .join("");
    expect(text).toContain("(lock 1)");
    expect(text).toContain("(lock 2)");
  });
});

describe("no circle is seen", () => {
  test("where one task is started after the other", async () => {
    const mutex = new Mutex();
    const worker = async () => {
      using _held = await mutex.acquire();
      await settled();
      await settled();
    };
    const first = worker();
    await settled();
    const second = worker();
    expect(await outcomes(first, second)).toEqual(["done", "done"]);
  });

  test("where a loop hands out permits that others give back", async () => {
    const semaphore = new Semaphore(2);
    const mutex = new Mutex();
    const handOut = async () => {
      const works: Promise<void>[] = [];
      for (let i = 0; i < 6; i++) {
        const slot = await semaphore.acquire();
        const turn = await mutex.acquire();
        works.push(
          settled().finally(() => {
            slot.release();
            turn.release();
          }),
        );
      }
      await Promise.all(works);
    };
    await handOut();
    await Promise.all([handOut(), handOut()]);
  });

  test("where what a function took for its caller is handed on, at one place or two", async () => {
    const mutex = new Mutex();
    const works: Promise<void>[] = [];
    const take = async () => {
      await settled();
      return mutex.acquire();
    };
    const work = async (turn: Held) => {
      await settled();
      await settled();
      turn.release();
    };
    const handOut = async () => {
      works.push(work(await take()));
      for (let i = 0; i < 3; i++) {
        const turn = await take();
        works.push(work(turn));
      }
      const byTimer = await take();
      setTimeout(() => byTimer.release(), 1);
      works.push(work(await take()));
    };
    await handOut();
    await Promise.all([...works, handOut(), handOut()]);
    await Promise.all(works);
  });

  test("where what is taken is given back by what was there before", async () => {
    const turns: Held[] = [];
    const releaser = setInterval(() => turns.shift()?.release(), 10);
    const [mutex, semaphore] = [new Mutex(), new Semaphore(2)];
    const take = async (lock: Mutex | Semaphore) => {
      await settled();
      return lock.acquire();
    };
    const inLoop = async () => {
      for (let i = 0; i < 4; i++) turns.push(await take(mutex));
    };
    const atTwoPlaces = async () => {
      const both = [await take(semaphore), await take(semaphore)];
      turns.push(...both);
      turns.push(await take(semaphore));
    };
    const ownLoop = async () => {
      await settled();
      for (let i = 0; i < 4; i++) turns.push(await mutex.acquire());
    };
    const awaitedLater = async () => {
      const all = ownLoop();
      await Promise.race([all, settled()]);
      await Promise.race([all, settled()]);
      await all;
    };
    expect(await outcomes(inLoop())).toEqual(["done"]);
    expect(await outcomes(atTwoPlaces())).toEqual(["done"]);
    expect(await outcomes(awaitedLater())).toEqual(["done"]);
    while (turns.length > 0) await settled();
    await settled();
    clearInterval(releaser);
  });

  test("where a loop that hands out turns is awaited at one place after the other", async () => {
    const mutex = new Mutex();
    const works: Promise<void>[] = [];
    const handOut = async (rounds: number) => {
      await settled();
      for (let i = 0; i < rounds; i++) {
        const turn = await mutex.acquire();
        works.push(
          (async () => {
            for (let j = 0; j < 3; j++) await settled();
            turn.release();
          })(),
        );
      }
    };
    const task = async () => {
      const all = handOut(6);
      await Promise.race([all, settled()]);
      await Promise.race([all, settled()]);
      await settled();
      await all;
    };
    await task();
    await Promise.all(works);
  });

  test("where the program looks whether a hold is a promise", async () => {
    const mutex = new Mutex();
    let go!: () => void;
    const signal = new Promise<void>((resolve) => (go = resolve));
    const other = async () => {
      await signal;
      await mutex.run(() => undefined);
    };
    const holder = async () => {
      using held = await mutex.acquire();
      await settled();
      expect((held as { then?: unknown }).then).toBe(undefined);
      go();
      await settled();
    };
    expect(await outcomes(other(), holder())).toEqual(["done", "done"]);
  });

  test("where all permits are taken back, if that is done apart from those handed out", async () => {
    const semaphore = new Semaphore(3);
    const works: Promise<void>[] = [];
    for (let i = 0; i < 6; i++) {
      const slot = await semaphore.acquire();
      works.push(settled().then(() => slot.release()));
    }
    const all = () => semaphore.acquire({ weight: 3 });
    await expect(all()).rejects.toMatchObject(deadlock);
    const drained = await detector.detached(all);
    drained.release();
    await Promise.all(works);
  });

  test("where there are permits to spare", async () => {
    const semaphore = new Semaphore(3);
    const task = () =>
      semaphore.run(async () => {
        await settled();
        await semaphore.run(() => settled());
      });
    expect(await outcomes(task(), task())).toEqual(["done", "done"]);
  });

  test("where a task that is not awaited waits, if it is started apart", async () => {
    const [held, log] = mutexes(2) as [Mutex, Mutex];
    const writeLog = () => log.run(() => undefined);
    const writes: Promise<void>[] = [];
    const task = async (start: () => Promise<void>) => {
      using _held = await held.acquire();
      writes.push(start());
      for (let i = 0; i < 4; i++) await settled();
    };
    const rival = () =>
      log.run(async () => {
        await settled();
        await held.run(() => undefined);
      });
    const apart = () => detector.detached(writeLog);
    expect(await outcomes(rival(), task(apart))).toEqual(["done", "done"]);
    expect(await outcomes(rival(), task(writeLog))).toEqual(["deadlock", "done"]);
    await Promise.all(writes);
  });

  test("where one gives up before it closes", async () => {
    const [a, b] = mutexes(2) as [Mutex, Mutex];
    const controller = new AbortController();
    const impatient = async () => {
      using _a = await a.acquire();
      await settled();
      using _b = await b.acquire({ signal: controller.signal });
    };
    const other = async () => {
      using _b = await b.acquire();
      for (let i = 0; i < 4; i++) await settled();
      controller.abort("enough");
      using _a = await a.acquire();
    };
    expect(await outcomes(impatient(), other())).toEqual(["enough", "done"]);
  });
});

describe("the detector", () => {
  test("reports what is held and waited for", async () => {
    const mutex = new Mutex({ name: "m" });
    const held = mutex.tryAcquire()!;
    const waiting = mutex.run(() => undefined);
    const controller = new AbortController();
    const givenUp = mutex.acquire({ signal: controller.signal });
    controller.abort("enough");
    await expect(givenUp).rejects.toBe("enough");
    const here = expect.stringContaining("detect-deadlocks.test.ts") as string;
    expect(detector.report()).toEqual([
      { lock: 'the mutex "m" (lock 1)', heldSince: [here], waitingAt: [here] },
    ]);
    held.release();
    await waiting;
    expect(detector.report()).toEqual([]);
  });

  test("is one for all, and looks no longer once it is stopped", async () => {
    expect(detectDeadlocks()).toBe(detector);
    const mutex = new Mutex();
    const before = await mutex.acquire();
    detector.stop();
    expect(detector.report()).toEqual([]);
    const waiting = mutex.acquire();
    const next = detectDeadlocks();
    expect(next).not.toBe(detector);
    detector = next;
    // It knows nothing of what was before it.
    const last = mutex.acquire();
    before.release();
    (await waiting).release();
    (await last).release();
    await expect(mutex.run(() => mutex.run(() => 1))).rejects.toMatchObject(deadlock);
  });

  test("keeps nothing of what is over, in loops that never let go of all", async () => {
    const handOverHand = async (rounds: number) => {
      let held = await new Mutex().acquire();
      for (let i = 1; i <= rounds; i++) {
        const next = await new Mutex().acquire();
        held.release();
        held = next;
      }
      held.release();
    };
    await handOverHand(1000);
    await expectNothingLeft(1_000_000, () => handOverHand(10_000));
  });

  test("keeps nothing of promises that resolve with what was given back already", async () => {
    const mutex = new Mutex();
    const passOn = async (rounds: number) => {
      for (let i = 0; i < rounds; i++) await mutex.run((held) => held);
    };
    await passOn(1000);
    await expectNothingLeft(1_000_000, () => passOn(3000));
  });
});
