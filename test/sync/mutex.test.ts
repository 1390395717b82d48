import fc from "fast-check";
import { ManualClock, type Patience } from "lockstep/base";
import { Mutex, type Held } from "lockstep/sync";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  abortable,
  follow,
  HandClock,
  happen,
  expectNothingLeft,
  interleavings,
  refusal,
  settled,
} from "./outcome.js";
import { likeTheModel, PermitsModel } from "./permits-model.js";

test("it does as the model does", async () => {
  await fc.assert(
    likeTheModel((_one, clock) => {
      const mutex = new Mutex({ clock });
      return {
        acquire: (_weight, patience) => mutex.acquire(patience),
        tryAcquire: () => mutex.tryAcquire(),
        resize: () => expect.unreachable(),
        get free() {
          return mutex.isLocked ? 0 : 1;
        },
        get waiting() {
          return mutex.waiting;
        },
      };
    }, 1),
    { numRuns: 500 },
  );
});

describe("races in one turn, in every order", () => {
  const eventsOf = ["release", "abort a", "abort b", "time out b", "time out c"] as const;

  test("a release, aborts and time-outs: who left first is not granted, no lock is lost", async () => {
    for (const { order, pauses } of interleavings(eventsOf)) {
      const clock = new HandClock();
      const mutex = new Mutex({ clock });
      const model = new PermitsModel(1);
      const held = mutex.tryAcquire()!;
      model.tryAcquire({ who: 10, weight: 1 });
      const [a, b] = [abortable(), abortable()];
      const waits = [
        follow(mutex.acquire({ signal: a.signal })),
        follow(mutex.acquire({ signal: b.signal, timeoutMs: 1 })),
        follow(mutex.acquire({ timeoutMs: 2 })),
      ];
      for (const who of [0, 1, 2]) model.acquire({ who, weight: 1, signal: undefined, dueAt: Infinity });
      const leave = (who: number, why: string) => {
        model.giveUp(why, (waiting) => waiting.who === who);
      };
      const events: Record<(typeof eventsOf)[number], () => void> = {
        release: () => {
          held.release();
          model.release(10);
        },
        "abort a": () => {
          a.abort("enough");
          leave(0, "enough");
        },
        "abort b": () => {
          b.abort("enough");
          leave(1, "enough");
        },
        "time out b": () => {
          clock.fire(1);
          leave(1, "timeout");
        },
        "time out c": () => {
          clock.fire(2);
          leave(2, "timeout");
        },
      };
      await happen({ order: order.map((name) => events[name]), pauses });
      expect({ order, pauses, is: waits.map(({ is }) => is) }).toEqual({ order, pauses, is: model.outcomes });
      for (const { value } of waits) value?.release();
      expect([mutex.isLocked, mutex.waiting, clock.pending]).toEqual([false, 0, 0]);
      for (const { signal } of [a, b]) expect(getEventListeners(signal, "abort")).toEqual([]);
    }
  });

  test("an abort after the grant, but before the waiting code goes on, does not lose the lock", async () => {
    const mutex = new Mutex();
    const { signal, abort } = abortable();
    const held = await mutex.acquire();
    const next = follow(mutex.acquire({ signal }));
    held.release();
    abort("too late");
    await settled();
    expect(next.is).toBe("done");
    next.value!.release();
    expect(mutex.isLocked).toBe(false);
  });

  test("an abort just before the release hands the lock to the one behind", async () => {
    const mutex = new Mutex();
    const { signal, abort } = abortable();
    const held = await mutex.acquire();
    const first = follow(mutex.acquire({ signal }));
    const second = follow(mutex.acquire());
    abort("in time");
    held.release();
    await settled();
    expect([first.is, second.is]).toEqual(["in time", "done"]);
  });

  test("a release by a listener of the signal does not grant to who waits with that signal", async () => {
    const mutex = new Mutex();
    const { signal, abort } = abortable();
    const held = await mutex.acquire();
    signal.addEventListener("abort", () => {
      held.release();
    });
    const waits = [follow(mutex.acquire({ signal })), follow(mutex.acquire())];
    abort("all go");
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["all go", "done"]);
  });
});

describe("order", () => {
  test("first come, first served; one who comes between release and grant waits behind", async () => {
    const mutex = new Mutex();
    const order: number[] = [];
    const held = await mutex.acquire();
    const all = [1, 2, 3].map((who) => mutex.run(() => order.push(who)));
    held.release();
    expect(mutex.tryAcquire()).toBeNull();
    all.push(mutex.run(() => order.push(4)));
    await Promise.all(all);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test("no two sections run at once, though each awaits", async () => {
    const mutex = new Mutex();
    let inside = 0;
    let most = 0;
    let sum = 0;
    const section = async () => {
      most = Math.max(most, ++inside);
      const before = sum;
      await settled();
      sum = before + 1;
      inside--;
    };
    await Promise.all(Array.from({ length: 50 }, () => mutex.run(section)));
    expect({ most, sum }).toEqual({ most: 1, sum: 50 });
  });
});

describe("what is held", () => {
  test("`using` gives it back at the end, also after a throw, and also when it was released", async () => {
    const mutex = new Mutex();
    const block = async (body: (held: Held) => void) => {
      using held = await mutex.acquire();
      body(held);
    };
    await block((held) => expect([held.isHeld, mutex.isLocked]).toEqual([true, true]));
    expect(mutex.isLocked).toBe(false);
    await block((held) => {
      held.release();
      expect(held.isHeld).toBe(false);
    });
    const failing = block(() => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(mutex.isLocked).toBe(false);
  });

  test("a second release is misuse, and takes the lock from nobody", async () => {
    const mutex = new Mutex();
    const first = await mutex.acquire();
    first.release();
    const second = mutex.tryAcquire()!;
    expect(await refusal(() => first.release())).toBe("misuse");
    first[Symbol.dispose]();
    expect([second.isHeld, mutex.isLocked]).toEqual([true, true]);
  });

  test("run gives what the section gives, and gives the lock back whatever comes of it", async () => {
    const mutex = new Mutex();
    expect(await mutex.run(async (held) => held.isHeld)).toBe(true);
    await expect(mutex.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(mutex.isLocked).toBe(false);
    const held = mutex.tryAcquire();
    expect(await refusal(() => mutex.run(() => expect.unreachable(), { timeoutMs: 0 }))).toBe("timeout");
    held?.release();
  });
});

test("time-outs: at once, after a while, and not after the grant", async () => {
  const clock = new ManualClock();
  const mutex = new Mutex({ clock, name: "door" });
  const held = await mutex.acquire({ timeoutMs: 0 });
  const atOnce = follow(mutex.acquire({ timeoutMs: 0 }));
  const later = follow(mutex.acquire({ timeoutMs: 10 }));
  const inTime = follow(mutex.acquire({ timeoutMs: 20 }));
  await clock.advance(10);
  expect([atOnce.is, later.is, inTime.is]).toEqual(["timeout", "timeout", "waits"]);
  expect((later.error as Error).message).toBe('waited 10 ms in vain for the mutex "door"');
  held.release();
  await clock.advance(100);
  expect(inTime.value!.isHeld).toBe(true);
});

test("nonsense is refused, and changes nothing", async () => {
  const nonsense = [{ name: "" }, { name: 5 }, { clocks: 1 }, null, 5];
  for (const options of nonsense as object[]) {
    expect(await refusal(() => new Mutex(options))).toBe("bad-input");
  }
  const mutex = new Mutex();
  for (const patience of [{ timeout: 5 }, { timeoutMs: -1 }, { timeoutMs: NaN }, { signal: 1 }, null, 5]) {
    expect(await refusal(() => mutex.acquire(patience as Patience))).toBe("bad-input");
    expect(() => mutex.acquire(patience as Patience).catch(() => undefined)).not.toThrow();
  }
  expect(await refusal(() => mutex.acquire({ signal: AbortSignal.abort("before") }))).toBe("before");
  expect(await refusal(() => mutex.run("section" as never))).toBe("bad-input");
  expect([mutex.isLocked, mutex.waiting]).toEqual([false, 0]);
});

test("a million acquires that were given up leave nothing behind", async () => {
  const clock = new ManualClock();
  const mutex = new Mutex({ clock });
  const held = mutex.tryAcquire()!;
  const shared = abortable();
  const staying = follow(mutex.acquire({ signal: shared.signal }));
  const round = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { signal, abort } = abortable();
      for (let each = 0; each < 500; each++) mutex.acquire({ signal }).catch(() => undefined);
      abort("enough");
      await Promise.resolve();
    }
  };
  await round(200);
  await expectNothingLeft(4e6, () => round(1800));
  expect(mutex.waiting).toBe(1);
  expect(getEventListeners(shared.signal, "abort")).toHaveLength(1);
  held.release();
  await settled();
  expect(staying.value!.isHeld).toBe(true);
  expect(getEventListeners(shared.signal, "abort")).toHaveLength(0);
});

test("a clock that is none is refused", () => {
  for (const clock of [null, {}, 5, { now: () => 0 }]) {
    expect(() => new Mutex({ clock: clock as never })).toThrow(/clock must be a Clock/);
  }
});
