import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ManualClock } from "lockstep/base";
import { Channel } from "lockstep/sync";
import { describe, expect, test } from "vitest";

const closed = expect.objectContaining({ code: "closed" }) as unknown;
const timeout = expect.objectContaining({ code: "timeout" }) as unknown;
const badInput = expect.objectContaining({ code: "bad-input" }) as unknown;

/** What has become of a promise by now, without waiting for it. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const pending = Symbol("pending");
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  try {
    return (await Promise.race([promise, Promise.resolve(pending)])) === pending ? "pending" : "resolved";
  } catch {
    return "rejected";
  }
}

async function all<T>(channel: Channel<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of channel) values.push(value);
  return values;
}

describe("a bounded channel", () => {
  test("keeps the order, and makes the sender wait for room", async () => {
    const channel = new Channel<number>({ capacity: 2 });
    await channel.send(1);
    await channel.send(2);
    const third = channel.send(3);
    const fourth = channel.send(4);
    expect([channel.size, channel.waitingSenders]).toEqual([2, 2]);
    expect(await stateOf(third)).toBe("pending");
    expect(await channel.receive()).toBe(1);
    expect(await stateOf(third)).toBe("resolved");
    expect(await stateOf(fourth)).toBe("pending");
    expect([await channel.receive(), await channel.receive(), await channel.receive()]).toEqual([2, 3, 4]);
    await fourth;
    expect([channel.size, channel.waitingSenders]).toEqual([0, 0]);
  });

  test("nobody who tries overtakes those who wait", async () => {
    const channel = new Channel<number>({ capacity: 1 });
    void channel.send(1);
    void channel.send(2);
    expect(channel.trySend(3)).toBe(false);
    expect(channel.tryReceive()).toEqual({ value: 1 });
    expect(channel.trySend(4)).toBe(false);
    expect(await channel.receive()).toBe(2);
    expect(channel.trySend(5)).toBe(true);
  });

  test("receivers are served in the order in which they came", async () => {
    const channel = new Channel<string>({ capacity: 3 });
    const received = Promise.all([channel.receive(), channel.receive(), channel.receive()]);
    for (const value of ["a", "b", "c"]) channel.trySend(value);
    expect(channel.size).toBe(0);
    expect(await received).toEqual(["a", "b", "c"]);
  });

  test("a value is a value, whatever it is", async () => {
    const channel = new Channel<unknown>({ capacity: 9 });
    for (const value of [undefined, null, 0, ""]) channel.trySend(value);
    expect(channel.tryReceive()).toEqual({ value: undefined });
    expect(await channel.receive()).toBe(null);
    expect([await channel.receive(), await channel.receive()]).toEqual([0, ""]);
    expect(channel.tryReceive()).toBe(null);
  });
});

describe("a rendezvous", () => {
  test("goes from hand to hand", async () => {
    const channel = new Channel<string>({ capacity: 0 });
    expect(channel.trySend("nobody is here")).toBe(false);
    const send = channel.send("hello");
    expect(await stateOf(send)).toBe("pending");
    expect([channel.size, channel.waitingSenders]).toEqual([0, 1]);
    expect(await channel.receive()).toBe("hello");
    await send;
    const receive = channel.receive();
    expect(channel.trySend("somebody is here")).toBe(true);
    expect(channel.waitingReceivers).toBe(0);
    expect(await receive).toBe("somebody is here");
  });

  test("a try to receive takes from a sender who waits", async () => {
    const channel = new Channel<string>({ capacity: 0 });
    const send = channel.send("hello");
    expect(channel.tryReceive()).toEqual({ value: "hello" });
    await send;
  });

  test("without a value to pass, it is a signal", async () => {
    const channel = new Channel<void>({ capacity: 0 });
    const received = channel.receive();
    await channel.send();
    await received;
  });
});

test("an unbounded channel never makes a sender wait", () => {
  const channel = new Channel<number>({ capacity: Infinity });
  const count = 100_000;
  for (let round = 0; round < 3; round++) {
    for (let value = 0; value < count; value++) channel.trySend(value);
    expect(channel.size).toBe(count);
    for (let value = 0; value < count; value++) {
      if (channel.tryReceive()?.value !== value) expect.fail(`${value} was not next`);
    }
    expect(channel.tryReceive()).toBe(null);
  }
});

test("what was received is not kept alive", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const channel = new Channel<object>({ capacity: Infinity });
  const received: WeakRef<object>[] = [];
  for (let index = 0; index < 40; index++) channel.trySend({ index });
  for (let index = 0; index < 39; index++) received.push(new WeakRef(channel.tryReceive()!.value));
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(received.filter((each) => each.deref() !== undefined)).toEqual([]);
  expect(channel.tryReceive()).toEqual({ value: { index: 39 } });
});

describe("giving up", () => {
  test("a receiver who gave up swallows nothing", async () => {
    const clock = new ManualClock();
    const channel = new Channel<number>({ capacity: 0, clock });
    const abort = new AbortController();
    const receives = [channel.receive({ signal: abort.signal }), channel.receive({ timeoutMs: 5 })];
    const outcomes = Promise.allSettled(receives);
    abort.abort("no more");
    await clock.advance(5);
    expect(await outcomes).toEqual([
      { status: "rejected", reason: "no more" },
      { status: "rejected", reason: timeout },
    ]);
    expect(channel.waitingReceivers).toBe(0);
    expect(channel.trySend(1)).toBe(false);
    const send = channel.send(2);
    expect(await channel.receive()).toBe(2);
    await send;
  });

  test("a sender who gave up delivers nothing, and those behind it move up", async () => {
    const clock = new ManualClock();
    const channel = new Channel<number>({ capacity: 1, clock });
    const abort = new AbortController();
    channel.trySend(1);
    const outcomes = Promise.allSettled([
      channel.send(2, { signal: abort.signal }),
      channel.send(3, { timeoutMs: 5 }),
    ]);
    const last = channel.send(4);
    abort.abort("no more");
    await clock.advance(5);
    expect(await outcomes).toEqual([
      { status: "rejected", reason: "no more" },
      { status: "rejected", reason: timeout },
    ]);
    expect(channel.waitingSenders).toBe(1);
    expect([await channel.receive(), await channel.receive()]).toEqual([1, 4]);
    await last;
  });

  test("an abort in the very step after the hand-over comes too late", async () => {
    const channel = new Channel<number>({ capacity: 0 });
    const abort = new AbortController();
    const receive = channel.receive({ signal: abort.signal });
    expect(channel.trySend(1)).toBe(true);
    abort.abort();
    expect(await receive).toBe(1);

    const abortSend = new AbortController();
    const send = channel.send(2, { signal: abortSend.signal });
    expect(channel.tryReceive()).toEqual({ value: 2 });
    abortSend.abort();
    await send;
  });

  test("no time at all is time enough for what can happen at once", async () => {
    const channel = new Channel<number>({ capacity: 1 });
    await expect(channel.receive({ timeoutMs: 0 })).rejects.toEqual(timeout);
    await channel.send(1, { timeoutMs: 0 });
    await expect(channel.send(2, { timeoutMs: 0 })).rejects.toEqual(timeout);
    expect(await channel.receive({ timeoutMs: 0 })).toBe(1);
    expect([channel.size, channel.waitingSenders, channel.waitingReceivers]).toEqual([0, 0, 0]);
  });

  test("a signal that has aborted already changes nothing", async () => {
    const channel = new Channel<number>({ capacity: 1 });
    const signal = AbortSignal.abort("never");
    await expect(channel.send(1, { signal })).rejects.toBe("never");
    expect(channel.size).toBe(0);
    channel.trySend(2);
    await expect(channel.receive({ signal })).rejects.toBe("never");
    expect(channel.size).toBe(1);
  });
});

describe("closing", () => {
  test("what is in it is received still, then it ends", async () => {
    const channel = new Channel<number>({ capacity: 2, name: "jobs" });
    channel.trySend(1);
    channel.trySend(2);
    const waiting = channel.send(3);
    channel.close();
    channel.close();
    await expect(waiting).rejects.toEqual(closed);
    await expect(channel.send(4)).rejects.toEqual(closed);
    expect(() => channel.trySend(5)).toThrow('the channel "jobs" was closed');
    expect(channel.isClosed).toBe(true);
    expect(await channel.receive()).toBe(1);
    expect(channel.tryReceive()).toEqual({ value: 2 });
    await expect(channel.receive()).rejects.toEqual(closed);
    expect(() => channel.tryReceive()).toThrow("all that was in it was received");
    expect(await all(channel)).toEqual([]);
  });

  test("those who wait to receive learn that it ended", async () => {
    const channel = new Channel<number>({ capacity: 2 });
    const receive = channel.receive();
    const loop = all(channel);
    channel.close();
    await expect(receive).rejects.toEqual(closed);
    expect(await loop).toEqual([]);
    expect(channel.waitingReceivers).toBe(0);
  });

  test("a failure comes after what was sent before it, and not in place of it", async () => {
    const channel = new Channel<number>({ capacity: 1 });
    const failure = new Error("the line broke");
    channel.trySend(1);
    const waiting = channel.send(2);
    channel.fail(failure);
    channel.fail(new Error("only the first counts"));
    await expect(waiting).rejects.toMatchObject({ code: "closed", cause: failure });
    const seen: number[] = [];
    const loop = (async () => {
      for await (const value of channel) seen.push(value);
    })();
    await expect(loop).rejects.toBe(failure);
    expect(seen).toEqual([1]);
    await expect(channel.receive()).rejects.toBe(failure);
    expect(() => channel.tryReceive()).toThrow(failure);
  });

  test("a failure is heard by all who wait", async () => {
    const channel = new Channel<number>({ capacity: 0 });
    const failure = new Error("the line broke");
    const outcomes = Promise.allSettled([channel.receive(), all(channel)]);
    channel.fail(failure);
    const rejected = { status: "rejected", reason: failure };
    expect(await outcomes).toEqual([rejected, rejected]);
  });

  test("a failure may be nothing at all", async () => {
    const channel = new Channel<number>({ capacity: 0 });
    channel.fail(undefined);
    await expect(channel.receive()).rejects.toBe(undefined);
  });
});

describe("loops", () => {
  test("several loops share the values; each goes to one of them", async () => {
    const channel = new Channel<number>({ capacity: 4 });
    const loops = Promise.all([all(channel), all(channel), all(channel)]);
    const values = Array.from({ length: 100 }, (_, index) => index);
    for (const value of values) await channel.send(value);
    channel.close();
    const received = (await loops).flat();
    expect(received.sort((left, right) => left - right)).toEqual(values);
  });

  test("a loop that is left takes only what it was given", async () => {
    const channel = new Channel<number>({ capacity: 5 });
    for (const value of [1, 2, 3]) channel.trySend(value);
    for await (const value of channel) if (value === 2) break;
    expect(channel.waitingReceivers).toBe(0);
    expect(await channel.receive()).toBe(3);
  });

  test("ending an iterator while it waits for values loses none", async () => {
    const channel = new Channel<number>({ capacity: 0 });
    const iterator = channel[Symbol.asyncIterator]();
    const other = channel.receive();
    const nexts = [iterator.next(), iterator.next()];
    const behind = channel.receive();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(channel.waitingReceivers).toBe(2);
    for (const next of nexts) expect(await next).toEqual({ done: true, value: undefined });
    expect([channel.trySend(1), channel.trySend(2), channel.trySend(3)]).toEqual([true, true, false]);
    expect([await other, await behind]).toEqual([1, 2]);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("an iterator may be used again after its wait was served", async () => {
    const channel = new Channel<number>({ capacity: 0 });
    const iterator = channel[Symbol.asyncIterator]();
    const next = iterator.next();
    channel.trySend(1);
    const behind = iterator.next();
    await iterator.return?.();
    expect(await next).toEqual({ done: false, value: 1 });
    expect(await behind).toEqual({ done: true, value: undefined });
    expect(channel.waitingReceivers).toBe(0);
  });

  test("promises that are sent come out of a loop as promises", async () => {
    const channel = new Channel<Promise<number>>({ capacity: 1 });
    const promise = Promise.resolve(7);
    channel.trySend(promise);
    expect((await channel[Symbol.asyncIterator]().next()).value).toBe(promise);
  });
});

test("a promise that is sent is waited for by receive, and by nothing else", async () => {
  const channel = new Channel<Promise<number>>({ capacity: 2 });
  const failure = Promise.reject(new Error("a value like any other"));
  failure.catch(() => undefined);
  for (let round = 0; round < 2; round++) channel.trySend(failure);
  expect(channel.tryReceive()?.value).toBe(failure);
  await expect(channel.receive()).rejects.toThrow("a value like any other");
  expect(channel.size).toBe(0);
});

test("the hand-over takes no further turn", async () => {
  const channel = new Channel<string>({ capacity: 0 });
  const order: string[] = [];
  const received = channel.receive().then((value) => order.push(value));
  channel.trySend("received");
  const turn = Promise.resolve().then(() => order.push("a turn later"));
  await Promise.all([received, turn]);
  expect(order).toEqual(["received", "a turn later"]);
});

test("a million waits that were given up leave nothing", async () => {
  const clock = new ManualClock();
  const channel = new Channel<number>({ capacity: 0, clock });
  for (let round = 0; round < 500; round++) {
    const abort = new AbortController();
    const { signal } = abort;
    const outcomes: Promise<unknown>[] = [];
    for (let index = 0; index < 1000; index++) outcomes.push(channel.send(index, { signal }).catch(() => 0));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    abort.abort();
    expect(channel.waitingSenders).toBe(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    const late = new AbortController();
    for (let index = 0; index < 1000; index++) {
      outcomes.push(channel.receive({ signal: late.signal }).catch(() => 0));
    }
    late.abort();
    expect(channel.waitingReceivers).toBe(0);
    await Promise.all(outcomes);
  }
});

describe("nonsense is refused, and changes nothing", () => {
  test.each([undefined, null, -1, 1.5, NaN, -Infinity, "2", 2 ** 53])("capacity %s", (capacity) => {
    expect(() => new Channel({ capacity: capacity as number })).toThrow(badInput);
  });

  test("other options", () => {
    expect(() => new Channel(undefined as never)).toThrow(badInput);
    expect(() => new Channel(10 as never)).toThrow(badInput);
    expect(() => new Channel({ capacity: 1, size: 2 } as never)).toThrow(badInput);
    expect(() => new Channel({ capacity: 1, name: "" })).toThrow(badInput);
  });

  test.each([{ timeout: 5 }, { timeoutMs: -1 }, { timeoutMs: NaN }, { signal: {} }, 5, null])(
    "patience %j",
    async (patience) => {
      const channel = new Channel<number>({ capacity: 1 });
      await expect(channel.send(1, patience as never)).rejects.toEqual(badInput);
      expect(channel.size).toBe(0);
      channel.trySend(1);
      await expect(channel.receive(patience as never)).rejects.toEqual(badInput);
      expect(channel.size).toBe(1);
    },
  );
});
