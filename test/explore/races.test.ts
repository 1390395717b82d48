// The races of the literature, each found, and each mended and then proven to be gone.
import { explore, type Program, type Stage } from "lockstep/explore";
import { Condition, Event, Lazy, Mutex } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { deeds, raceIn } from "./found.js";

async function isProven(program: Program): Promise<void> {
  expect(await explore(program, { mode: "exhaustive", runs: 200_000 })).toMatchObject({ isComplete: true });
}

describe("the lost update", () => {
  const deposits =
    (guarded: boolean): Program =>
    async ({ task, io }) => {
      let stored = 0;
      const mutex = new Mutex();
      const deposit = async () => {
        const balance = await io("read", () => stored);
        await io("write", () => void (stored = balance + 1));
      };
      const both = ["Ann", "Bob"].map((name) => task(name, () => (guarded ? mutex.run(deposit) : deposit())));
      await Promise.all(both);
      expect(stored).toBe(2);
    };

  test("is found, in its simplest form", async () => {
    const race = await raceIn(deposits(false));
    expect(race.kind).toBe("error");
    expect(deeds(race)).toEqual([
      "Ann: begins",
      "Ann: read",
      "Ann: read → 0",
      "Bob: begins",
      "Bob: read",
      "Bob: read → 0",
      "Bob: write",
      "Bob: write: done; ends",
      "Ann: write",
      "Ann: write: done; ends",
      expect.stringMatching(/^program: ✗ expected 1 to be 2/),
    ]);
  });

  test.each(["random", "pct"] as const)("is found by %s, and made as simple", async (mode) => {
    const race = await raceIn(deposits(false), { mode });
    expect(race.schedule.filter(({ did }) => did === "begins")).toHaveLength(2);
    expect(race.schedule).toHaveLength(11);
  });

  test("is gone with a mutex", () => isProven(deposits(true)));
});

describe("the double-checked initialisation", () => {
  interface Connection {
    id: number;
  }
  const connects =
    (getter: (stage: Stage, connect: () => Promise<Connection>) => () => Promise<Connection>): Program =>
    async (stage) => {
      let opened = 0;
      const get = getter(stage, () => stage.io("connect", () => ({ id: ++opened })));
      const [one, other] = await Promise.all([stage.task("one", get), stage.task("other", get)]);
      expect(opened).toBe(1);
      expect(one).toBe(other);
    };

  test("is found", async () => {
    const hasty = connects((_stage, connect) => {
      let connection: Connection | undefined;
      return async () => (connection ??= await connect());
    });
    expect((await raceIn(hasty)).message).toContain("expected 2 to be 1");
  });

  test("is gone with a lazy value", () =>
    isProven(
      connects((_stage, connect) => {
        const lazy = new Lazy(connect);
        return () => lazy.get();
      }),
    ));
});

describe("the deadlock of two transfers", () => {
  const transfers =
    (inOneOrder: boolean): Program =>
    ({ task, io }) => {
      const account = { a: new Mutex({ name: "a" }), b: new Mutex({ name: "b" }) };
      const transfer = async (from: "a" | "b", to: "a" | "b") => {
        const [first, second] = inOneOrder ? [from, to].sort() : [from, to];
        using _first = await account[first as "a" | "b"].acquire();
        using _second = await account[second as "a" | "b"].acquire();
        await io("move", () => undefined);
      };
      void task("there", () => transfer("a", "b"));
      void task("back", () => transfer("b", "a"));
    };

  test("is found, and says who waits for whom", async () => {
    const race = await raceIn(transfers(false));
    expect(race.kind).toBe("deadlock");
    expect(race.message).toContain('there waits for the mutex "b", which back holds');
    expect(race.message).toContain('back waits for the mutex "a", which there holds');
  });

  test("is called so even when somebody else waits to be woken", async () => {
    const found = await raceIn(async ({ task }) => {
      const [a, b] = [new Mutex(), new Mutex()];
      const event = new Event();
      void task("third", () => event.wait());
      await Promise.all([
        task("there", () => a.run(() => b.run(() => 0))),
        task("back", () => b.run(() => a.run(() => 0))),
      ]);
      event.set();
    });
    expect(found.kind).toBe("deadlock");
    expect(found.message).toContain("third waits for the event");
    expect(found.message).toMatch(
      /waits for the mutex \(number [12] of that name\), which (there|back) holds/,
    );
  });

  test("is gone when locks are taken in one order", () => isProven(transfers(true)));
});

describe("the ABA", () => {
  interface Cell {
    value: string;
    next: Cell | undefined;
  }
  /** Takes cells from a stack by compare-and-set, and puts one back. */
  const stack =
    (versioned: boolean): Program =>
    async ({ task, step }) => {
      const cell = (value: string, next?: Cell): Cell => ({ value, next });
      let head: Cell | undefined = cell("A", cell("B", cell("C")));
      let version = 0;
      const set = (expected: Cell, seen: number, next: Cell | undefined) => {
        if (head !== expected || (versioned && version !== seen)) return false;
        head = next;
        version++;
        return true;
      };
      const pop = async () => {
        for (;;) {
          const [top, seen] = [head!, version];
          const { next } = top;
          await step("looked at the top");
          if (set(top, seen, next)) return top;
        }
      };
      const taken: string[] = [];
      const once = task("once", async () => void taken.push((await pop()).value));
      const busy = task("busy", async () => {
        const top = await pop();
        taken.push((await pop()).value);
        top.next = head;
        head = top;
        version++;
      });
      await Promise.all([once, busy]);
      const left: string[] = [];
      for (let at: Cell | undefined = head; at !== undefined; at = at.next) left.push(at.value);
      expect([...taken, ...left].sort()).toEqual(["A", "B", "C"]);
    };

  test("is found", async () => {
    expect((await raceIn(stack(false))).kind).toBe("error");
  });

  test("is gone with a version", () => isProven(stack(true)));
});

describe("the missed notify", () => {
  const signals =
    (looks: "outside" | "inside"): Program =>
    ({ task }) => {
      const mutex = new Mutex();
      const ready = new Condition(mutex, { name: "ready" });
      let isReady = false;
      void task("consumer", async () => {
        if (looks === "outside" && isReady) return;
        using held = await mutex.acquire();
        if (looks === "outside") await ready.wait(held);
        else await ready.waitUntil(held, () => isReady);
      });
      void task("producer", async () => {
        using _held = await mutex.acquire();
        isReady = true;
        ready.notifyAll();
      });
    };

  test("is found, and is called a lost wake-up", async () => {
    const race = await raceIn(signals("outside"));
    expect(race.kind).toBe("lost wake-up");
    expect(race.message).toContain('consumer waits for the condition "ready"');
  });

  test("is gone when the condition is looked at inside", () => isProven(signals("inside")));

  test("is found with an event that is reset", async () => {
    const race = await raceIn(({ task, step }) => {
      const event = new Event({ name: "go" });
      void task("waiter", () => event.wait());
      void task("starter", async () => {
        event.set();
        await step();
        event.reset();
      });
    });
    expect(race.kind).toBe("lost wake-up");
  });
});

describe("check-then-act on a cache", () => {
  const cached =
    (isVersioned: boolean): Program =>
    async ({ task, io }) => {
      const database = new Map([["user", "old"]]);
      const cache = new Map<string, string>();
      let version = 0;
      const read = async () => {
        const hit = cache.get("user");
        if (hit !== undefined) return hit;
        const seen = version;
        const value = await io("select", () => database.get("user")!);
        if (!isVersioned || seen === version) cache.set("user", value);
        return value;
      };
      const write = async () => {
        await io("update", () => void database.set("user", "new"));
        cache.delete("user");
        version++;
      };
      await Promise.all([task("reader", read), task("writer", write)]);
      expect(await read()).toBe("new");
    };

  test("is found: the reader fills the cache with what it read before the write", async () => {
    const race = await raceIn(cached(false));
    const told = deeds(race);
    expect(told.indexOf("reader: select")).toBeLessThan(told.indexOf("writer: update"));
    expect(told.indexOf('reader: select → "old"; ends')).toBeGreaterThan(told.indexOf("writer: update"));
  });

  test("is gone when a fill that a write has overtaken is dropped", () => isProven(cached(true)));
});
