import { ManualClock } from "lockstep/base";
import { detectDeadlocks, Mutex, Pool, type Lease, type PoolOptions } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { abortable, follow, happen, expectNothingLeft, interleavings, refusal, settled } from "./outcome.js";

interface Thing {
  readonly number: number;
}

/** A pool of numbered things, and a list of what happened to them. */
function thingsOf(options: Partial<PoolOptions<Thing>> = {}) {
  const log: string[] = [];
  const errors: string[] = [];
  const clock = new ManualClock();
  let made = 0;
  const make = () => {
    log.push(`make ${made}`);
    return { number: made++ };
  };
  const destroy = ({ number }: Thing) => void log.push(`destroy ${number}`);
  const onError = (error: unknown, hook: string) => void errors.push(`${hook}: ${(error as Error).message}`);
  const pool = new Pool<Thing>({ make, destroy, onError, max: 2, clock, ...options });
  return { pool, clock, log, errors, make };
}

/** A hook that answers when told to. */
function handOperated<T>() {
  const calls: { signal: AbortSignal; resolve: (value: T) => void; reject: (error: unknown) => void }[] = [];
  const hook = (argument: unknown) =>
    new Promise<T>((resolve, reject) => {
      calls.push({ signal: argument as AbortSignal, resolve, reject });
    });
  return { hook, calls };
}

const numbers = (leases: readonly Lease<Thing>[]) => leases.map(({ resource }) => resource.number);

describe("lending", () => {
  test("makes no more than are needed, and lends the one that came back last", async () => {
    const { pool, log } = thingsOf({ max: 3 });
    const all = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(numbers(all)).toEqual([0, 1]);
    for (const lease of all) lease.release();
    for (let round = 0; round < 3; round++) {
      using lease = await pool.acquire();
      expect(lease.resource.number).toBe(1);
    }
    expect(log).toEqual(["make 0", "make 1"]);
    expect([pool.size, pool.idle, pool.lent, pool.waiting]).toEqual([2, 2, 0, 0]);
  });

  test("serves in the order of asking, and lets nobody in between", async () => {
    const { pool } = thingsOf({ max: 1 });
    const first = await pool.acquire();
    const served: number[] = [];
    const waiters = [1, 2, 3].map((number) => pool.acquire().then((lease) => (served.push(number), lease)));
    expect(pool.tryAcquire()).toBe(null);
    first.release();
    expect(pool.tryAcquire(), "it is the first waiter's by now").toBe(null);
    for (const waiter of waiters) (await waiter).release();
    expect(served).toEqual([1, 2, 3]);
  });

  test("a release hands over in the same turn", async () => {
    const { pool } = thingsOf({ max: 1 });
    const first = await pool.acquire();
    const second = follow(pool.acquire());
    first.release();
    expect([pool.lent, pool.idle, pool.waiting]).toEqual([1, 0, 0]);
    await settled();
    expect(second.value?.resource.number).toBe(0);
  });

  test("what was given back cannot be used, nor given back again", async () => {
    const { pool } = thingsOf();
    const lease = await pool.acquire();
    expect(lease.isHeld).toBe(true);
    lease.release();
    expect(lease.isHeld).toBe(false);
    expect(await refusal(() => lease.resource)).toBe("misuse");
    expect(await refusal(() => lease.release())).toBe("misuse");
    expect(await refusal(() => lease.discard())).toBe("misuse");
    lease[Symbol.dispose]();
    expect([pool.size, pool.idle, pool.lent]).toEqual([1, 1, 0]);
  });

  test("whatever it lends may be nothing at all", async () => {
    const pool = new Pool<undefined>({ make: () => undefined, check: () => true, max: 1 });
    for (let round = 0; round < 2; round++) {
      using lease = await pool.acquire();
      expect(lease.resource).toBe(undefined);
    }
    expect(pool.size).toBe(1);
  });

  test("tryAcquire takes what takes no time, and sets going what does", async () => {
    const { pool } = thingsOf();
    expect(pool.tryAcquire()?.resource.number, "made at once").toBe(0);

    const slow = handOperated<Thing>();
    const later = thingsOf({ make: slow.hook }).pool;
    expect(later.tryAcquire()).toBe(null);
    expect(later.tryAcquire(), "one on its way is enough").toBe(null);
    expect(slow.calls.length).toBe(1);
    slow.calls[0]!.resolve({ number: 7 });
    await settled();
    expect(later.tryAcquire()?.resource.number).toBe(7);

    const checks = handOperated<boolean>();
    const checked = thingsOf({ check: checks.hook }).pool;
    for (const lease of [await checked.acquire(), await checked.acquire()]) lease.release();
    expect(checked.tryAcquire()).toBe(null);
    expect([checks.calls.length, checked.idle], "the other one stays where it is").toEqual([1, 1]);
  });

  test("with no time to wait, it is now or 'timeout'", async () => {
    const { pool } = thingsOf({ max: 1 });
    const lease = await pool.acquire({ timeoutMs: 0 });
    expect(await refusal(() => pool.acquire({ timeoutMs: 0 }))).toBe("timeout");
    lease.release();
    (await pool.acquire({ timeoutMs: 0 })).release();
  });

  test("run gives back, whatever the section does", async () => {
    const { pool, log } = thingsOf();
    expect(await pool.run(({ number }) => number + 10)).toBe(10);
    expect(await refusal(() => pool.run(() => Promise.reject(new Error("section"))))).toBe("Error: section");
    expect([pool.idle, pool.lent]).toEqual([1, 0]);
    await pool.run((_thing, lease) => {
      lease.discard();
    });
    expect(log).toEqual(["make 0", "destroy 0"]);
  });
});

describe("making", () => {
  test("a failure is told to the first in line, once, and takes no place", async () => {
    const slow = handOperated<Thing>();
    const { pool, clock, errors } = thingsOf({ make: slow.hook, max: 1 });
    const [first, second] = [follow(pool.acquire()), follow(pool.acquire())];
    slow.calls[0]!.reject(new Error("no route"));
    await settled();
    expect([first.is, second.is]).toEqual(["Error: no route", "waits"]);
    expect(slow.calls.length, "one more, for the second").toBe(2);
    slow.calls[1]!.reject(new Error("no route"));
    await clock.advance(10_000);
    expect([second.is, slow.calls.length, pool.size]).toEqual(["Error: no route", 2, 0]);
    expect(errors).toEqual([]);
  });

  test("a make that throws at once fails each who asks, and no more often", async () => {
    let calls = 0;
    const make = () => {
      calls++;
      throw new Error("broken");
    };
    const { pool } = thingsOf({ make });
    const asked = await Promise.allSettled(Array.from({ length: 100 }, () => pool.acquire()));
    expect(asked.every(({ status }) => status === "rejected")).toBe(true);
    expect(await refusal(() => pool.tryAcquire())).toBe("Error: broken");
    expect([calls, pool.size, pool.waiting]).toEqual([101, 0, 0]);
  });

  test("who gives up leaves what was being made to the next", async () => {
    const slow = handOperated<Thing>();
    const { pool, clock } = thingsOf({ make: slow.hook });
    const hasty = follow(pool.acquire({ timeoutMs: 100 }));
    await clock.advance(100);
    const patient = follow(pool.acquire());
    expect([hasty.is, slow.calls.length]).toEqual(["timeout", 1]);
    slow.calls[0]!.resolve({ number: 1 });
    await settled();
    expect(patient.value?.resource.number).toBe(1);
  });

  test("and if there is no next, it is kept", async () => {
    const slow = handOperated<Thing>();
    const { pool } = thingsOf({ make: slow.hook });
    const { signal, abort } = abortable();
    const hasty = follow(pool.acquire({ signal }));
    abort("gone");
    slow.calls[0]!.resolve({ number: 1 });
    await settled();
    expect([hasty.is, pool.idle, pool.lent]).toEqual(["gone", 1, 0]);
  });

  test("one that hangs fails in the end: its place is free, and what comes late is destroyed", async () => {
    const slow = handOperated<Thing>();
    const { pool, clock, log } = thingsOf({ make: slow.hook, max: 1, hookTimeoutMs: 1000 });
    const [first, second] = [follow(pool.acquire()), follow(pool.acquire())];
    await clock.advance(1000);
    expect([first.is, second.is]).toEqual(["timeout", "waits"]);
    expect(slow.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    slow.calls[1]!.resolve({ number: 1 });
    slow.calls[0]!.resolve({ number: 0 });
    await settled();
    expect(second.value?.resource.number).toBe(1);
    expect([pool.size, log]).toEqual([1, ["destroy 0"]]);
  });

  test("what comes back serves who waits for one that is being made, checked or not", async () => {
    for (const check of [undefined, async () => true]) {
      const slow = handOperated<Thing>();
      const { pool } = thingsOf({ make: slow.hook, check });
      const first = follow(pool.acquire());
      slow.calls[0]!.resolve({ number: 0 });
      await settled();
      const { signal, abort } = abortable();
      const hasty = follow(pool.acquire({ signal }));
      abort("gone");
      first.value?.release();
      const patient = follow(pool.acquire());
      await settled();
      expect([hasty.is, patient.value?.resource.number, slow.calls.length]).toEqual(["gone", 0, 2]);
    }
  });
});

test("a make that fails for those who have just aborted is told to the next, or reported", async () => {
  for (const hasNext of [false, true]) {
    let isDown = false;
    const connect = () => {
      if (isDown) throw new Error("down");
      return { number: 0 };
    };
    const { pool, errors } = thingsOf({ make: connect, max: 1 });
    const lease = await pool.acquire();
    const { signal, abort } = abortable();
    let thrownByDiscard: unknown;
    // The signal tells this one first, and those in line after it.
    signal.addEventListener("abort", () => {
      try {
        lease.discard();
      } catch (error) {
        thrownByDiscard = error;
      }
    });
    const line = [follow(pool.acquire({ signal })), follow(pool.acquire({ signal }))];
    if (hasNext) line.push(follow(pool.acquire()));
    isDown = true;
    abort("enough");
    await settled();
    expect([thrownByDiscard, errors]).toEqual([undefined, hasNext ? [] : ["make: down"]]);
    expect(line.map(({ is }) => is)).toEqual(["enough", "enough", ...(hasNext ? ["Error: down"] : [])]);
    expect([pool.size, pool.lent, pool.waiting]).toEqual([0, 0, 0]);
    isDown = false;
    expect((await pool.acquire()).isHeld).toBe(true);
  }
});

test("the hooks may be methods, and find their own things", async () => {
  class Things implements PoolOptions<Thing> {
    readonly max = 1;
    readonly #log: string[];

    constructor(log: string[]) {
      this.#log = log;
    }

    make() {
      this.#log.push("make");
      return { number: 7 };
    }

    check() {
      return this.#log.push("check") > 0;
    }

    recycle() {
      this.#log.push("recycle");
    }

    destroy() {
      this.#log.push("destroy");
      throw new Error("stuck");
    }

    onError() {
      this.#log.push("onError");
    }
  }
  const log: string[] = [];
  const pool = new Pool(new Things(log));
  (await pool.acquire()).release();
  (await pool.acquire()).discard();
  await settled();
  expect(log).toEqual(["make", "recycle", "check", "destroy", "onError"]);
});

test("an onError that fails is for all to see, whether it throws or rejects", async () => {
  const seen: string[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error) => seen.push(String(error)));
  try {
    const errors = ["throws", "rejects"].map((how) => new Error(how));
    for (const [index, onError] of [() => thrown(errors[0]), () => Promise.reject(errors[1]!)].entries()) {
      const { pool } = thingsOf({ onError, destroy: () => thrown(new Error("stuck")) });
      (await pool.acquire()).discard();
      await settled();
      expect(seen).toEqual(errors.slice(0, index + 1).map(String));
      await pool.close();
    }
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const other of others) process.on("unhandledRejection", other);
  }
});

describe("who looks for deadlocks knows that the hooks are not a part of what sets them off", () => {
  const hooks = ["make", "check", "recycle", "destroy", "onError"] as const;
  test.each(hooks)("%s", async (hook) => {
    using _detector = detectDeadlocks();
    const stats = new Mutex();
    const ends: string[] = [];
    let isWatched = false;
    const count = async () => {
      if (isWatched) ends.push(await refusal(() => stats.run(() => undefined)));
    };
    const { pool } = thingsOf({
      max: 1,
      onError: undefined,
      ...(hook === "onError" && { recycle: () => thrown(new Error("stuck")) }),
      [hook]: () => count().then(() => (hook === "make" ? { number: 0 } : true)),
    });
    const lease = await pool.acquire();
    const next = follow(pool.acquire());
    isWatched = true;
    await stats.run(async () => {
      await settled();
      lease[hook === "make" || hook === "destroy" ? "discard" : "release"]();
      await settled();
      expect(ends, "it waits for the mutex, and the one who gave back does not wait for it").toEqual([]);
    });
    await settled();
    expect([ends, next.is]).toEqual([["none"], "done"]);
  });
});

describe("checking and recycling", () => {
  test("one that is bad is destroyed, and another one found", async () => {
    const bad = new Set([0, 1]);
    const { pool, log, errors } = thingsOf({ max: 3, check: ({ number }) => !bad.has(number) });
    const all = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of all.toReversed()) lease.release();
    log.length = 0;
    using lease = await pool.acquire();
    expect([lease.resource.number, log, errors]).toEqual([2, ["destroy 0", "destroy 1"], []]);
    using next = await pool.acquire();
    expect(next.resource.number).toBe(3);
  });

  test("a check that throws, hangs or says neither yes nor no has said no", async () => {
    const answers = [
      () => Promise.reject(new Error("dead")),
      () => undefined as unknown as boolean,
      () => new Promise<boolean>(() => undefined),
    ];
    for (const [number, check] of answers.entries()) {
      const { pool, clock, log, errors } = thingsOf({ check, hookTimeoutMs: 500, name: "db" });
      (await pool.acquire()).release();
      const next = follow(pool.acquire());
      await clock.advance(500);
      expect(next.value?.resource.number).toBe(1);
      expect(log).toEqual(["make 0", "destroy 0", "make 1"]);
      expect(errors[0]).toMatch(
        [/dead/, /true or false, not undefined/, /check of the pool "db" took/][number]!,
      );
    }
  });

  test("who gives up during a check leaves what was checked in the pool", async () => {
    const slow = handOperated<boolean>();
    const { pool } = thingsOf({ check: slow.hook, max: 1 });
    (await pool.acquire()).release();
    const { signal, abort } = abortable();
    const hasty = follow(pool.acquire({ signal }));
    abort("gone");
    slow.calls[0]!.resolve(true);
    await settled();
    expect([hasty.is, pool.size, pool.idle]).toEqual(["gone", 1, 1]);
  });

  test("it is lent again when it is clean, and destroyed when it cannot be cleaned", async () => {
    const slow = handOperated<undefined>();
    const { pool, log, errors } = thingsOf({ recycle: slow.hook, max: 1 });
    (await pool.acquire()).release();
    const second = follow(pool.acquire());
    await settled();
    expect(second.is).toBe("waits");
    slow.calls[0]!.resolve(undefined);
    await settled();
    expect(second.value?.resource.number).toBe(0);
    second.value?.release();
    slow.calls[1]!.reject(new Error("rollback failed"));
    const third = follow(pool.acquire());
    await settled();
    expect(third.value?.resource.number).toBe(1);
    expect([log, errors]).toEqual([["make 0", "destroy 0", "make 1"], ["recycle: rollback failed"]]);
  });

  test("one that is discarded is destroyed, and the next in line has another one made", async () => {
    const { pool, log } = thingsOf({ max: 1 });
    const first = await pool.acquire();
    const second = follow(pool.acquire());
    first.discard();
    await settled();
    expect(second.value?.resource.number).toBe(1);
    expect(log).toEqual(["make 0", "destroy 0", "make 1"]);
  });

  test("hooks may call the pool", async () => {
    const seen: number[] = [];
    const { pool } = thingsOf({
      max: 1,
      check: () => {
        expect(pool.tryAcquire()).toBe(null);
        seen.push(pool.size);
        return true;
      },
      recycle: () => {
        void pool.acquire().then((lease) => lease.discard());
        seen.push(pool.size);
      },
    });
    (await pool.acquire()).release();
    await settled();
    expect([seen, pool.size]).toEqual([[1, 1], 0]);
  });
});

describe("idle time", () => {
  test("ends the oldest first, down to min, by one timer", async () => {
    const { pool, clock, log } = thingsOf({ max: 4, min: 1, idleTimeoutMs: 1000 });
    let timers = 0;
    const after = clock.after.bind(clock);
    clock.after = (delayMs, callback) => (timers++, after(delayMs, callback));
    const all = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    for (const lease of all) {
      lease.release();
      await clock.advance(100);
    }
    log.length = 0;
    expect(timers).toBe(1);
    await clock.advance(600);
    expect(log).toEqual(["destroy 0"]);
    await clock.advance(200);
    expect([log, pool.size]).toEqual([["destroy 0", "destroy 1", "destroy 2"], 1]);
    await clock.advance(100_000);
    expect([pool.size, timers]).toEqual([1, 3]);
  });

  test("begins anew with each loan", async () => {
    const { pool, clock, log } = thingsOf({ idleTimeoutMs: 1000 });
    for (let round = 0; round < 5; round++) {
      (await pool.acquire()).release();
      await clock.advance(999);
    }
    expect(log).toEqual(["make 0"]);
    await clock.advance(1);
    expect(log).toEqual(["make 0", "destroy 0"]);
  });

  test("counts for nothing without an idleTimeoutMs", async () => {
    const { pool, clock } = thingsOf();
    (await pool.acquire()).release();
    await clock.advance(1e9);
    expect(pool.idle).toBe(1);
  });
});

describe("the stock", () => {
  test("is made from the start, and made good when one is destroyed", async () => {
    const { pool, log } = thingsOf({ min: 2, max: 3 });
    expect(log).toEqual([]);
    await settled();
    expect([pool.idle, log]).toEqual([2, ["make 0", "make 1"]]);
    (await pool.acquire()).discard();
    expect([pool.idle, log.slice(2)]).toEqual([2, ["destroy 1", "make 2"]]);
  });

  test("waits with a failing make until one succeeds", async () => {
    const slow = handOperated<Thing>();
    const { pool, clock, errors } = thingsOf({ make: slow.hook, min: 2 });
    await settled();
    for (const { reject } of slow.calls) reject(new Error("down"));
    await clock.advance(100_000);
    expect([slow.calls.length, errors.length, pool.size]).toEqual([2, 2, 0]);
    const asked = follow(pool.acquire());
    expect(slow.calls.length, "only for the one who asks").toBe(3);
    slow.calls[2]!.resolve({ number: 0 });
    await settled();
    expect([asked.is, slow.calls.length]).toEqual(["done", 4]);
  });
});

describe("closing", () => {
  test("refuses who waits and who comes, and resolves when all is back and destroyed", async () => {
    const { pool, log } = thingsOf();
    const [lent, other] = await Promise.all([pool.acquire(), pool.acquire()]);
    const waits = follow(pool.acquire());
    other.release();
    waits.promise.catch(() => undefined);
    const alsoWaits = follow(pool.acquire());
    const [closed, again] = [follow(pool.close()), follow(pool.close())];
    await settled();
    expect([waits.is, alsoWaits.is, closed.is, again.is]).toEqual(["done", "closed", "waits", "waits"]);
    expect(await refusal(() => pool.acquire())).toBe("closed");
    expect(await refusal(() => pool.tryAcquire())).toBe("closed");
    expect(await refusal(() => pool.run(() => 1))).toBe("closed");
    lent.release();
    waits.value?.release();
    await settled();
    expect([closed.is, again.is, pool.size]).toEqual(["done", "done", 0]);
    expect(log.slice(2).sort()).toEqual(["destroy 0", "destroy 1"]);
    await pool.close();
  });

  test("has patience, and is closed all the same when that ends", async () => {
    const { pool, clock, log } = thingsOf();
    const lease = await pool.acquire();
    const closed = follow(pool.close({ timeoutMs: 100 }));
    await clock.advance(100);
    expect(closed.is).toBe("timeout");
    expect(String(closed.error)).toContain("all that the pool has lent");
    expect(await refusal(() => pool.acquire())).toBe("closed");
    lease.release();
    expect(log).toEqual(["make 0", "destroy 0"]);
    await pool.close({ timeoutMs: 0 });
  });

  test("tells those who make that nobody wants it any more", async () => {
    const slow = handOperated<Thing>();
    const { pool, clock, log, errors } = thingsOf({ make: slow.hook, hookTimeoutMs: 1000 });
    const [first, second] = [follow(pool.acquire()), follow(pool.acquire())];
    const closed = follow(pool.close());
    expect(slow.calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    slow.calls[0]!.reject(slow.calls[0]!.signal.reason);
    await clock.advance(999);
    expect([first.is, second.is, closed.is]).toEqual(["closed", "closed", "waits"]);
    slow.calls[1]!.resolve({ number: 1 });
    await settled();
    expect([closed.is, log, errors]).toEqual(["done", ["destroy 1"], []]);
  });

  test("leaves alone what was made before, and no timer behind", async () => {
    const slow = handOperated<Thing>();
    const { pool, clock } = thingsOf({ make: slow.hook, check: async () => true, idleTimeoutMs: 1000 });
    const pending = new Set<() => void>();
    const after = clock.after.bind(clock);
    clock.after = (delayMs, callback) => {
      const timer = after(delayMs, callback);
      const cancel = () => {
        pending.delete(cancel);
        timer.cancel();
      };
      pending.add(cancel);
      return { cancel };
    };
    const asked = follow(pool.acquire({ timeoutMs: 5000 }));
    slow.calls[0]!.resolve({ number: 0 });
    await settled();
    asked.value?.release();
    (await pool.acquire()).release();
    expect(pending.size, "that of the idle one").toBe(1);
    await pool.close({ timeoutMs: 5000 });
    expect([pending.size, slow.calls[0]!.signal.aborted]).toEqual([0, false]);
  });

  test("waits for destroy, but not for ever", async () => {
    const { pool, clock, errors } = thingsOf({
      destroy: () => new Promise(() => undefined),
      hookTimeoutMs: 500,
    });
    (await pool.acquire()).release();
    const closed = follow(pool.close());
    await clock.advance(499);
    expect([closed.is, pool.size]).toEqual(["waits", 0]);
    await clock.advance(1);
    expect(closed.is).toBe("done");
    expect(errors).toEqual(["destroy: destroy of the pool took longer than 500 ms"]);
  });

  test("may be called by a hook", async () => {
    let closed: Promise<void> | undefined;
    const { pool } = thingsOf({ destroy: () => void (closed = pool.close()) });
    (await pool.acquire()).discard();
    await closed;
    expect(pool.size).toBe(0);

    let again: Promise<void> | undefined;
    const other = thingsOf({ destroy: () => void (again = other.close()) }).pool;
    (await other.acquire()).release();
    await other.close();
    await again;
  });

  test("by a hook that answers at once: what it made or checked is not lent any more", async () => {
    for (const hook of ["make", "check"] as const) {
      for (const answer of [true, false]) {
        for (const ask of ["tryAcquire", "acquire at once", "acquire"]) {
          let closed: Promise<void> | undefined;
          let isClosing = hook === "make";
          const { pool, log, make } = thingsOf({
            [hook]: () => {
              if (isClosing) closed = pool.close();
              return hook === "make" ? make() : answer;
            },
          });
          if (hook === "check") pool.tryAcquire()!.release();
          isClosing = true;
          const asked = refusal(() =>
            ask === "tryAcquire"
              ? pool.tryAcquire()
              : pool.acquire(ask === "acquire" ? {} : { timeoutMs: 0 }),
          );
          expect(await asked, `${ask}, ${hook}`).toBe("closed");
          await closed;
          expect([pool.lent, pool.size, log]).toEqual([0, 0, ["make 0", "destroy 0"]]);
        }
      }
    }
  });

  test("is what `await using` does", async () => {
    const log: string[] = [];
    {
      await using pool = new Pool({ make: () => 1, destroy: (one) => log.push(`destroy ${one}`), max: 1 });
      using _lease = await pool.acquire();
    }
    expect(log).toEqual(["destroy 1"]);
  });

  test("tells what recycle and destroy threw, if nobody was told before", async () => {
    const fail = () => {
      throw new Error("stuck");
    };
    const { pool } = thingsOf({ onError: undefined, recycle: fail, destroy: fail, check: fail });
    (await pool.acquire()).release();
    const error: unknown = await pool.close().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors.map(String)).toEqual(["Error: stuck", "Error: stuck"]);
    expect((error as AggregateError).message).toContain("onError");
  });

  test("does not count a check that threw, nor a make for stock: they did no harm", async () => {
    let isDown = false;
    const connect = (number: number) => {
      if (isDown) throw new Error("down");
      return { number };
    };
    const { pool } = thingsOf({
      onError: undefined,
      min: 1,
      make: () => connect(1),
      check: () => !!connect(2),
    });
    await settled();
    isDown = true;
    expect(await refusal(() => pool.acquire())).toBe("Error: down");
    expect(pool.size).toBe(0);
    await pool.close();
  });

  test("keeps only the last of many such errors", async () => {
    let count = 0;
    const destroy = () => Promise.reject(new Error(String(count++)));
    const { pool } = thingsOf({ onError: undefined, destroy });
    for (let round = 0; round < 100; round++) (await pool.acquire()).discard();
    await settled();
    const { errors } = (await pool.close().catch((thrown: unknown) => thrown)) as AggregateError;
    expect([errors.length, String(errors.at(-1))]).toEqual([16, "Error: 99"]);
  });
});

test("whichever comes first of release, abort, make and check, no place is lost", async () => {
  for (const { order, pauses } of interleavings(["release", "abort", "made", "checked"])) {
    const slow = handOperated<Thing>();
    const checks = handOperated<boolean>();
    const { pool } = thingsOf({ make: slow.hook, check: checks.hook });
    const first = follow(pool.acquire());
    slow.calls[0]!.resolve({ number: 0 });
    await settled();
    const { signal, abort } = abortable();
    const [hasty, patient] = [follow(pool.acquire({ signal })), follow(pool.acquire())];
    const deeds: Record<string, () => void> = {
      release: () => first.value?.release(),
      abort: () => {
        abort("gone");
      },
      made: () => slow.calls[1]!.resolve({ number: 1 }),
      checked: () => {
        for (const { resolve } of checks.calls) resolve(true);
      },
    };
    await happen({ order: order.map((deed) => deeds[deed]!), pauses });
    for (const { resolve } of checks.calls) resolve(true);
    await settled();
    const say = `${order.join(", ")} with pauses ${pauses.join()}`;
    expect(["done", "gone"], say).toContain(hasty.is);
    expect(patient.is, say).toBe("done");
    hasty.value?.release();
    patient.value?.release();
    await settled();
    expect([pool.size, pool.idle, pool.lent, pool.waiting], say).toEqual([2, 2, 0, 0]);
    expect(slow.calls.length, say).toBe(2);
  }
});

test("waits that were given up leave nothing behind", async () => {
  const { pool } = thingsOf({ max: 1 });
  const lease = await pool.acquire();
  const { signal } = new AbortController();
  const round = async () => {
    for (let i = 0; i < 5000; i++) {
      const { signal: own, abort } = abortable();
      const wait = pool.acquire({ signal: AbortSignal.any([signal, own]), timeoutMs: 1e6 });
      abort("gone");
      await refusal(() => wait);
    }
  };
  await round();
  await expectNothingLeft(1_000_000, () => round());
  lease.release();
  expect([pool.idle, pool.waiting]).toEqual([1, 0]);
});

describe("nonsense is refused", () => {
  const sound = { make: () => 1, max: 1 };
  const pools: [string, unknown][] = [
    ["nothing", undefined],
    ["no make", { max: 1 }],
    ["a make that is no function", { ...sound, make: 5 }],
    ["a check that is no function", { ...sound, check: true }],
    ["no max", { make: () => 1 }],
    ["no place", { ...sound, max: 0 }],
    ["less than no place", { ...sound, max: -1 }],
    ["half a place", { ...sound, max: 1.5 }],
    ["no number of places", { ...sound, max: NaN }],
    ["endless places", { ...sound, max: Infinity }],
    ["places in words", { ...sound, max: "2" }],
    ["more than there may be", { ...sound, min: 2 }],
    ["a negative stock", { ...sound, min: -1 }],
    ["no idle time", { ...sound, idleTimeoutMs: 0 }],
    ["no number of milliseconds", { ...sound, idleTimeoutMs: NaN }],
    ["no time for hooks", { ...sound, hookTimeoutMs: 0 }],
    ["endless time for hooks", { ...sound, hookTimeoutMs: Infinity }],
    ["an unknown option", { ...sound, create: () => 1 }],
    ["an empty name", { ...sound, name: "" }],
  ];
  test.each(pools)("by the constructor: %s", async (_what, options) => {
    expect(await refusal(() => new Pool(options as PoolOptions<number>))).toBe("bad-input");
  });

  const patiences: [string, unknown][] = [
    ["an unknown option", { timeout: 5 }],
    ["a negative time", { timeoutMs: -1 }],
    ["no number", { timeoutMs: NaN }],
    ["no signal", { signal: {} }],
    ["no object", 5],
  ];
  test.each(patiences)("by acquire, run and close: %s", async (_what, patience) => {
    const { pool } = thingsOf();
    const nonsense = patience as { timeoutMs: number };
    expect(await refusal(() => pool.acquire(nonsense))).toBe("bad-input");
    expect(await refusal(() => pool.run(() => 1, nonsense))).toBe("bad-input");
    expect(await refusal(() => pool.close(nonsense))).toBe("bad-input");
    expect([pool.size, pool.waiting]).toEqual([0, 0]);
    (await pool.acquire()).release();
  });

  test("by run: no section", async () => {
    const { pool } = thingsOf();
    expect(await refusal(() => pool.run(undefined as unknown as () => void))).toBe("bad-input");
    expect(pool.size).toBe(0);
  });

  test("a signal that has aborted before", async () => {
    const { pool } = thingsOf();
    expect(await refusal(() => pool.acquire({ signal: AbortSignal.abort("early") }))).toBe("early");
    expect(await refusal(() => pool.close({ signal: AbortSignal.abort("early") }))).toBe("early");
    (await pool.acquire()).release();
  });
});

function thrown(error: unknown): never {
  throw error;
}
