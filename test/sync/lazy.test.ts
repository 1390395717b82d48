import { ManualClock, type Patience } from "lockstep/base";
import { detectDeadlocks, Lazy, Mutex } from "lockstep/sync";
import { expect, test, vi } from "vitest";

const bad = (code: string): unknown => expect.objectContaining({ code });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What makes values that are ready when the test says so. */
function maker() {
  const begun: { give: (value: string) => void; fail: (error: unknown) => void }[] = [];
  const make = vi.fn(
    () => new Promise<string>((resolve, reject) => begun.push({ give: resolve, fail: reject })),
  );
  return { make, begun };
}

test("it is made when first asked for, once, and given to all", async () => {
  const { make, begun } = maker();
  const lazy = new Lazy(make);
  expect([make.mock.calls.length, lazy.isReady, lazy.value]).toEqual([0, false, undefined]);
  const all = Promise.all([lazy.get(), lazy.get(), lazy.get()]);
  begun[0]!.give("made");
  expect(await all).toEqual(["made", "made", "made"]);
  expect([lazy.isReady, lazy.value, await lazy.get()]).toEqual([true, "made", "made"]);
  expect(make).toHaveBeenCalledOnce();
});

test("nothing is a value too", async () => {
  const make = vi.fn(() => undefined);
  const lazy = new Lazy(make);
  await lazy.get();
  await lazy.get();
  expect(lazy.isReady).toBe(true);
  expect(make).toHaveBeenCalledOnce();
});

test("a failure is everyone's who waited, and is not kept", async () => {
  const { make, begun } = maker();
  const lazy = new Lazy(make);
  const both = Promise.allSettled([lazy.get(), lazy.get()]);
  const error = new Error("no");
  begun[0]!.fail(error);
  expect(await both).toEqual([
    { status: "rejected", reason: error },
    { status: "rejected", reason: error },
  ]);
  const again = lazy.get();
  begun[1]!.give("made");
  expect(await again).toBe("made");
});

test("what nobody waits for any more is made to the end, and kept", async () => {
  const clock = new ManualClock();
  const { make, begun } = maker();
  const lazy = new Lazy(make, { clock });
  const refused = expect(lazy.get({ timeoutMs: 5 })).rejects.toEqual(bad("timeout"));
  await clock.advance(5);
  await refused;
  begun[0]!.give("late");
  await turn();
  expect(lazy.value).toBe("late");
  expect(await lazy.get({ timeoutMs: 0 })).toBe("late");
});

test("after a reset it is made again, and the old attempt is given only to who waited for it", async () => {
  const { make, begun } = maker();
  const lazy = new Lazy(make);
  const before = lazy.get();
  lazy.reset();
  const after = lazy.get();
  begun[0]!.give("old");
  expect(await before).toBe("old");
  expect(lazy.isReady).toBe(false);
  begun[1]!.give("new");
  expect(await after).toBe("new");
  expect(lazy.value).toBe("new");
  lazy.reset();
  expect([lazy.isReady, lazy.value]).toEqual([false, undefined]);
});

test("one that needs itself is told", async () => {
  const lazy: Lazy<string> = new Lazy(() => lazy.get());
  await expect(lazy.get()).rejects.toEqual(bad("misuse"));
});

test("who looks for deadlocks does not take it for a part of what the first one to ask holds", async () => {
  using _detector = detectDeadlocks();
  const mutex = new Mutex();
  const lazy = new Lazy(() => turn().then(() => mutex.run(() => "made")));
  const ask = (patience?: Patience) => lazy.get(patience);
  const aborter = new AbortController();
  let second: Promise<unknown> | undefined;
  await mutex.run(async () => {
    await turn();
    const first = ask({ signal: aborter.signal });
    second = ask();
    aborter.abort("left");
    await expect(first).rejects.toBe("left");
    await turn();
    await turn();
  });
  await second;
});

test("nonsense is refused, and makes nothing", async () => {
  const { make } = maker();
  const lazy = new Lazy(make);
  expect(() => new Lazy(undefined as never)).toThrow(bad("bad-input"));
  expect(() => new Lazy(make, { nick: "x" } as never)).toThrow(bad("bad-input"));
  await expect(lazy.get({ timeout: 5 } as never)).rejects.toEqual(bad("bad-input"));
  await expect(lazy.get({ timeoutMs: NaN })).rejects.toEqual(bad("bad-input"));
  await expect(lazy.get({ timeoutMs: 0 })).rejects.toEqual(bad("timeout"));
  const reason = new Error("before");
  await expect(lazy.get({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(make).not.toHaveBeenCalled();
});
