// The locks of lockstep/sync under the explorer: what they promise holds in every schedule, and what is done
// wrong with them is found.
import { explore, type Program } from "lockstep/explore";
import {
  Actor,
  Barrier,
  Channel,
  Condition,
  Latch,
  Limiter,
  Mutex,
  Once,
  RwLock,
  select,
  Semaphore,
} from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { raceIn } from "./found.js";

async function isProven(program: Program, preemptions?: number): Promise<void> {
  const found = await explore(program, { mode: "exhaustive", runs: 200_000, preemptions });
  expect(found.isComplete, found.summary).toBe(true);
}

test("a mutex lets one in at a time, and a task that acquires it twice waits for itself", async () => {
  await isProven(async ({ task, step }) => {
    const mutex = new Mutex();
    let inside = 0;
    const section = () =>
      mutex.run(async () => {
        expect(++inside).toBe(1);
        await step();
        inside--;
      });
    await Promise.all(["a", "b", "c"].map((name) => task(name, section)));
  }, 2);
  const found = await raceIn(({ task }) => {
    const mutex = new Mutex();
    void task("twice", () => mutex.run(() => mutex.run(() => 0)));
  });
  expect(found.kind).toBe("deadlock");
  expect(found.message).toContain("twice waits for the mutex, which it holds itself");
});

test("a lock whose holder has ended is never released", async () => {
  const found = await raceIn(({ task }) => {
    const mutex = new Mutex({ name: "desk" });
    for (const name of ["Ann", "Bob"]) void task(name, () => mutex.acquire());
  });
  expect(found.kind).toBe("deadlock");
  expect(found.message).toMatch(/(Ann|Bob) waits for the mutex "desk", which (Ann|Bob) held when it ended/);
});

test("a semaphore lets in as many as it has permits", async () => {
  const entering =
    (permits: number): Program =>
    async ({ task, step }) => {
      const semaphore = new Semaphore(permits);
      let inside = 0;
      const section = () =>
        semaphore.run(async () => {
          expect(++inside).toBeLessThanOrEqual(2);
          await step();
          inside--;
        });
      await Promise.all(["a", "b", "c"].map((name) => task(name, section)));
    };
  await isProven(entering(2), 1);
  await raceIn(entering(3));
});

test.each<[string, () => () => Promise<unknown>]>([
  ["an acquire of what is free", () => () => new Mutex().acquire()],
  ["a send of what there is room for", () => () => new Channel({ capacity: 1 }).send(1)],
  [
    "a receive of what is there",
    () => {
      const channel = new Channel({ capacity: 1 });
      channel.trySend(1);
      return () => channel.receive();
    },
  ],
  [
    "a value that a loop finds there",
    () => {
      const channel = new Channel({ capacity: 1 });
      channel.trySend(1);
      return () => channel[Symbol.asyncIterator]().next();
    },
  ],
  [
    "a select of what is there",
    () => {
      const channel = new Channel({ capacity: 1 });
      channel.trySend(1);
      return () => select({ value: channel.receiving() });
    },
  ],
  [
    "a reply",
    () => {
      const actor = new Actor(() => ({ add: (n: number) => n + 1 }));
      return () => actor.ask("add", 1);
    },
  ],
  ["a free place of a limiter", () => () => new Limiter({ concurrency: 1 }).run(() => 0)],
])("others may act between %s and what follows it", async (_name, prepare) => {
  const orders = new Set<string>();
  const found = await explore(async ({ task }) => {
    let order = "";
    const act = prepare();
    const one = task(async () => {
      order += "<";
      await act();
      order += ">";
    });
    await Promise.all([one, task(() => (order += "."))]);
    orders.add(order);
  });
  expect(found.schedules).toBe(3);
  expect([...orders].sort()).toEqual([".<>", "<.>", "<>."]);
});

describe("a read-write lock", () => {
  const swapping =
    (side: "read" | "write"): Program =>
    async ({ task, step }) => {
      const lock = new RwLock();
      let pair = [1, 2];
      const swap = () =>
        lock[side].run(async () => {
          const [a, b] = pair;
          pair = [b!, b!];
          await step();
          pair = [b!, a!];
        });
      const sum = () =>
        lock.read.run(() => {
          expect(pair[0]! + pair[1]!).toBe(3);
        });
      await Promise.all([task("swap", swap), task("one", sum), task("other", sum)]);
    };

  test("keeps readers from what is half written", () => isProven(swapping("write"), 2));
  test("does not when one writes with the right to read", async () => {
    await raceIn(swapping("read"));
  });

  test("is waited for by a reader that would write, as long as another reads", async () => {
    const found = await raceIn(({ task }) => {
      const lock = new RwLock({ name: "table" });
      for (const name of ["a", "b"]) {
        void task(name, async () => {
          using _read = await lock.read.acquire();
          using _write = await lock.write.acquire();
        });
      }
    });
    expect(found.kind).toBe("deadlock");
    expect(found.message).toContain('waits for the read-write lock "table", which');
  });
});

describe("a channel", () => {
  const passing =
    (count: number): Program =>
    async ({ task }) => {
      const channel = new Channel<number>({ capacity: 1, name: "letters" });
      const received: number[] = [];
      const send = async () => {
        for (let letter = 0; letter < 2; letter++) await channel.send(letter);
      };
      const receive = async () => {
        for (let at = 0; at < count; at++) received.push(await channel.receive());
      };
      await Promise.all([task("sender", send), task("receiver", receive)]);
      expect(received).toEqual([0, 1].slice(0, count));
    };

  test("passes all values on, in order", () => isProven(passing(2)));
  test("is left with a value, which is no fault", () => isProven(passing(1)));

  test("that nobody sends to leaves its receiver waiting", async () => {
    const found = await raceIn(passing(3));
    expect(found.kind).toBe("lost wake-up");
    expect(found.message).toContain('receiver waits for a value from the channel "letters"');
  });
});

describe("a condition", () => {
  const buffer =
    (wake: "notifyOne" | "notifyAll"): Program =>
    async ({ task }) => {
      const mutex = new Mutex();
      const changed = new Condition(mutex, { name: "changed" });
      let filled = 0;
      const change = (isReady: () => boolean, by: number) => async () => {
        using held = await mutex.acquire();
        await changed.waitUntil(held, isReady);
        filled += by;
        changed[wake]();
      };
      const put = change(() => filled < 1, 1);
      const take = change(() => filled > 0, -1);
      const tasks = { taker: take, "other taker": take, putter: put, "other putter": put };
      await Promise.all(Object.entries(tasks).map(([name, body]) => task(name, body)));
      expect(filled).toBe(0);
    };

  test("for two things loses a wake-up when only one is woken", async () => {
    const found = await raceIn(buffer("notifyOne"), { mode: "random", runs: 50_000 });
    expect(found.kind).toBe("lost wake-up");
    expect(found.message).toContain('waits for the condition "changed"');
  });

  test("gives the mutex back to the one who is woken, who is named when it never comes", async () => {
    const found = await raceIn(({ task }) => {
      const mutex = new Mutex({ name: "desk" });
      const ready = new Condition(mutex);
      void task("sleeper", () => mutex.run((held) => ready.wait(held, { timeoutMs: 10 })).catch(() => 0));
      void task("waker", async () => {
        await mutex.acquire();
        ready.notifyAll();
      });
    });
    expect(found.kind).toBe("deadlock");
    expect(found.message).toContain('sleeper waits for the mutex "desk", which waker held when it ended');
  });

  test("loses none when all are", () => isProven(buffer("notifyAll"), 1));
});

describe("a barrier", () => {
  const phases =
    (parties: number): Program =>
    async ({ task }) => {
      const barrier = new Barrier(parties, { name: "phase" });
      const begun = [0, 0];
      const work = async () => {
        for (let phase = 0; phase < 2; phase++) {
          if (phase > 0) expect(begun[phase - 1]).toBe(2);
          begun[phase]!++;
          await barrier.wait();
        }
      };
      await Promise.all([task("a", work), task("b", work)]);
    };

  test("keeps phases apart", () => isProven(phases(2)));
  test("keeps nothing apart with too few parties", async () => {
    expect((await raceIn(phases(1))).kind).toBe("error");
  });
  test("is never passed with too many", async () => {
    expect((await raceIn(phases(3))).kind).toBe("lost wake-up");
  });
});

test("a latch, and what is done once, hold as well", () =>
  isProven(async ({ task, step }) => {
    const latch = new Latch(2);
    const once = new Once();
    let done = 0;
    const work = async () => {
      await once.run(async () => {
        await step();
        done++;
      });
      expect(done).toBe(1);
      latch.countDown();
    };
    void task("a", work);
    void task("b", work);
    await task("waiter", () => latch.wait());
    expect(done).toBe(1);
  }));
