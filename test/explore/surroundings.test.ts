// What Node gives a program besides promises and timers goes on as in Node, and comes back in the report.
import { AsyncLocalStorage } from "node:async_hooks";
import { explore, type Program } from "lockstep/explore";
import { afterEach, describe, expect, test, vi } from "vitest";
import { deeds, raceIn } from "./found.js";

describe("a callback that throws", () => {
  test.each<[string, (callback: () => void) => void]>([
    ["queueMicrotask", (callback) => queueMicrotask(callback)],
    ["process.nextTick", (callback) => process.nextTick(callback)],
    ["an abort", (callback) => abortWith(callback)],
  ])("in %s fails the schedule, and not the process", async (_name, later) => {
    const found = await raceIn(({ task, step }) => {
      void task("hasty", async () => {
        await step();
        later(() => expect.fail("thrown late"));
      });
    });
    expect(found).toMatchObject({ kind: "error", cause: { message: "thrown late" } });
    expect(deeds(found)).toContain("hasty: step; ends; ✗ thrown late");
  });

  test("is called with what was given for it", async () => {
    await explore(async () => {
      const given = await new Promise((resolve) => process.nextTick(resolve, "value"));
      expect(given).toBe("value");
      expect(() => queueMicrotask("callback" as never)).toThrow(TypeError);
    });
  });
});

test("an AsyncLocalStorage gives each task its own, wherever it goes on", async () => {
  const request = new AsyncLocalStorage<string>();
  const program: Program = async ({ task, io, step }) => {
    const handle = async (name: string) => {
      const expectOwn = () => {
        expect(request.getStore()).toBe(name);
      };
      expectOwn();
      await step();
      expectOwn();
      await io("query", expectOwn);
      expectOwn();
      await new Promise<void>((resolve) => {
        setTimeout(() => {
          expectOwn();
          resolve();
        }, 5);
      });
      await new Promise<void>((resolve) => {
        setImmediate(() => {
          expectOwn();
          resolve();
        });
      });
      expectOwn();
    };
    const begin = (name: string) => request.run(name, () => task(name, () => handle(name)));
    await Promise.all([begin("a"), begin("b")]);
    expect(request.getStore()).toBeUndefined();
  };
  await explore(program, { mode: "random", runs: 50 });
});

test("an interval that is never cleared keeps no schedule from its end", async () => {
  const { schedules } = await explore(async ({ task, step }) => {
    setInterval(() => undefined, 10);
    await task(step);
  });
  expect(schedules).toBe(1);
});

describe("fake timers", () => {
  const names = ["setTimeout", "setImmediate", "setInterval", "Date", "clearTimeout"] as const;
  const state = () => names.map((name) => globalThis[name]);
  const before = state();

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  test("that are on are refused", async () => {
    vi.useFakeTimers();
    await expect(explore(({ step }) => step())).rejects.toMatchObject({
      code: "misuse",
      message: expect.stringContaining("fake timers are on") as string,
    });
    vi.useRealTimers();
    await explore(({ step }) => step());
  });

  test("that the program puts on are refused, and leave nothing behind", async () => {
    const refused = { code: "misuse", message: expect.stringContaining("fake timers") as string };
    await expect(explore(() => void vi.useFakeTimers())).rejects.toMatchObject(refused);
    expect(state()).toEqual(before);
    vi.useRealTimers();
    expect(state()).toEqual(before);
  });

  test("are refused also if only chance is a fake, which works on when it is put back", async () => {
    const mocking: Program = () => void vi.spyOn(Math, "random").mockReturnValue(7);
    await expect(explore(mocking)).rejects.toMatchObject({ code: "misuse" });
    vi.restoreAllMocks();
    expect(Math.random()).toBeLessThan(1);
  });
});

test("a timer of a schedule can be cleared, and set anew, when the schedule is over", async () => {
  const fired: string[] = [];
  let timers: NodeJS.Timeout[] = [];
  await explore(() => {
    timers = ["cleared", "set anew"].map((name) => setTimeout(() => fired.push(name), 1));
  });
  for (const timer of timers) timer.refresh();
  clearTimeout(timers[0]);
  await vi.waitUntil(() => fired.length > 0);
  expect(fired).toEqual(["set anew"]);
});

function abortWith(callback: () => void): void {
  const abort = new AbortController();
  abort.signal.addEventListener("abort", callback);
  abort.abort();
}
