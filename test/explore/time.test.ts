import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { MemoryStore } from "lockstep/memory";
import { explore, type Program } from "lockstep/explore";
import type { Condition, Write } from "lockstep/store";
import { Mutex } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { deeds, raceIn } from "./found.js";

describe("time", () => {
  test("is virtual: a program sleeps for years, and each time the same", async () => {
    const readings = new Set<string>();
    const yearMs = 365 * 24 * 3600 * 1000;
    const program: Program = async ({ clock }) => {
      const [began, at, elapsed, [seconds]] = [Date.now(), new Date(), performance.now(), process.hrtime()];
      for (let month = 0; month < 24; month++) await sleep(yearMs / 24);
      expect(Date.now() - began).toBe(yearMs);
      expect(new Date().getTime() - at.getTime()).toBe(yearMs);
      expect(performance.now() - elapsed).toBe(yearMs);
      expect(process.hrtime()[0] - seconds).toBe(yearMs / 1000);
      expect(clock.now()).toBe(yearMs);
      expect(at).toBeInstanceOf(Date);
      expect(new Date(0).getTime()).toBe(0);
      readings.add(new Date().toISOString());
    };
    await explore(program, { mode: "random", runs: 3 });
    expect(readings.size).toBe(1);
  });

  test("goes from timer to timer, in the order in which they are due", async () => {
    await explore(async () => {
      const fired: unknown[] = [];
      setTimeout((text) => fired.push(text), 20, "late");
      setTimeout(() => fired.push("early"), 10);
      clearTimeout(setTimeout(() => fired.push("never"), 15));
      const ticks = setInterval(() => fired.push("tick"), 8);
      clearImmediate(setImmediate(() => fired.push("never")));
      await new Promise((resolve) => setTimeout(resolve, 30));
      clearInterval(ticks);
      await sleep(30);
      expect(fired).toEqual(["tick", "early", "tick", "late", "tick"]);
    });
  });

  test("ends waits: of locks, of signals, of sleeps that are called off", async () => {
    await explore(async ({ task }) => {
      const mutex = new Mutex();
      using _held = await mutex.acquire();
      await expect(mutex.acquire({ timeoutMs: 5 })).rejects.toMatchObject({ code: "timeout" });
      const signal = AbortSignal.timeout(5);
      await expect(mutex.acquire({ signal })).rejects.toMatchObject({ name: "TimeoutError" });
      const abort = new AbortController();
      void task(() => {
        abort.abort(new Error("enough"));
      });
      await expect(sleep(100, undefined, { signal: abort.signal })).rejects.toThrow("enough");
    });
  });

  const timed: Program = async ({ task, io }) => {
    const mutex = new Mutex();
    void task("slow", () => mutex.run(() => io("query", () => 0)));
    await task("hasty", () => mutex.run(() => 0, { timeoutMs: 1000 }));
  };

  test("stands still while anybody can go on", async () => {
    expect((await explore(timed)).isComplete).toBe(true);
  });

  test("may pass meanwhile, if that is asked for", async () => {
    const found = await raceIn(timed, { timers: "any" });
    expect(found.cause).toMatchObject({ code: "timeout" });
    expect(deeds(found)).toContain("hasty: timer of 1000 ms");
  });

  test("turns of the event loop can be taken in any order", async () => {
    const orders = new Set<string>();
    const found = await explore(async ({ task }) => {
      let order = "";
      const body = async (name: string) => {
        await new Promise(setImmediate);
        await nextTurn();
        order += name;
      };
      await Promise.all(["a", "b"].map((name) => task(name, () => body(name))));
      orders.add(order);
    });
    expect(found).toMatchObject({ schedules: 20, isComplete: true });
    expect([...orders].sort()).toEqual(["ab", "ba"]);
  });
});

describe("the globals", () => {
  const owners = [
    globalThis,
    performance,
    process,
    Math,
    AbortSignal,
    process.getBuiltinModule("node:timers"),
  ];
  // By names: under symbols Node leaves things of its own when it loads a part of itself.
  const state = () => owners.map((owner) => Object.entries(Object.getOwnPropertyDescriptors(owner)));

  test("are as they were, whatever comes of the program", async () => {
    const before = state();
    const listeners = process.listeners("unhandledRejection");
    await explore(() => 0);
    expect(state()).toEqual(before);
    await raceIn(() => {
      throw new Error("no");
    });
    await explore(() => 0, { runs: -1 }).catch(() => undefined);
    expect(state()).toEqual(before);
    expect(process.listeners("unhandledRejection")).toEqual(listeners);
    expect(Date.now()).toBeGreaterThan(0);
  });

  test("are themselves for everybody else meanwhile", async () => {
    const realSetTimeout = setTimeout;
    let turns = 0;
    const looking = setInterval(() => {
      turns++;
      expect(setTimeout).toBe(realSetTimeout);
    }, 1);
    const busy: Program = async ({ task, step }) => {
      await Promise.all(Array.from({ length: 4 }, () => task(() => step())));
    };
    await explore(busy, { mode: "random", runs: 10_000 });
    clearInterval(looking);
    expect(turns).toBeGreaterThan(0);
  });
});

describe("the world outside", () => {
  test("may be asked in an io, which is waited for", async () => {
    const path = new URL("../../package.json", import.meta.url);
    const found = await explore(
      async ({ task, io }) => {
        const name = async () => {
          const text = await io("read the file", () => readFile(path, "utf8"));
          return (JSON.parse(text) as { name: string }).name;
        };
        expect(await Promise.all([task("one", name), task("other", name)])).toEqual(["lockstep", "lockstep"]);
      },
      { preemptions: 0 },
    );
    expect(found.isComplete).toBe(true);
  });

  test("may not be waited for otherwise", async () => {
    const program: Program = ({ task }) => {
      void task("reader", () => readFile(new URL("../../package.json", import.meta.url)));
    };
    const error: unknown = await explore(program).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "misuse", message: expect.stringContaining("io(") as string });
  });

  test("is not blamed for a promise that nobody resolves", async () => {
    const found = await raceIn(({ task }) => {
      void task("patient", () => new Promise<void>(() => undefined));
    });
    expect(found.kind).toBe("stuck");
    expect(found.message).toContain("patient waits for a promise of its own");
  });
});

describe("the memory engine", () => {
  const key = "stock";
  const text = (bytes: Uint8Array) => Number(new TextDecoder().decode(bytes));
  const selling =
    (isConditional: boolean): Program =>
    async ({ task }) => {
      const store = new MemoryStore();
      const put = (count: number): Write => {
        return { kind: "put", key, value: new TextEncoder().encode(`${count}`) };
      };
      await store.commit({ then: [put(5)] });
      const sell = async () => {
        for (;;) {
          const [entry] = (await store.read({ key })).entries;
          const unchanged: Condition = { kind: "modified", key, revision: entry!.modified };
          const when = isConditional ? [unchanged] : [];
          const done = await store.commit({ when, then: [put(text(entry!.value) - 1)] });
          if (done.ok) return;
        }
      };
      await Promise.all([task("Ann", sell), task("Bob", sell)]);
      const { entries } = await store.read({ key });
      expect(text(entries[0]!.value)).toBe(3);
      await store.close();
    };

  test("can lose an update that is not conditional", async () => {
    expect((await raceIn(selling(false))).message).toContain("expected 4 to be 3");
  });

  test("loses none that is", async () => {
    expect((await explore(selling(true), { mode: "exhaustive" })).isComplete).toBe(true);
  });
});
