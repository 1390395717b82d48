import { ManualClock, type Patience } from "lockstep/base";
import { detectDeadlocks, Once, Mutex } from "lockstep/sync";
import { expect, test, vi } from "vitest";
import { settled } from "./outcome.js";

const bad = (code: string): unknown => expect.objectContaining({ code });

/** A thing to do that ends when the test says so. */
function deed() {
  let done = () => {};
  let fail = (_error: unknown) => {};
  const action = vi.fn(
    () =>
      new Promise<void>((resolve, reject) => {
        done = resolve;
        fail = reject;
      }),
  );
  return { action, done: () => done(), fail: (error: unknown) => fail(error) };
}

test("it is done once, and all wait for it", async () => {
  const once = new Once();
  const { action, done } = deed();
  const other = vi.fn();
  let waited = 0;
  const all = [once.run(action), once.run(other), once.run(other)].map((each) => each.then(() => waited++));
  expect(action).toHaveBeenCalledOnce();
  await new Promise((resolve) => setImmediate(resolve));
  expect([waited, once.isDone]).toEqual([0, false]);
  done();
  await Promise.all(all);
  expect(once.isDone).toBe(true);
  await once.run(other);
  expect(other).not.toHaveBeenCalled();
});

test("a failure is everyone's who waited, and the next call tries again", async () => {
  const once = new Once();
  const { action, fail } = deed();
  const both = Promise.allSettled([once.run(action), once.run(action)]);
  const error = new Error("no database");
  fail(error);
  expect(await both).toEqual([
    { status: "rejected", reason: error },
    { status: "rejected", reason: error },
  ]);
  expect(once.isDone).toBe(false);
  await once.run(() => undefined);
  expect(once.isDone).toBe(true);
});

test("an action that throws at once is a failure like any other", async () => {
  const once = new Once();
  const error = new Error("no");
  const attempt = once.run(() => {
    throw error;
  });
  await expect(attempt).rejects.toBe(error);
  await once.run(() => undefined);
});

test("who loses patience leaves; what was begun goes on, and is never begun twice at a time", async () => {
  const clock = new ManualClock();
  const once = new Once({ clock });
  const { action, done } = deed();
  const hasty = once.run(action, { timeoutMs: 5 });
  const aborter = new AbortController();
  const aborted = once.run(action, { signal: aborter.signal });
  const reason = new Error("leaving");
  aborter.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  const refused = expect(hasty).rejects.toEqual(bad("timeout"));
  await clock.advance(5);
  await refused;
  const late = once.run(action);
  expect(action).toHaveBeenCalledOnce();
  done();
  await late;
  expect(once.isDone).toBe(true);
});

test("what fails when nobody waits any more is lost, and harms nobody", async () => {
  const clock = new ManualClock();
  const once = new Once({ clock });
  const { action, fail } = deed();
  const refused = expect(once.run(action, { timeoutMs: 5 })).rejects.toEqual(bad("timeout"));
  await clock.advance(5);
  await refused;
  fail(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
  await once.run(() => undefined);
  expect(once.isDone).toBe(true);
});

test("without time to wait nothing is begun; what is done is had at once", async () => {
  const once = new Once();
  const action = vi.fn();
  await expect(once.run(action, { timeoutMs: 0 })).rejects.toEqual(bad("timeout"));
  expect(action).not.toHaveBeenCalled();
  await once.run(action);
  await once.run(action, { timeoutMs: 0 });
  expect(action).toHaveBeenCalledOnce();
});

test("an action that waits for itself is told", async () => {
  const once = new Once();
  let inner: Promise<void> | undefined;
  await once.run(() => {
    inner = once.run(() => undefined);
  });
  await expect(inner).rejects.toEqual(bad("misuse"));
  expect(once.isDone).toBe(true);
});

test("nonsense is refused, and changes nothing", async () => {
  const once = new Once();
  const action = vi.fn();
  await expect(once.run(undefined as never)).rejects.toEqual(bad("bad-input"));
  await expect(once.run(action, { timeout: 5 } as never)).rejects.toEqual(bad("bad-input"));
  await expect(once.run(action, { timeoutMs: -1 })).rejects.toEqual(bad("bad-input"));
  const reason = new Error("before");
  await expect(once.run(action, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(action).not.toHaveBeenCalled();
  expect(() => new Once({ nick: "x" } as never)).toThrow(bad("bad-input"));
});

test("who looks for deadlocks does not take it for a part of what the first one to ask holds", async () => {
  using _detector = detectDeadlocks();
  const mutex = new Mutex();
  const once = new Once();
  const ask = (patience?: Patience) =>
    once.run(() => settled().then(() => mutex.run(() => undefined)), patience);
  const aborter = new AbortController();
  let second: Promise<unknown> | undefined;
  await mutex.run(async () => {
    await settled();
    const first = ask({ signal: aborter.signal });
    second = ask();
    aborter.abort("left");
    await expect(first).rejects.toBe("left");
    await settled();
    await settled();
  });
  await second;
});
