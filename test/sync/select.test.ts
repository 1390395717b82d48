import { getEventListeners } from "node:events";
import { ManualClock } from "lockstep/base";
import { Channel, select, trySelect } from "lockstep/sync";
import { describe, expect, test } from "vitest";

const closed = expect.objectContaining({ code: "closed" }) as unknown;
const timeout = expect.objectContaining({ code: "timeout" }) as unknown;
const badInput = expect.objectContaining({ code: "bad-input" }) as unknown;

const waitingIn = (...channels: Channel<never>[]) =>
  channels.map((channel) => channel.waitingSenders + channel.waitingReceivers);

test("the first that can happen does, and the other channel is not touched", async () => {
  const jobs = new Channel<string>({ capacity: 1 });
  const quit = new Channel<string>({ capacity: 1 });
  jobs.trySend("job");
  quit.trySend("quit");
  const first = await select({ quit: quit.receiving(), job: jobs.receiving() });
  expect(first).toEqual({ key: "quit", done: false, value: "quit" });
  expect(jobs.size).toBe(1);
  const second = await select({ quit: quit.receiving(), job: jobs.receiving() });
  expect(second).toEqual({ key: "job", done: false, value: "job" });
});

test("waits for whichever comes first, and then waits nowhere", async () => {
  const left = new Channel<number>({ capacity: 0 });
  const right = new Channel<number>({ capacity: 1 });
  right.trySend(0);
  const selected = select({ receive: left.receiving(), send: right.sending(5) });
  expect([left.waitingReceivers, right.waitingSenders]).toEqual([1, 1]);
  expect(right.tryReceive()).toEqual({ value: 0 });
  expect([left.waitingReceivers, right.waitingSenders]).toEqual([0, 0]);
  expect(await selected).toEqual({ key: "send", done: false, value: undefined });
  expect(left.trySend(1)).toBe(false);
  expect(right.tryReceive()).toEqual({ value: 5 });
});

test("stands in line with others", async () => {
  const channel = new Channel<number>({ capacity: 0 });
  const received: string[] = [];
  const note = (who: string) => () => received.push(who);
  const before = channel.receive().then(note("before"));
  const selected = select({ channel: channel.receiving() }).then(note("select"));
  const after = channel.receive().then(note("after"));
  for (let value = 0; value < 3; value++) channel.trySend(value);
  await Promise.all([before, selected, after]);
  expect(received).toEqual(["before", "select", "after"]);
});

describe("two selects", () => {
  test("meet on a rendezvous, and each does one thing", async () => {
    const left = new Channel<string>({ capacity: 0 });
    const right = new Channel<string>({ capacity: 0 });
    const one = select({ receive: left.receiving(), send: right.sending("from one") });
    const two = select({ send: left.sending("from two"), receive: right.receiving() });
    expect(await one).toEqual({ key: "receive", done: false, value: "from two" });
    expect(await two).toEqual({ key: "send", done: false, value: undefined });
    expect(waitingIn(left as never, right as never)).toEqual([0, 0]);
    expect([left.tryReceive(), right.tryReceive()]).toEqual([null, null]);
  });

  test("one does not deal with itself", async () => {
    const channel = new Channel<string>({ capacity: 0 });
    const one = select({ send: channel.sending("one"), receive: channel.receiving() });
    expect([channel.waitingSenders, channel.waitingReceivers]).toEqual([1, 1]);
    const two = select({ send: channel.sending("two"), receive: channel.receiving() });
    expect(await one).toEqual({ key: "receive", done: false, value: "two" });
    expect(await two).toEqual({ key: "send", done: false, value: undefined });
    expect(waitingIn(channel as never)).toEqual([0]);
  });

  test("several cases of one channel are taken out together", async () => {
    const channel = new Channel<number>({ capacity: 0 });
    const selected = select({ first: channel.receiving(), second: channel.receiving() });
    expect(channel.waitingReceivers).toBe(2);
    expect([channel.trySend(1), channel.trySend(2)]).toEqual([true, false]);
    expect(await selected).toEqual({ key: "first", done: false, value: 1 });
  });
});

describe("closing", () => {
  test("a channel that has ended says so, at once or after a wait", async () => {
    const quit = new Channel<never>({ capacity: 0 });
    const jobs = new Channel<number>({ capacity: 0 });
    const waiting = select({ job: jobs.receiving(), quit: quit.receiving() });
    quit.close();
    const ended = { key: "quit", done: true, value: undefined };
    expect(await waiting).toEqual(ended);
    expect(await select({ job: jobs.receiving(), quit: quit.receiving() })).toEqual(ended);
    expect(jobs.waitingReceivers).toBe(0);
  });

  test("a send to a channel that is closed fails, at once or after a wait", async () => {
    const results = new Channel<number>({ capacity: 0 });
    const jobs = new Channel<number>({ capacity: 0 });
    const waiting = select({ job: jobs.receiving(), result: results.sending(1) });
    results.close();
    await expect(waiting).rejects.toEqual(closed);
    await expect(select({ job: jobs.receiving(), result: results.sending(1) })).rejects.toEqual(closed);
    expect(() => trySelect({ result: results.sending(1) })).toThrow(closed);
    expect(jobs.waitingReceivers).toBe(0);
  });

  test("the error of a channel that failed is the select's, at once or after a wait", async () => {
    const failure = new Error("the line broke");
    const jobs = new Channel<number>({ capacity: 0 });
    const waiting = select({ job: jobs.receiving() });
    jobs.fail(failure);
    await expect(waiting).rejects.toBe(failure);
    await expect(select({ job: jobs.receiving() })).rejects.toBe(failure);
    expect(() => trySelect({ job: jobs.receiving() })).toThrow(failure);
  });
});

describe("giving up", () => {
  test.each(["abort", "time-out"])("after an %s no case happens", async (how) => {
    const clock = new ManualClock();
    const left = new Channel<number>({ capacity: 0, clock });
    const right = new Channel<number>({ capacity: 0, clock });
    const abort = new AbortController();
    const patience = how === "abort" ? { signal: abort.signal } : { timeoutMs: 5 };
    const selected = select({ receive: left.receiving(), send: right.sending(1) }, patience);
    const outcome = Promise.allSettled([selected]);
    if (how === "abort") abort.abort("no more");
    else await clock.advance(5);
    expect(waitingIn(left as never, right as never)).toEqual([0, 0]);
    expect([left.trySend(1), right.tryReceive()]).toEqual([false, null]);
    const reason = how === "abort" ? "no more" : timeout;
    expect(await outcome).toEqual([{ status: "rejected", reason }]);
  });

  test.each(["receiving", "sending"] as const)(
    "what others do when the signal aborts finds no %s",
    async (how) => {
      const abort = new AbortController();
      const channel = new Channel<number>({ capacity: how === "receiving" ? 1 : 0 });
      // This one hears of the abort before the select does.
      const provide = () => (how === "receiving" ? channel.trySend(1) : channel.tryReceive());
      let provided: unknown;
      abort.signal.addEventListener("abort", () => (provided = provide()));
      const selected = select({ case: channel[how](0) }, { signal: abort.signal });
      abort.abort("no more");
      await expect(selected).rejects.toBe("no more");
      expect([provided, channel.size]).toEqual(how === "receiving" ? [true, 1] : [null, 0]);
      expect(waitingIn(channel as never)).toEqual([0]);
      expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    },
  );

  test("in the step after it happened it is too late", async () => {
    const abort = new AbortController();
    const channel = new Channel<number>({ capacity: 0 });
    const selected = select({ channel: channel.receiving() }, { signal: abort.signal });
    channel.trySend(1);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    abort.abort();
    expect(await selected).toEqual({ key: "channel", done: false, value: 1 });
  });

  test("no time at all is time enough for what can happen at once", async () => {
    const channel = new Channel<number>({ capacity: 1 });
    await expect(select({ channel: channel.receiving() }, { timeoutMs: 0 })).rejects.toEqual(timeout);
    expect(channel.waitingReceivers).toBe(0);
    channel.trySend(1);
    expect((await select({ channel: channel.receiving() }, { timeoutMs: 0 })).value).toBe(1);
  });

  test("a signal that has aborted already changes nothing", async () => {
    const channel = new Channel<number>({ capacity: 1 });
    channel.trySend(1);
    const selected = select({ channel: channel.receiving() }, { signal: AbortSignal.abort("never") });
    await expect(selected).rejects.toBe("never");
    expect(channel.size).toBe(1);
  });
});

test("a try does what can happen at once, or nothing", () => {
  const left = new Channel<number>({ capacity: 0 });
  const right = new Channel<number>({ capacity: 1 });
  const cases = { left: left.receiving(), right: right.sending(7) };
  expect(trySelect(cases)).toEqual({ key: "right", done: false, value: undefined });
  expect(trySelect(cases)).toBe(null);
  expect(waitingIn(left as never, right as never)).toEqual([0, 0]);
  expect(right.tryReceive()).toEqual({ value: 7 });
});

test("cases may be used again", async () => {
  const jobs = new Channel<number>({ capacity: 3 });
  const cases = { job: jobs.receiving() };
  for (const value of [1, 2, 3]) jobs.trySend(value);
  const seen = [];
  for (let round = 0; round < 3; round++) seen.push((await select(cases)).value);
  expect(seen).toEqual([1, 2, 3]);
});

test("very many selects leave nothing", async () => {
  const never = new Channel<number>({ capacity: 0 });
  const jobs = new Channel<number>({ capacity: 0 });
  const { signal } = new AbortController();
  for (let round = 0; round < 100_000; round++) {
    const selected = select({ never: never.receiving(), job: jobs.receiving() }, { signal });
    jobs.trySend(round);
    if ((await selected).value !== round) expect.fail(`round ${round}`);
  }
  expect(waitingIn(never as never, jobs as never)).toEqual([0, 0]);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

describe("nonsense is refused, and changes nothing", () => {
  const channel = new Channel<number>({ capacity: 1 });
  test.each([undefined, null, 5, {}, [], { channel }, { a: channel.sending(1), b: undefined }])(
    "cases %#",
    async (cases) => {
      await expect(select(cases as never)).rejects.toEqual(badInput);
      expect(() => trySelect(cases as never)).toThrow(badInput);
      expect(channel.size).toBe(0);
    },
  );

  test("patience", async () => {
    const cases = { a: channel.sending(1) };
    await expect(select(cases, { timeout: 1 } as never)).rejects.toEqual(badInput);
    await expect(select(cases, { timeoutMs: -1 })).rejects.toEqual(badInput);
    expect(channel.size).toBe(0);
  });
});
