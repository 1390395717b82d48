import { getEventListeners } from "node:events";
import { ManualClock, SeededRandom, type Clock } from "lockstep/base";
import { KeyedRateLimiter, RateLimiter, type RateLimiterOptions } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { follow, refusal, settled } from "./outcome.js";

/** How many pass when somebody tries again and again. */
const passing = (limiter: RateLimiter) => {
  let count = 0;
  while (limiter.tryAcquire()) count++;
  return count;
};

/** A manual clock that counts the timers which are set. */
class CountingClock extends ManualClock {
  timers = 0;

  override after(...call: Parameters<Clock["after"]>) {
    let isSet = true;
    this.timers++;
    const unset = () => {
      if (isSet) this.timers--;
      isSet = false;
    };
    const timer = super.after(call[0], () => {
      unset();
      call[1]();
    });
    return {
      cancel: () => {
        unset();
        timer.cancel();
      },
    };
  }
}

test("a token bucket: its burst at once, then an even rate", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ limit: 10, intervalMs: 1000, burst: 3, clock });
  expect(passing(limiter)).toBe(3);
  for (let passed = 0; passed < 5; passed++) {
    await clock.advance(99);
    expect(passing(limiter)).toBe(0);
    await clock.advance(1);
    expect(passing(limiter)).toBe(1);
  }
  clock.jump(3_600_000);
  expect(passing(limiter)).toBe(3);
});

test("the burst is the limit unless given", () => {
  const limiter = new RateLimiter({ limit: 7, intervalMs: 1000, clock: new ManualClock() });
  expect(passing(limiter)).toBe(7);
});

test("a sliding window: no eleventh within the interval, whatever happened before", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ algorithm: "sliding-window", limit: 10, intervalMs: 1000, clock });
  clock.jump(999);
  expect(passing(limiter)).toBe(10);
  clock.jump(999);
  expect(passing(limiter)).toBe(0);
  clock.jump(1);
  expect(passing(limiter)).toBe(10);
});

test("a rate that divides nothing evenly is kept, to the last millisecond", async () => {
  const clock = new ManualClock(0.5);
  const limiter = new RateLimiter({ limit: 49, intervalMs: 1000, burst: 1, clock });
  expect(passing(limiter)).toBe(1);
  for (let second = 0; second < 20; second++) {
    const waits = Array.from({ length: 49 }, () => follow(limiter.acquire()));
    await clock.advance(999.5);
    expect(waits.filter(({ is }) => is === "done").length).toBe(48);
    await clock.advance(0.5);
    expect(waits.filter(({ is }) => is === "done").length).toBe(49);
  }
});

describe.each<RateLimiterOptions>([
  { limit: 3, intervalMs: 100, burst: 5 },
  { limit: 7, intervalMs: 33.3 },
  { algorithm: "sliding-window", limit: 6, intervalMs: 70.7 },
])("at times with fractions: %o", (options) => {
  const { limit, intervalMs } = options;
  const isWindow = options.algorithm === "sliding-window";
  const burst = isWindow ? limit : (options.burst ?? limit);

  /** How many more were let through from one time to another than may be. */
  const excess = (count: number, ms: number) => {
    if (!isWindow) return count - burst - (ms * limit) / intervalMs;
    return ms < intervalMs ? count - limit : 0;
  };

  test.each([0, 1e9])("never more than is claimed, wherever one begins to count, from %d", (startMs) => {
    const random = new SeededRandom(7);
    const clock = new ManualClock(startMs);
    const limiter = new RateLimiter({ ...options, clock });
    const at: number[] = [];
    for (let tries = 0; tries < 2000; tries++) {
      clock.jump(random.next() * random.next() * 30);
      if (limiter.tryAcquire()) at.push(clock.now());
    }
    expect(at.length).toBeGreaterThan(400);
    let most = 0;
    for (const [first, from] of at.entries()) {
      for (const [count, to] of at.slice(first, first + 60).entries()) {
        most = Math.max(most, excess(count + 1, to - from));
      }
    }
    // The clock itself is no finer than this.
    expect(most).toBeLessThan(1e-6);
  });

  test("what remains is what can be taken, and no more", () => {
    const random = new SeededRandom(8);
    const clock = new ManualClock();
    const limiter = new RateLimiter({ ...options, clock });
    for (let tries = 0; tries < 2000; tries++) {
      // Often at the very moment when there is one more.
      const { retryAfterMs } = limiter.peek({ weight: 1 + random.below(burst) });
      clock.jump(random.chance(0.5) ? retryAfterMs : random.next() * 30);
      const { remaining } = limiter.peek();
      if (remaining < burst) expect(limiter.tryAcquire({ weight: remaining + 1 })).toBe(false);
      if (remaining > 0) expect(limiter.tryAcquire({ weight: 1 + random.below(remaining) })).toBe(true);
    }
  });
});

test("a bucket that is never full stays exact", () => {
  const clock = new ManualClock();
  const limit = 1_000_000_007;
  const limiter = new RateLimiter({ limit, intervalMs: 999, clock });
  let taken = 0n;
  for (let pause = 0; pause < 300_000; pause++) {
    const { remaining } = limiter.peek();
    limiter.tryAcquire({ weight: remaining });
    taken += BigInt(remaining);
    clock.jump(900);
  }
  const elapsedMs = BigInt(clock.now() - 900);
  const off = taken - BigInt(limit) - (elapsedMs * BigInt(limit)) / 999n;
  // A token falls due each microsecond or so, and the clock is not much finer than that after all this time.
  expect([-1n, 0n, 1n]).toContain(off);
});

test("waiting: first come, first served, and a big one is not overtaken", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ limit: 10, intervalMs: 1000, clock });
  passing(limiter);
  const order: string[] = [];
  void limiter.acquire({ weight: 5 }).then(() => order.push("big"));
  void limiter.acquire().then(() => order.push("small"));
  await clock.advance(450);
  expect([order, limiter.tryAcquire(), limiter.waiting]).toEqual([[], false, 2]);
  await clock.advance(50);
  expect(order).toEqual(["big"]);
  await clock.advance(100);
  expect(order).toEqual(["big", "small"]);
});

test("who gives up at the head makes way at once", async () => {
  const clock = new CountingClock();
  const limiter = new RateLimiter({ limit: 10, intervalMs: 1000, clock });
  passing(limiter);
  const aborter = new AbortController();
  const big = follow(limiter.acquire({ weight: 10, signal: aborter.signal }));
  const small = follow(limiter.acquire({ weight: 2 }));
  await clock.advance(300);
  aborter.abort("left");
  await settled();
  expect([big.is, small.is, clock.timers]).toEqual(["left", "done", 0]);
  expect(limiter.peek().remaining).toBe(1);
});

test("too short a time-out is told at once; exactly long enough is long enough", async () => {
  const clock = new ManualClock();
  for (const algorithm of ["token-bucket", "sliding-window"] as const) {
    const limiter = new RateLimiter({ algorithm, limit: 1, intervalMs: 100, clock });
    expect(limiter.tryAcquire()).toBe(true);
    const [none, short, exact] = [0, 99, 100].map((timeoutMs) => follow(limiter.acquire({ timeoutMs })));
    await settled();
    expect([none!.is, short!.is, exact!.is]).toEqual(["timeout", "timeout", "waits"]);
    await clock.advance(100);
    expect(exact!.is).toBe("done");
  }
});

test("a time-out in the queue leaves nothing behind", async () => {
  const clock = new CountingClock();
  const limiter = new RateLimiter({ limit: 1, intervalMs: 100, clock });
  expect(limiter.tryAcquire()).toBe(true);
  const first = follow(limiter.acquire());
  const second = follow(limiter.acquire({ timeoutMs: 150 }));
  await clock.advance(150);
  expect([first.is, second.is, limiter.waiting, clock.timers]).toEqual(["done", "timeout", 0, 0]);
  await clock.advance(50);
  expect(limiter.tryAcquire()).toBe(true);
});

test("after a freeze, who waited comes before who comes", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ limit: 2, intervalMs: 100, clock });
  passing(limiter);
  const waiting = follow(limiter.acquire({ weight: 2 }));
  clock.jump(5000);
  expect(limiter.tryAcquire()).toBe(false);
  await settled();
  expect(waiting.is).toBe("done");
});

test("there is one timer however many wait, and none when nobody does", async () => {
  const clock = new CountingClock();
  const limiter = new RateLimiter({ limit: 1, intervalMs: 100, clock });
  expect(limiter.tryAcquire()).toBe(true);
  expect(clock.timers).toBe(0);
  const aborter = new AbortController();
  const waits = Array.from({ length: 5000 }, () => follow(limiter.acquire({ signal: aborter.signal })));
  expect([clock.timers, limiter.waiting]).toEqual([1, 5000]);
  expect(getEventListeners(aborter.signal, "abort")).toHaveLength(1);
  aborter.abort("left");
  await settled();
  expect(waits.every(({ is }) => is === "left")).toBe(true);
  expect([clock.timers, limiter.waiting]).toEqual([0, 0]);
  expect(getEventListeners(aborter.signal, "abort")).toHaveLength(0);
});

test("who comes when the first is leaving sets no further timer", async () => {
  const clock = new CountingClock();
  const limiter = new RateLimiter({ limit: 1, intervalMs: 100, clock });
  limiter.tryAcquire();
  const aborter = new AbortController();
  // This one hears of the abort before the limiter does.
  aborter.signal.addEventListener("abort", () => void limiter.acquire());
  const leaving = follow(limiter.acquire({ signal: aborter.signal }));
  aborter.abort("left");
  expect([limiter.waiting, clock.timers]).toEqual([1, 1]);
  await clock.advance(100);
  expect([leaving.is, limiter.waiting, clock.timers]).toEqual(["left", 0, 0]);
});

test("a timer that fires too early is set again", async () => {
  const clock = new ManualClock();
  const early: Clock = {
    now: () => clock.now(),
    wallNow: () => 0,
    after: (delayMs, callback) => clock.after(Math.min(delayMs, 40), callback),
  };
  const limiter = new RateLimiter({ limit: 1, intervalMs: 100, clock: early });
  expect(limiter.tryAcquire()).toBe(true);
  const waiting = follow(limiter.acquire());
  await clock.advance(99);
  expect(waiting.is).toBe("waits");
  await clock.advance(1);
  expect(waiting.is).toBe("done");
});

test("peek says what a 429 must say", async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ limit: 4, intervalMs: 1000, clock });
  expect(limiter.peek()).toEqual({ remaining: 4, retryAfterMs: 0 });
  passing(limiter);
  expect(limiter.peek()).toEqual({ remaining: 0, retryAfterMs: 250 });
  expect(limiter.peek({ weight: 4 })).toEqual({ remaining: 0, retryAfterMs: 1000 });
  await clock.advance(600);
  expect(limiter.peek()).toEqual({ remaining: 2, retryAfterMs: 0 });
});

test("gcra spaces them evenly, unless it is given a burst", async () => {
  const clock = new ManualClock();
  const even = new RateLimiter({ algorithm: "gcra", limit: 10, intervalMs: 1000, clock });
  const taken: number[] = [];
  for (let at = 0; at < 1000; at += 10) {
    if (even.tryAcquire()) taken.push(at);
    await clock.advance(10);
  }
  expect(taken).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  const bursting = new RateLimiter({ algorithm: "gcra", limit: 10, intervalMs: 1000, burst: 3, clock });
  expect([1, 2, 3, 4].map(() => bursting.tryAcquire())).toEqual([true, true, true, false]);
});

test("nonsense is refused, and takes nothing", async () => {
  const make = (options: unknown) => new RateLimiter(options as RateLimiterOptions);
  const good = { limit: 10, intervalMs: 1000 };
  for (const wrong of [0, -1, 1.5, NaN, Infinity, "3", undefined, null]) {
    expect(await refusal(() => make({ ...good, limit: wrong })), String(wrong)).toBe("bad-input");
    expect(await refusal(() => make({ ...good, intervalMs: wrong === 1.5 ? 0.5 : wrong }))).toBe("bad-input");
    if (wrong !== undefined) expect(await refusal(() => make({ ...good, burst: wrong }))).toBe("bad-input");
    expect(await refusal(() => make({ ...good, algorithm: "sliding-window", limit: wrong }))).toBe(
      "bad-input",
    );
  }
  for (const options of [
    undefined,
    null,
    { ...good, algorithm: "leaky-bucket" },
    { ...good, algorithm: "sliding-window", burst: 5 },
    { ...good, interval: 5 },
    { ...good, burst: 2 ** 50 },
  ]) {
    expect(await refusal(() => make(options)), JSON.stringify(options)).toBe("bad-input");
  }
  const limiter = make({ ...good, clock: new ManualClock() });
  for (const weight of [0, -1, 1.5, NaN, 11, "1" as never, null as never]) {
    expect(await refusal(() => limiter.tryAcquire({ weight }))).toBe("bad-input");
    expect(await refusal(() => limiter.acquire({ weight }))).toBe("bad-input");
    expect(await refusal(() => limiter.peek({ weight }))).toBe("bad-input");
  }
  expect(await refusal(() => limiter.tryAcquire({ timeoutMs: 5 } as never))).toBe("bad-input");
  expect(await refusal(() => limiter.acquire({ timeout: 5 } as never))).toBe("bad-input");
  expect(await refusal(() => limiter.acquire({ timeoutMs: -5 }))).toBe("bad-input");
  expect(await refusal(() => limiter.acquire({ signal: AbortSignal.abort("before") }))).toBe("before");
  expect(limiter.peek().remaining).toBe(10);
});

describe("for each key", () => {
  test("keys do not disturb each other", async () => {
    const clock = new ManualClock();
    const limiter = new KeyedRateLimiter<string>({ limit: 2, intervalMs: 100, clock });
    expect(["a", "a", "a", "b"].map((key) => limiter.tryAcquire(key))).toEqual([true, true, false, true]);
    expect(limiter.peek("a")).toEqual({ remaining: 0, retryAfterMs: 50 });
    expect(limiter.peek("c")).toEqual({ remaining: 2, retryAfterMs: 0 });
    expect(limiter.size).toBe(2);
    const waiting = follow(limiter.acquire("a", { timeoutMs: 60 }));
    await limiter.acquire("b");
    await clock.advance(50);
    expect(waiting.is).toBe("done");
  });

  test.each(["token-bucket", "sliding-window"] as const)(
    "%s: each is as a limiter of its own, though idle ones are forgotten",
    async (algorithm) => {
      const random = new SeededRandom(11);
      const clock = new ManualClock();
      const options = { algorithm, limit: 3, intervalMs: 60, clock };
      const keyed = new KeyedRateLimiter<number>(options);
      const each = Array.from({ length: 3000 }, () => new RateLimiter(options));
      let largest = 0;
      for (let event = 0; event < 8000; event++) {
        const key = random.below(random.chance(0.5) ? 3000 : 4);
        const weight = 1 + random.below(3);
        if (random.chance(0.2)) {
          const timeoutMs = random.chance(0.5) ? random.below(80) + 0.5 : undefined;
          const pair = [keyed.acquire(key, { weight, timeoutMs }), each[key]!.acquire({ weight, timeoutMs })];
          void Promise.allSettled(pair).then(([one, other]) => expect(one).toEqual(other));
        } else {
          expect(keyed.tryAcquire(key, { weight })).toBe(each[key]!.tryAcquire({ weight }));
        }
        expect(keyed.peek(key)).toEqual(each[key]!.peek());
        if (random.chance(0.3)) await clock.advance(random.below(20));
        if (random.chance(0.02)) clock.jump(random.below(300));
        largest = Math.max(largest, keyed.size);
      }
      expect(largest).toBeLessThan(1100);
    },
  );

  test("a million passers-by leave no more than those who still count, twice", () => {
    const clock = new ManualClock();
    const limiter = new KeyedRateLimiter<number>({ limit: 100, intervalMs: 1000, clock });
    let largest = 0;
    for (let key = 0; key < 300_000; key++) {
      // Each is full again after ten milliseconds, in which two thousand others come.
      clock.jump(0.005);
      limiter.tryAcquire(key);
      largest = Math.max(largest, limiter.size);
    }
    expect(largest).toBeGreaterThan(1999);
    expect(largest).toBeLessThan(4100);
  });

  test("a key that somebody waits for is not forgotten", async () => {
    const clock = new ManualClock();
    const limiter = new KeyedRateLimiter<string>({ limit: 1, intervalMs: 100, clock });
    limiter.tryAcquire("a");
    const waiting = follow(limiter.acquire("a"));
    clock.jump(1000);
    for (let other = 0; other < 2000; other++) limiter.tryAcquire(`other ${other}`);
    expect(limiter.tryAcquire("a")).toBe(false);
    await settled();
    expect(waiting.is).toBe("done");
  });

  test("nonsense is refused, and nothing is remembered of it", async () => {
    const limiter = new KeyedRateLimiter<string>({ limit: 1, intervalMs: 100 });
    expect(await refusal(() => limiter.tryAcquire("a", { weight: 2 }))).toBe("bad-input");
    expect(await refusal(() => limiter.acquire("a", { weight: 0 }))).toBe("bad-input");
    expect(await refusal(() => limiter.acquire("a", { timeout: 1 } as never))).toBe("bad-input");
    expect(await refusal(() => limiter.peek("a", { weight: 1.5 }))).toBe("bad-input");
    expect(await refusal(() => new KeyedRateLimiter({} as never))).toBe("bad-input");
    const forgotten = undefined as never;
    expect(await refusal(() => limiter.tryAcquire(forgotten))).toBe("bad-input");
    expect(await refusal(() => limiter.acquire(forgotten))).toBe("bad-input");
    expect(await refusal(() => limiter.peek(forgotten))).toBe("bad-input");
    expect(limiter.size).toBe(0);
  });
});
