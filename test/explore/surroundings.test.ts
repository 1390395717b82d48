// What Node gives a program besides promises and timers goes on as in Node, and comes back in the report.
import { AsyncLocalStorage } from "node:async_hooks";
import { explore, type Program } from "lockstep/explore";
import { describe, expect, test } from "vitest";
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

function abortWith(callback: () => void): void {
  const abort = new AbortController();
  abort.signal.addEventListener("abort", callback);
  abort.abort();
}
