import { getEventListeners } from "node:events";
import { ManualClock } from "lockstep/base";
import { AtomicRef } from "lockstep/sync";
import { expect, test, vi } from "vitest";

const bad = (code: string): unknown => expect.objectContaining({ code });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("get, set, getAndSet, compareAndSet", () => {
  const ref = new AtomicRef(1);
  ref.set(2);
  expect(ref.getAndSet(3)).toBe(2);
  expect(ref.compareAndSet(2, 9)).toBe(false);
  expect(ref.compareAndSet(3, 4)).toBe(true);
  expect(ref.get()).toBe(4);
});

test("the same is what Object.is says", () => {
  const ref = new AtomicRef(NaN);
  expect(ref.compareAndSet(NaN, 0)).toBe(true);
  expect(ref.compareAndSet(-0, 1)).toBe(false);
});

test("an update that does not wait takes effect at once", async () => {
  const ref = new AtomicRef(1);
  const updated = ref.update((n) => n + 1, { timeoutMs: 0 });
  expect(ref.get()).toBe(2);
  expect(await updated).toBe(2);
});

test("updates that wait lose nothing of each other", async () => {
  const ref = new AtomicRef(0);
  const one = () => ref.update(async (n) => (await turn(), n + 1));
  await Promise.all(Array.from({ length: 20 }, one));
  expect(ref.get()).toBe(20);
});

test("a value that went and came back counts as changed", async () => {
  const ref = new AtomicRef("a");
  const seen: string[] = [];
  const updated = ref.update(async (value) => {
    seen.push(value);
    await turn();
    return `${value}!`;
  });
  ref.set("b");
  ref.set("a");
  await updated;
  expect(seen).toEqual(["a", "a"]);
});

test("setting the same value again is no change", async () => {
  const ref = new AtomicRef("a");
  const change = vi.fn(async (value: string) => `${value}!`);
  const updated = ref.update(change);
  ref.set("a");
  expect(await updated).toBe("a!");
  expect(change).toHaveBeenCalledOnce();
});

test("after so many attempts it gives up, and changes nothing", async () => {
  const ref = new AtomicRef(0);
  const change = vi.fn(async (n: number) => {
    await turn();
    ref.set(n + 10);
    return -1;
  });
  await expect(ref.update(change, { attempts: 3 })).rejects.toEqual(bad("retries-exhausted"));
  expect(change).toHaveBeenCalledTimes(3);
  expect(ref.get()).toBe(30);
});

test("who loses patience changes nothing from then on", async () => {
  const clock = new ManualClock();
  const ref = new AtomicRef(0, { clock });
  const aborter = new AbortController();
  let finish = (_n: number) => {};
  const change = () => new Promise<number>((resolve) => (finish = resolve));
  const reason = new Error("leaving");
  const aborted = ref.update(change, { signal: aborter.signal });
  aborter.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  finish(5);
  await turn();
  const refused = expect(ref.update(change, { timeoutMs: 5 })).rejects.toEqual(bad("timeout"));
  await clock.advance(5);
  await refused;
  finish(5);
  await turn();
  expect(ref.get()).toBe(0);
});

test("an update changes nothing once its signal has aborted, even before it could be told", async () => {
  const ref = new AtomicRef(0);
  const aborter = new AbortController();
  // In a browser promises may go on between one who hears of an abort and the next.
  aborter.signal.addEventListener = () => undefined;
  const updated = ref.update(async () => (await turn(), 5), { signal: aborter.signal });
  aborter.abort("left");
  await expect(updated).rejects.toBe("left");
  expect(ref.get()).toBe(0);
});

test("what an update throws is passed on, and nothing is changed", async () => {
  const ref = new AtomicRef(0);
  const error = new Error("no");
  const thrown = ref.update(() => {
    throw error;
  });
  await expect(thrown).rejects.toBe(error);
  await expect(ref.update(() => Promise.reject(error))).rejects.toBe(error);
  expect(ref.get()).toBe(0);
});

test("an update that sets the value itself is told, instead of trying for ever", async () => {
  const ref = new AtomicRef(0);
  const set = (n: number) => {
    ref.set(n + 1);
    return n + 1;
  };
  await expect(ref.update(set)).rejects.toEqual(bad("misuse"));
});

test("an update that sets the value itself, and fails later, is told once", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const ref = new AtomicRef(0);
  const updated = ref.update(async () => {
    ref.set(5);
    await turn();
    throw new Error("later");
  });
  await expect(updated).rejects.toEqual(bad("misuse"));
  await turn();
  await turn();
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test("wait resolves with the first value that is accepted, however short it lasts", async () => {
  const ref = new AtomicRef(0);
  const three = ref.wait((n) => n === 3);
  const any = await ref.wait((n) => n === 0);
  ref.set(3);
  ref.set(4);
  expect([any, await three, ref.get()]).toEqual([0, 3, 4]);
});

test("a wait ends with its patience, and leaves no listener", async () => {
  const clock = new ManualClock();
  const ref = new AtomicRef(0, { clock });
  const aborter = new AbortController();
  const never = () => false;
  const waits = Array.from({ length: 2000 }, () => ref.wait(never, { signal: aborter.signal }));
  expect(getEventListeners(aborter.signal, "abort")).toHaveLength(1);
  const reason = new Error("leaving");
  aborter.abort(reason);
  for (const each of await Promise.allSettled(waits)) expect(each).toEqual({ status: "rejected", reason });
  expect(getEventListeners(aborter.signal, "abort")).toHaveLength(0);
  const refused = expect(ref.wait(never, { timeoutMs: 5 })).rejects.toEqual(bad("timeout"));
  await clock.advance(5);
  await refused;
});

test("what is set when the signal aborts is not for who waited with it", async () => {
  const ref = new AtomicRef(0);
  const aborter = new AbortController();
  // This one hears of the abort before the wait does.
  aborter.signal.addEventListener("abort", () => ref.set(1));
  const accepts = vi.fn((n: number) => n === 1);
  const other = ref.wait((n) => n === 2);
  const waiting = ref.wait(accepts, { signal: aborter.signal });
  aborter.abort("left");
  await expect(waiting).rejects.toBe("left");
  expect(accepts).toHaveBeenCalledOnce();
  ref.set(2);
  expect(await other).toBe(2);
});

test("who looks and gives up by that has given up", async () => {
  for (const answer of [false, true]) {
    const ref = new AtomicRef(0);
    const aborter = new AbortController();
    const accepts = () => {
      aborter.abort("left");
      return answer;
    };
    await expect(ref.wait(accepts, { signal: aborter.signal })).rejects.toBe("left");
  }
});

test("an answer that is neither yes nor no is refused", async () => {
  const ref = new AtomicRef(0);
  const answers = [async () => false, () => undefined, () => 1] as unknown as ((n: number) => boolean)[];
  for (const accepts of answers) await expect(ref.wait(accepts)).rejects.toEqual(bad("bad-input"));
  const later = ref.wait(((n: number) => (n === 0 ? false : Promise.resolve(false))) as never);
  const other = ref.wait((n) => n === 1);
  ref.set(1);
  await expect(later).rejects.toEqual(bad("bad-input"));
  expect(await other).toBe(1);
});

test("one who fails to look, or sets the value when looking, does not disturb the others", async () => {
  const ref = new AtomicRef(0);
  const error = new Error("no");
  const failing = expect(
    ref.wait((n) => {
      if (n > 0) throw error;
      return false;
    }),
  ).rejects.toBe(error);
  const setting = ref.wait((n) => {
    if (n === 1) ref.set(2);
    return n === 2;
  });
  const other = ref.wait((n) => n === 2);
  ref.set(1);
  await failing;
  expect([await setting, await other]).toEqual([2, 2]);
});

test("nonsense is refused, and changes nothing", async () => {
  const ref = new AtomicRef(0);
  const change = vi.fn((n: number) => n + 1);
  await expect(ref.update(undefined as never)).rejects.toEqual(bad("bad-input"));
  for (const attempts of [0, -1, 1.5, NaN, "3" as never]) {
    await expect(ref.update(change, { attempts })).rejects.toEqual(bad("bad-input"));
  }
  await expect(ref.update(change, { tries: 3 } as never)).rejects.toEqual(bad("bad-input"));
  await expect(ref.update(change, { timeoutMs: -1 })).rejects.toEqual(bad("bad-input"));
  const reason = new Error("before");
  await expect(ref.update(change, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(change).not.toHaveBeenCalled();
  await expect(ref.wait(undefined as never)).rejects.toEqual(bad("bad-input"));
  await expect(ref.wait(() => true, { timeout: 1 } as never)).rejects.toEqual(bad("bad-input"));
  await expect(ref.wait(() => false, { timeoutMs: 0 })).rejects.toEqual(bad("timeout"));
  expect(() => new AtomicRef(0, { nick: "x" } as never)).toThrow(bad("bad-input"));
});
