import { getEventListeners } from "node:events";
import { runInNewContext } from "node:vm";
import { ManualClock } from "lockstep/base";
import { Actor, type Handling, detectDeadlocks, Mutex } from "lockstep/sync";
import { describe, expect, test, vi } from "vitest";

const closed = expect.objectContaining({ code: "closed" }) as unknown;
const timeout = expect.objectContaining({ code: "timeout" }) as unknown;
const badInput = expect.objectContaining({ code: "bad-input" }) as unknown;
const closedBy = (cause: unknown) => expect.objectContaining({ code: "closed", cause }) as unknown;

const turns = () => new Promise((resolve) => setImmediate(resolve));

function account() {
  let balance = 0;
  return {
    balance: () => balance,
    async deposit(amount: number) {
      const before = balance;
      await turns();
      return (balance = before + amount);
    },
    async fail(error: unknown) {
      balance += 1;
      await turns();
      throw error;
    },
  };
}

/** An actor whose `wait` is over when told, and which keeps a record. */
function slow() {
  const record: string[] = [];
  const signals: AbortSignal[] = [];
  const ends: (() => void)[] = [];
  const handlers = {
    note: (text: string) => void record.push(text),
    async wait(text: string, { signal }: Handling) {
      signals.push(signal);
      await new Promise<void>((resolve) => ends.push(resolve));
      record.push(text);
      return text;
    },
    async untilAborted(_: undefined, { signal }: Handling) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    },
  };
  return { handlers, record, signals, end: () => ends.shift()!() };
}

describe("messages", () => {
  test("one at a time, each to its end, in order", async () => {
    const actor = new Actor(account);
    const balances = Promise.all([1, 2, 3].map((amount) => actor.ask("deposit", amount)));
    const last = actor.ask("balance");
    expect(await balances).toEqual([1, 3, 6]);
    expect(await last).toBe(6);
  });

  test("telling waits for room only, and not for the handler", async () => {
    const { handlers, record, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 2 });
    const tells = ["a", "b", "c", "d"].map((text) => actor.tell("wait", text));
    let room = 0;
    for (const tell of tells) void tell.then(() => room++);
    await turns();
    expect([room, actor.size]).toEqual([3, 2]);
    end();
    await turns();
    expect([room, actor.size, record]).toEqual([4, 2, ["a"]]);
    end();
    await turns();
    end();
    await turns();
    end();
    await actor.stop();
    expect(record).toEqual(["a", "b", "c", "d"]);
  });

  test("without room, telling waits until the message is in hand", async () => {
    const { handlers, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 0 });
    await actor.tell("wait", "a");
    const second = vi.fn();
    void actor.tell("wait", "b").then(second);
    await turns();
    expect(second).not.toHaveBeenCalled();
    end();
    await turns();
    expect(second).toHaveBeenCalled();
    end();
    await actor.stop();
  });

  test("a handler never runs inside the code that sends to it", async () => {
    const { handlers, record } = slow();
    const actor = new Actor(() => handlers);
    const told = actor.tell("note", "handled");
    record.push("sent");
    await told;
    await actor.stop();
    expect(record).toEqual(["sent", "handled"]);
  });

  test("a class will do, with its methods as they are", async () => {
    class Counter {
      #count = 0;
      increment(by: number) {
        this.#count += by;
        return this.#count;
      }
    }
    const actor = new Actor(() => new Counter());
    expect([await actor.ask("increment", 2), await actor.ask("increment", 3)]).toEqual([2, 5]);
  });

  test("a method may have any name, and be inherited; but not those that any object has", async () => {
    class Named {
      toString() {
        return "mine";
      }
    }
    class Further extends Named {}
    const actor = new Actor(() => new Further());
    expect(await actor.ask("toString")).toBe("mine");
    for (const kind of ["valueOf", "constructor", "__proto__", "hasOwnProperty"]) {
      await expect(actor.ask(kind as "toString"), kind).rejects.toEqual(badInput);
    }
    const foreign = new Actor(() => runInNewContext("({ hi: () => 5 })") as { hi(): number });
    expect(await foreign.ask("hi")).toBe(5);
    await expect(foreign.ask("toString" as "hi")).rejects.toEqual(badInput);
  });
});

describe("giving up", () => {
  test("a message that was not begun is never handled, and its room is free at once", async () => {
    const clock = new ManualClock();
    const { handlers, record, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 2, clock });
    const abort = new AbortController();
    const first = actor.ask("wait", "first");
    await turns();
    const outcomes = Promise.allSettled([
      actor.ask("note", "timed out", { timeoutMs: 5 }),
      actor.ask("note", "aborted", { signal: abort.signal }),
      actor.tell("note", "timed out outside", { timeoutMs: 2 }),
    ]);
    const last = actor.tell("note", "last");
    await clock.advance(2);
    abort.abort("no more");
    await last;
    await clock.advance(3);
    expect(await outcomes).toEqual([
      { status: "rejected", reason: timeout },
      { status: "rejected", reason: "no more" },
      { status: "rejected", reason: timeout },
    ]);
    expect(actor.size).toBe(1);
    end();
    await first;
    await actor.stop();
    expect(record).toEqual(["first", "last"]);
  });

  test("an asker who gives up meanwhile aborts the handler's signal, and nobody stops", async () => {
    const clock = new ManualClock();
    const { handlers, signals, record, end } = slow();
    const actor = new Actor(() => handlers, { clock, onCrash: "stop" });
    const ask = actor.ask("wait", "begun", { timeoutMs: 5 });
    const outcome = Promise.allSettled([ask]);
    await clock.advance(4);
    expect(signals[0]!.aborted).toBe(false);
    await clock.advance(1);
    expect(await outcome).toEqual([{ status: "rejected", reason: timeout }]);
    expect(signals[0]!.reason).toEqual(timeout);
    end();
    await expect(actor.ask("untilAborted", undefined, { timeoutMs: 0 })).rejects.toEqual(timeout);
    const stubborn = Promise.allSettled([actor.ask("untilAborted", undefined, { timeoutMs: 5 })]);
    await clock.advance(5);
    expect(await stubborn).toEqual([{ status: "rejected", reason: timeout }]);
    await actor.ask("note", "goes on");
    expect(record).toEqual(["begun", "goes on"]);
  });

  test("who looks at the signal later finds it aborted", async () => {
    const abort = new AbortController();
    const seen: boolean[] = [];
    const actor = new Actor(() => ({
      async look(_: undefined, handling: Handling) {
        abort.abort("no more");
        await turns();
        seen.push(handling.signal.aborted);
      },
    }));
    await expect(actor.ask("look", undefined, { signal: abort.signal })).rejects.toBe("no more");
    await actor.stop();
    expect(seen).toEqual([true]);
  });

  test("a room that is free when the signal aborts is not for who waited with it", async () => {
    const { handlers, record, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 1 });
    await actor.tell("wait", "first");
    await turns();
    const [inside, outside] = [new AbortController(), new AbortController()];
    const asked = expect(actor.ask("note", "inside", { signal: inside.signal })).rejects.toBe("inside");
    // This one hears of the abort before those who tell do.
    outside.signal.addEventListener("abort", () => inside.abort("inside"));
    const { signal } = outside;
    const tells = Array.from({ length: 20_000 }, () => actor.tell("note", "never", { signal }));
    const last = actor.tell("note", "last");
    outside.abort("outside");
    await last;
    const reasons = await Promise.all(tells.map((tell) => tell.catch((reason: unknown) => reason)));
    expect(new Set(reasons)).toEqual(new Set(["outside"]));
    await asked;
    expect(actor.size).toBe(1);
    end();
    await actor.stop();
    expect(record).toEqual(["first", "last"]);
  });

  test("who aborted is not served, even before it could be told", async () => {
    const { handlers, record, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 0 });
    await actor.tell("wait", "first");
    // In a browser promises may go on between one who hears of an abort and the next.
    const abort = new AbortController();
    const { signal } = abort;
    const told: (() => void)[] = [];
    signal.addEventListener = (_: string, listener: { handleEvent: () => void }) =>
      void told.push(() => listener.handleEvent());
    const outcomes = [actor.ask("note", "asked", { signal }), actor.tell("note", "told", { signal })];
    abort.abort("left");
    end();
    await turns();
    for (const tell of told) tell();
    for (const each of await Promise.allSettled(outcomes)) expect(each).toHaveProperty("reason", "left");
    await actor.stop();
    expect(record).toEqual(["first"]);
  });

  test("a teller who gives up after the message was accepted changes nothing", async () => {
    const { handlers, record } = slow();
    const actor = new Actor(() => handlers);
    const abort = new AbortController();
    const told = actor.tell("note", "kept", { signal: abort.signal });
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    abort.abort();
    await told;
    await actor.stop();
    expect(record).toEqual(["kept"]);
  });

  test("very many messages that were withdrawn leave nothing", async () => {
    const { handlers, record, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 10 });
    void actor.ask("wait", "first");
    await turns();
    for (let round = 0; round < 100; round++) {
      const abort = new AbortController();
      const { signal } = abort;
      const outcomes = Array.from({ length: 1000 }, () =>
        actor.ask("note", "never", { signal }).catch(() => 0),
      );
      abort.abort();
      expect([actor.size, getEventListeners(signal, "abort").length]).toEqual([0, 0]);
      await Promise.all(outcomes);
    }
    end();
    await actor.stop();
    expect(record).toEqual(["first"]);
  });
});

describe("what handlers throw", () => {
  const error = new Error("no");

  test("goes to the asker, and the actor goes on with its state", async () => {
    const actor = new Actor(account);
    await expect(actor.ask("fail", error)).rejects.toBe(error);
    expect(await actor.ask("balance")).toBe(1);
    await actor.stop();
  });

  test("when told to restart, it goes on with a fresh state and the same mailbox", async () => {
    const actor = new Actor(account, { onCrash: "restart" });
    const failed = expect(actor.ask("fail", error)).rejects.toBe(error);
    const balance = actor.ask("balance");
    await failed;
    expect(await balance).toBe(0);
    await actor.stop();
  });

  test("when told to stop, all in the mailbox and all who come later hear why", async () => {
    const actor = new Actor(account, { onCrash: "stop", capacity: 1 });
    const outcomes = await Promise.allSettled([
      actor.ask("fail", error),
      actor.ask("balance"),
      actor.tell("deposit", 1),
    ]);
    expect(outcomes.map((each) => each.status === "rejected" && (each.reason as unknown))).toEqual([
      error,
      closedBy(error),
      closedBy(error),
    ]);
    expect(actor.isStopped).toBe(true);
    await expect(actor.ask("balance")).rejects.toEqual(closedBy(error));
    // The asker has heard of it: to stop it is no surprise.
    await actor.stop();
  });

  test("an onError that rejects is one that throws: the actor stops", async () => {
    const onError = vi.fn(async () => Promise.reject(new Error("no log")));
    const actor = new Actor(account, { onError });
    await actor.tell("fail", error);
    await turns();
    await turns();
    await expect(actor.ask("balance")).rejects.toEqual(closedBy(new Error("no log")));
    await expect(actor.stop()).rejects.toEqual(closedBy(new Error("no log")));
    expect(onError).toHaveBeenCalledOnce();
  });

  test("goes to onError when it was only told, and the actor goes on", async () => {
    const heard: unknown[] = [];
    const actor = new Actor(account, { onError: (...all) => heard.push(all) });
    await actor.tell("fail", error);
    expect(await actor.ask("balance")).toBe(1);
    expect(heard).toEqual([[error, "fail"]]);
    await actor.stop();
  });

  test.each(["resume", "restart", "stop"] as const)(
    "stops the actor when nobody would hear of it, even with %s",
    async (onCrash) => {
      const actor = new Actor(account, { onCrash });
      await actor.tell("fail", error);
      const behind = actor.ask("balance");
      await expect(behind).rejects.toEqual(closedBy(error));
      await expect(actor.tell("balance")).rejects.toEqual(closedBy(error));
      await expect(actor.stop()).rejects.toEqual(closedBy(error));
      await expect(actor.stop({ drain: false })).rejects.toEqual(closedBy(error));
    },
  );

  test("an onError that throws stops the actor", async () => {
    const worse = new Error("worse");
    const onError = () => {
      throw worse;
    };
    const actor = new Actor(account, { onError });
    await actor.tell("fail", error);
    await expect(actor.stop()).rejects.toEqual(closedBy(worse));
  });

  test("a restart that fails stops the actor", async () => {
    const worse = new Error("worse");
    let starts = 0;
    const begin = () => {
      if (starts++ > 0) throw worse;
      return account();
    };
    const actor = new Actor(begin, { onCrash: "restart" });
    await expect(actor.ask("fail", error)).rejects.toBe(error);
    await expect(actor.ask("balance")).rejects.toEqual(closedBy(worse));
    await expect(actor.stop()).rejects.toEqual(closedBy(worse));
  });

  test("after its asker gave up it goes to onError; the abort error goes nowhere", async () => {
    const heard: unknown[] = [];
    const clock = new ManualClock();
    const thrown = [error, new DOMException("aborted", "AbortError"), undefined];
    const begin = () => ({
      async throwLate(_: undefined, { signal }: Handling) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw thrown.shift() ?? signal.reason;
      },
    });
    const actor = new Actor(begin, { clock, onError: (each) => heard.push(each) });
    for (let round = 0; round < 3; round++) {
      const outcome = Promise.allSettled([actor.ask("throwLate", undefined, { timeoutMs: 1 })]);
      await clock.advance(1);
      await outcome;
    }
    await actor.stop();
    expect(heard).toEqual([error]);
  });

  test("after its asker gave up it does not stop the actor for want of an onError", async () => {
    const abort = new AbortController();
    const actor = new Actor(account);
    const ask = actor.ask("fail", error, { signal: abort.signal });
    await Promise.resolve();
    abort.abort("no more");
    await expect(ask).rejects.toBe("no more");
    expect(await actor.ask("balance")).toBe(1);
  });

  test("the constructor throws what the first start throws", () => {
    const begin = () => {
      throw error;
    };
    expect(() => new Actor(begin)).toThrow(error);
  });
});

describe("stopping", () => {
  test("handles what is in the mailbox, and turns away those who wait for room", async () => {
    const { handlers, record, end } = slow();
    const actor = new Actor(() => handlers, { capacity: 1 });
    const first = actor.ask("wait", "first");
    await turns();
    const second = actor.ask("note", "second");
    const refused: string[] = [];
    const refusedInOrder = Promise.allSettled(
      ["outside", "behind"].map((text) => actor.tell("note", text).catch(() => refused.push(text))),
    );
    const outside = actor.tell("note", "last");
    const stopped = vi.fn();
    const stop = actor.stop().then(stopped);
    expect(actor.isStopped).toBe(true);
    await expect(outside).rejects.toEqual(closed);
    await refusedInOrder;
    expect(refused).toEqual(["outside", "behind"]);
    await expect(actor.ask("note", "late")).rejects.toEqual(closed);
    expect(stopped).not.toHaveBeenCalled();
    end();
    await Promise.all([stop, first, second]);
    expect(record).toEqual(["first", "second"]);
  });

  test("without draining drops the mailbox, and aborts the handler's signal", async () => {
    const { handlers, record, signals, end } = slow();
    const actor = new Actor(() => handlers);
    const first = actor.ask("wait", "first");
    const second = actor.ask("note", "second");
    await turns();
    const drained = actor.stop();
    const stop = actor.stop({ drain: false });
    await expect(second).rejects.toEqual(closed);
    expect(signals[0]!.reason).toEqual(closed);
    end();
    expect(await first).toBe("first");
    await Promise.all([drained, stop]);
    expect(record).toEqual(["first"]);
  });

  test("an actor at rest stops at once, also twice", async () => {
    const actor = new Actor(account);
    await actor.stop();
    await actor.stop();
    expect(actor.isStopped).toBe(true);
  });

  test("await using handles all that was told", async () => {
    const { handlers, record } = slow();
    {
      await using actor = new Actor(() => handlers);
      await actor.tell("note", "told");
    }
    expect(record).toEqual(["told"]);
  });
});

describe("nonsense is refused, and changes nothing", () => {
  test("options", async () => {
    const refused = (begin: unknown, options?: unknown) => {
      expect(() => new Actor(begin as never, options as never)).toThrow(badInput);
    };
    refused(undefined);
    refused({});
    refused(() => undefined);
    refused(() => null);
    refused(async () => account());
    refused(() => Promise.reject(new Error("no state")));
    refused(account, null);
    refused(account, { size: 5 });
    refused(account, { capacity: -1 });
    refused(account, { onCrash: "panic" });
    refused(account, { onError: "print" });
    const actor = new Actor(account);
    await expect(actor.stop({ drain: "no" } as never)).rejects.toEqual(badInput);
    await expect(actor.stop({ timeoutMs: 5 } as never)).rejects.toEqual(badInput);
    expect(actor.isStopped).toBe(false);
  });

  test.each(["nothing", "toString", "constructor", "__proto__", undefined, Symbol("balance")])(
    "kind %#",
    async (kind) => {
      const actor = new Actor(account);
      await expect(actor.ask(kind as "balance")).rejects.toEqual(badInput);
      await expect(actor.tell(kind as "balance")).rejects.toEqual(badInput);
      expect(actor.size).toBe(0);
    },
  );

  test("patience", async () => {
    const actor = new Actor(account);
    await expect(actor.ask("balance", undefined, { timeout: 5 } as never)).rejects.toEqual(badInput);
    await expect(actor.tell("deposit", 5, { timeoutMs: NaN })).rejects.toEqual(badInput);
    expect(await actor.ask("balance")).toBe(0);
  });
});

test("what a sender holds is not held by the actor, so no deadlock is seen where there is none", async () => {
  using _detector = detectDeadlocks();
  const mutex = new Mutex();
  await using actor = new Actor(() => ({ work: () => mutex.run(() => "done") }));
  const held = await mutex.acquire();
  await actor.tell("work");
  await new Promise((resolve) => setImmediate(resolve));
  held.release();
  expect(await actor.ask("work")).toBe("done");
});
