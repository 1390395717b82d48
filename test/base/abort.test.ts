import { Lockstep } from "lockstep";
import { MemoryStore } from "lockstep/memory";
import { expect, test, vi } from "vitest";
import { onAbort } from "../../src/base/abort.js";

test("many wait on one signal with one listener, which goes with the last of them", () => {
  const controller = new AbortController();
  const add = vi.spyOn(controller.signal, "addEventListener");
  const remove = vi.spyOn(controller.signal, "removeEventListener");
  const called: number[] = [];
  const callOffs = Array.from({ length: 100 }, (_, i) => onAbort(controller.signal, () => called.push(i)));
  expect(add).toHaveBeenCalledTimes(1);
  for (const callOff of callOffs) callOff();
  for (const callOff of callOffs) callOff();
  expect(remove).toHaveBeenCalledTimes(1);
  controller.abort();
  expect(called).toEqual([]);
});

test("one that is called back may call off another, and one that came later is called as well", () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => {
    called.push("first");
    callOff();
  });
  const callOff = onAbort(controller.signal, () => called.push("second"));
  onAbort(controller.signal, () => called.push("third"));
  controller.abort();
  expect(called).toEqual(["first", "third"]);
});

test("a signal that has aborted already calls back soon, unless that is called off", async () => {
  const signal = AbortSignal.abort();
  const called: string[] = [];
  onAbort(signal, () => called.push("first"));
  onAbort(signal, () => called.push("second"))();
  expect(called).toEqual([]);
  await Promise.resolve();
  expect(called).toEqual(["first"]);
});

test("a shutdown's signal may be given to any number of waiters", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  await using ls = new Lockstep(new MemoryStore());
  const shutdown = new AbortController();
  const held = await ls.lock("x").acquire();
  const { signal } = shutdown;
  const waiting = Array.from({ length: 50 }, () => ls.lock("x").acquire({ signal }));
  shutdown.abort(new Error("going down"));
  for (const outcome of await Promise.allSettled(waiting)) expect(outcome.status).toBe("rejected");
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
  await held.release();
});
