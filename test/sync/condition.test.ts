import fc from "fast-check";
import { ManualClock, type Patience } from "lockstep/base";
import { Condition, detectDeadlocks, Mutex, Semaphore, type Held } from "lockstep/sync";
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
  type Outcome,
} from "./outcome.js";

/** A mutex, a condition, and somebody who waits for it already. */
async function sleeper(patience?: Patience, clock = new HandClock()) {
  const mutex = new Mutex({ clock });
  const condition = new Condition(mutex, { clock, name: "jobs" });
  const held = await mutex.acquire();
  const wait = follow(condition.wait(held, patience));
  return { clock, mutex, condition, held, wait };
}

describe("wait", () => {
  test("gives the mutex up, and ends with the same hold when it has been woken", async () => {
    const { mutex, condition, held, wait } = await sleeper();
    expect([held.isHeld, mutex.isLocked, condition.waiting]).toEqual([false, false, 1]);
    condition.notifyOne();
    // There and then: nobody can come in between.
    expect([held.isHeld, mutex.tryAcquire()]).toEqual([true, null]);
    await settled();
    expect(wait.is).toBe("done");
    held.release();
    expect([mutex.isLocked, condition.waiting]).toEqual([false, 0]);
    expect(await refusal(() => held.release())).toBe("misuse");
  });

  test("a bounded buffer: nothing is lost or done twice, and `using` is right throughout", async () => {
    const mutex = new Mutex();
    const [notFull, notEmpty] = [new Condition(mutex), new Condition(mutex)];
    const buffer: number[] = [];
    const taken: number[] = [];
    const put = async (item: number) => {
      using held = await mutex.acquire();
      while (buffer.length === 2) await notFull.wait(held);
      buffer.push(item);
      notEmpty.notifyOne();
    };
    const take = async () => {
      using held = await mutex.acquire();
      await notEmpty.waitUntil(held, () => buffer.length > 0);
      taken.push(buffer.shift()!);
      notFull.notifyOne();
    };
    const items = Array.from({ length: 100 }, (_, item) => item);
    await Promise.all([...items.map(take), ...items.map(put)]);
    expect(taken).toEqual(items);
    expect([mutex.isLocked, notFull.waiting, notEmpty.waiting]).toEqual([false, 0, 0]);
  });

  test("who is woken joins the line for the mutex before anyone who asks later", async () => {
    const { mutex, condition, held } = await sleeper();
    const other = await mutex.acquire();
    condition.notifyOne();
    const later = follow(mutex.acquire());
    other.release();
    await settled();
    expect([held.isHeld, later.is]).toEqual([true, "waits"]);
  });

  test("notifyAll wakes all who wait now, who have the mutex one after the other", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    const order: number[] = [];
    const waitFor = async (who: number) => {
      using held = await mutex.acquire();
      await condition.wait(held);
      order.push(who);
      await settled();
      order.push(who);
    };
    const all = [1, 2, 3].map(waitFor);
    await settled();
    condition.notifyAll();
    void waitFor(4);
    await Promise.all(all);
    await settled();
    expect(order).toEqual([1, 1, 2, 2, 3, 3]);
    expect(condition.waiting).toBe(1);
  });

  test("a call while nobody waits is forgotten", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    condition.notifyOne();
    condition.notifyAll();
    const wait = follow(condition.wait(await mutex.acquire()));
    await settled();
    expect(wait.is).toBe("waits");
  });
});

describe("who gives up", () => {
  for (const how of ["timeout", "enough"]) {
    test(`takes the mutex again first, and then hears why: ${how}`, async () => {
      const { signal, abort } = abortable();
      const { clock, mutex, condition, held, wait } = await sleeper({ signal, timeoutMs: 5 });
      const other = await mutex.acquire();
      if (how === "timeout") clock.fire(5);
      else abort(how);
      await settled();
      expect([wait.is, condition.waiting, mutex.waiting]).toEqual(["waits", 0, 1]);
      other.release();
      await settled();
      expect([wait.is, held.isHeld]).toEqual([how, true]);
      held.release();
      expect([mutex.isLocked, clock.pending, getEventListeners(signal, "abort").length]).toEqual([
        false,
        0,
        0,
      ]);
    });
  }

  test("without time to wait, or with a signal that has aborted, keeps the mutex all along", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex, { name: "jobs" });
    const held = await mutex.acquire();
    const behind = follow(mutex.acquire());
    for (const patience of [{ timeoutMs: 0 }, { signal: AbortSignal.abort("timeout") }]) {
      const waits = [condition.wait(held, patience), condition.waitUntil(held, () => false, patience)];
      for (const wait of waits) expect(await refusal(() => wait)).toBe("timeout");
    }
    expect([held.isHeld, behind.is, condition.waiting]).toEqual([true, "waits", 0]);
    await expect(condition.wait(held, { timeoutMs: 0 })).rejects.toThrow(
      'there was no time to wait for the condition "jobs"',
    );
  });

  const eventsOf = ["notify", "abort a", "time out b", "release"] as const;
  test("a notification goes to one who still waits, in every order of events in one turn", async () => {
    for (const { order, pauses } of interleavings(eventsOf)) {
      const clock = new HandClock();
      const mutex = new Mutex({ clock });
      const condition = new Condition(mutex, { clock });
      const { signal, abort } = abortable();
      const sleep = async (patience: Patience) => {
        const held = await mutex.acquire();
        const wait = follow(condition.wait(held, patience));
        return { held, wait };
      };
      const all = [await sleep({ signal }), await sleep({ timeoutMs: 1 }), await sleep({})];
      const other = await mutex.acquire();
      const events: Record<(typeof eventsOf)[number], () => void> = {
        notify: () => condition.notifyOne(),
        "abort a": () => abort("enough"),
        "time out b": () => clock.fire(1),
        release: () => other.release(),
      };
      await happen({ order: order.map((name) => events[name]), pauses });
      // One after the other has the mutex again, whatever became of its wait.
      for (let turn = 0; turn < 3; turn++) {
        const holders = all.filter(({ held }) => held.isHeld);
        expect(holders.length).toBe(turn < all.length - condition.waiting ? 1 : 0);
        holders[0]?.held.release();
        await settled();
      }
      const before = (one: string, other: string) =>
        order.indexOf(one as never) < order.indexOf(other as never);
      const a = before("notify", "abort a") ? "done" : "enough";
      const b = before("notify", "time out b") && a !== "done" ? "done" : "timeout";
      const c = a !== "done" && b !== "done" ? "done" : "waits";
      expect({ order, pauses, is: all.map(({ wait }) => wait.is) }).toEqual({ order, pauses, is: [a, b, c] });
      expect([mutex.isLocked, mutex.waiting]).toEqual([false, 0]);
    }
  });

  test("is not woken by a listener that its signal tells first; the next one is", async () => {
    const { signal, abort } = abortable();
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    signal.addEventListener("abort", () => {
      condition.notifyOne();
    });
    const [aborted, next] = [await mutex.acquire(), mutex.acquire()];
    const waits = [follow(condition.wait(aborted, { signal })), follow(condition.wait(await next))];
    abort("enough");
    await settled();
    (await next).release();
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["enough", "done"]);
  });
});

describe("waitUntil", () => {
  async function counting(patience?: Patience) {
    const clock = new ManualClock();
    const mutex = new Mutex({ clock });
    const condition = new Condition(mutex, { clock });
    const state = { count: 0, asked: 0 };
    const held = await mutex.acquire();
    const predicate = () => {
      expect([held.isHeld, mutex.isLocked]).toEqual([true, true]);
      state.asked++;
      return state.count >= 2;
    };
    return {
      clock,
      mutex,
      condition,
      state,
      held,
      wait: () => condition.waitUntil(held, predicate, patience),
    };
  }

  test("asks at once, and each time that it is woken, with the mutex held", async () => {
    const { condition, state, held, wait } = await counting();
    const waiting = follow(wait());
    for (const asked of [1, 2, 3]) {
      await settled();
      expect([waiting.is, state.asked, held.isHeld]).toEqual(["waits", asked, false]);
      state.count = asked === 3 ? 2 : 1;
      condition.notifyAll();
    }
    await settled();
    expect([waiting.is, state.asked, held.isHeld]).toEqual(["done", 4, true]);
    await wait();
    expect([state.asked, held.isHeld]).toEqual([5, true]);
  });

  test("its time is for the whole of it, however often it is woken", async () => {
    const { clock, condition, held, wait } = await counting({ timeoutMs: 100 });
    const waiting = follow(wait());
    for (let times = 0; times < 9; times++) {
      await clock.advance(11);
      condition.notifyOne();
    }
    await clock.advance(0.5);
    expect(waiting.is).toBe("waits");
    await clock.advance(0.5);
    expect([waiting.is, held.isHeld, condition.waiting]).toEqual(["timeout", true, 0]);
    expect((waiting.error as Error).message).toBe("waited 100 ms in vain for the condition");
  });

  test("leaves no timer behind", async () => {
    const clock = new HandClock();
    const mutex = new Mutex();
    const condition = new Condition(mutex, { clock });
    let isReady = false;
    const wait = follow(condition.waitUntil(await mutex.acquire(), () => isReady, { timeoutMs: 100 }));
    expect(clock.pending).toBe(1);
    isReady = true;
    condition.notifyOne();
    await settled();
    expect([wait.is, clock.pending]).toEqual(["done", 0]);
  });

  test("looks once more when the time is up: what it waits for may be there", async () => {
    const { clock, state, held, wait } = await counting({ timeoutMs: 100 });
    const waiting = follow(wait());
    state.count = 2;
    await clock.advance(100);
    expect([waiting.is, held.isHeld]).toEqual(["done", true]);
  });

  test("hears of an abort while it sleeps, and of one while it waits for the mutex", async () => {
    for (const whileAsleep of [true, false]) {
      const { signal, abort } = abortable();
      const { mutex, condition, held, wait } = await counting({ signal, timeoutMs: 100 });
      const waiting = follow(wait());
      const other = await mutex.acquire();
      if (!whileAsleep) condition.notifyOne();
      abort("enough");
      other.release();
      await settled();
      expect([waiting.is, held.isHeld, condition.waiting]).toEqual(["enough", true, 0]);
      expect(getEventListeners(signal, "abort")).toEqual([]);
    }
  });

  test("rejects with what the predicate throws, and still holds the mutex", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    const held = await mutex.acquire();
    let fails = false;
    const predicate = () => {
      if (fails) throw new Error("no");
      return false;
    };
    const wait = follow(condition.waitUntil(held, predicate));
    fails = true;
    condition.notifyOne();
    await settled();
    expect([wait.is, held.isHeld]).toEqual(["Error: no", true]);
    expect(await refusal(() => condition.waitUntil(held, predicate))).toBe("Error: no");
  });

  const endings: [string, (held: Held, condition: Condition) => unknown][] = [
    ["releases it", (held) => held.release()],
    ["waits with it", (held, condition) => void condition.wait(held)],
  ];
  for (const [what, end] of endings) {
    test(`a predicate that ends the hold is refused, and nobody is left asleep: ${what}`, async () => {
      for (const [asked, answer] of [1, 2].flatMap((times) =>
        [false, true].map((yes) => [times, yes] as const),
      )) {
        const mutex = new Mutex();
        const condition = new Condition(mutex);
        const held = await mutex.acquire();
        let count = 0;
        const predicate = () => {
          if (++count < asked) return false;
          end(held, condition);
          return answer;
        };
        const wait = follow(condition.waitUntil(held, predicate, { timeoutMs: 1000 }));
        for (let times = 1; times < asked; times++) condition.notifyOne();
        await settled();
        expect([wait.is, count]).toEqual(["misuse", asked]);
        const sleeping = what === "waits with it" ? 1 : 0;
        expect([condition.waiting, mutex.isLocked, mutex.waiting]).toEqual([sleeping, false, 0]);
      }
    });
  }

  test("a predicate that gives no plain answer is refused, and the mutex is held", async () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex, { name: "jobs" });
    const held = await mutex.acquire();
    for (const answer of [Promise.resolve(false), undefined, 1, "yes", null]) {
      let isAsleep = false;
      const predicate = () => answer as never;
      expect(await refusal(() => condition.waitUntil(held, predicate))).toBe("bad-input");
      const woken = follow(condition.waitUntil(held, () => (isAsleep ? predicate() : !(isAsleep = true))));
      condition.notifyOne();
      await settled();
      expect([woken.is, held.isHeld, condition.waiting]).toEqual(["bad-input", true, 0]);
    }
    await expect(condition.waitUntil(held, (async () => true) as never)).rejects.toThrow(
      'the predicate of the condition "jobs" must say true or false at once, not [object Promise]',
    );
  });
});

test("misuse and nonsense are refused, and change nothing", async () => {
  const mutex = new Mutex();
  for (const wrong of [undefined, {}, new Semaphore(1)]) {
    expect(await refusal(() => new Condition(wrong as Mutex))).toBe("bad-input");
  }
  expect(await refusal(() => new Condition(mutex, { fair: true } as object))).toBe("bad-input");
  const condition = new Condition(mutex);
  const held = await mutex.acquire();
  const elsewhere = [await new Mutex().acquire(), await new Semaphore(1).acquire()];
  const released = await new Mutex().acquire();
  released.release();
  const yes = () => true;
  for (const wrong of [...elsewhere, released]) {
    expect(await refusal(() => condition.wait(wrong))).toBe("misuse");
    expect(await refusal(() => condition.waitUntil(wrong, yes))).toBe("misuse");
    expect(wrong.isHeld).toBe(wrong !== released);
  }
  for (const wrong of [undefined, null, mutex, { isHeld: true }]) {
    expect(await refusal(() => condition.wait(wrong as unknown as Held))).toBe("bad-input");
  }
  for (const patience of [{ timeout: 5 }, { timeoutMs: -1 }, 5] as Patience[]) {
    expect(await refusal(() => condition.wait(held, patience))).toBe("bad-input");
    expect(await refusal(() => condition.waitUntil(held, yes, patience))).toBe("bad-input");
  }
  expect(await refusal(() => condition.waitUntil(held, true as never))).toBe("bad-input");
  expect([held.isHeld, mutex.waiting, condition.waiting]).toEqual([true, 0, 0]);

  // The wait has given it up: what waits already cannot wait, nor be released, a second time.
  const wait = follow(condition.wait(held));
  expect(await refusal(() => condition.wait(held))).toBe("misuse");
  expect(await refusal(() => held.release())).toBe("misuse");
  condition.notifyAll();
  await settled();
  expect([wait.is, held.isHeld]).toEqual(["done", true]);
});

describe("who looks for deadlocks is not mistaken about who takes the mutex again", () => {
  async function scene() {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    const sleeping = mutex.run((held) => condition.wait(held));
    await settled();
    return { mutex, condition, sleeping, other: new Mutex() };
  }

  test("when it is free: the one that woke it does not hold it, and can wait for it", async () => {
    using _detector = detectDeadlocks();
    const { mutex, condition, sleeping, other } = await scene();
    await other.run(async () => {
      condition.notifyOne();
      await mutex.run(() => undefined);
    });
    await sleeping;
  });

  test("when it is not: the one that woke it does not wait, though others wait for that one", async () => {
    using _detector = detectDeadlocks();
    const { mutex, condition, sleeping, other } = await scene();
    const waker = other.run(async () => {
      while (other.waiting === 0) await settled();
      condition.notifyOne();
      await settled();
    });
    const between = mutex.run(() => other.run(() => undefined));
    await Promise.all([sleeping, waker, between]);
  });

  test("a circle through one that was woken is found", async () => {
    using _detector = detectDeadlocks();
    const { mutex, condition, other } = await scene();
    const holder = other.run(() => mutex.run((held) => condition.wait(held)));
    await settled();
    const between = mutex.run(async () => {
      condition.notifyAll();
      await other.run(() => undefined);
    });
    const ends = [follow(holder), follow(between)];
    await Promise.allSettled([holder, between]);
    expect(ends.map(({ is }) => is)).toContain("deadlock");
    expect([mutex.isLocked, other.isLocked]).toEqual([false, false]);
  });
});

interface Sleeping {
  who: number;
  signal: number | undefined;
  dueAt: number;
}

/** One line for the mutex, one list of those who sleep. */
class Model {
  holder: number | undefined;
  line: number[] = [];
  sleeping: Sleeping[] = [];
  /** What the last wait of each will come to, once it has the mutex again. */
  readonly ending: string[] = [];
  readonly outcomes: string[] = [];

  join(who: number, ending: string): void {
    this.ending[who] = ending;
    this.outcomes[who] = "waits";
    this.line.push(who);
    this.serve();
  }

  wake(which: (sleeping: Sleeping) => boolean, ending: string): void {
    const woken = this.sleeping.filter(which);
    this.sleeping = this.sleeping.filter((sleeping) => !which(sleeping));
    for (const { who } of woken) this.join(who, ending);
  }

  serve(): void {
    if (this.holder !== undefined) return;
    this.holder = this.line.shift();
    if (this.holder !== undefined) this.outcomes[this.holder] = this.ending[this.holder]!;
  }
}

type Step =
  { do: "acquire" | "release" | "one" | "all" | "settle" } | Sleep | { do: "abort" | "ms"; by: number };
interface Sleep {
  do: "wait";
  signal: number | undefined;
  timeoutMs: number | undefined;
}

const word = (name: "acquire" | "release" | "one" | "all" | "settle") => fc.constant<Step>({ do: name });
const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 5, arbitrary: word("acquire") },
    { weight: 4, arbitrary: word("release") },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("wait"),
        signal: fc.option(fc.nat(1), { nil: undefined }),
        timeoutMs: fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
      }),
    },
    { weight: 4, arbitrary: word("one") },
    { weight: 1, arbitrary: word("all") },
    { weight: 5, arbitrary: word("settle") },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("abort"), by: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("ms"), by: fc.nat(10) }) },
  ),
  { maxLength: 80 },
);

test("it does as the model does", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const clock = new ManualClock();
      const mutex = new Mutex({ clock });
      const condition = new Condition(mutex, { clock });
      const model = new Model();
      const signals = [new AbortController(), new AbortController()];
      const holds: Held[] = [];
      const outcomes: Outcome<unknown>[] = [];
      for (const step of steps) {
        const holder = model.holder !== undefined && holds[model.holder]?.isHeld ? model.holder : undefined;
        if (step.do === "acquire") {
          const who = outcomes.length;
          const acquired = mutex.acquire().then((held) => (holds[who] = held));
          outcomes.push(follow(acquired));
          model.join(who, "done");
        } else if (step.do === "release" && holder !== undefined) {
          if (outcomes[holder]!.is === "waits") continue;
          holds[holder]!.release();
          model.holder = undefined;
          model.serve();
        } else if (step.do === "wait" && holder !== undefined) {
          if (outcomes[holder]!.is === "waits") continue;
          const { signal, timeoutMs } = step;
          const patience = { timeoutMs, signal: signal === undefined ? undefined : signals[signal]!.signal };
          outcomes[holder] = follow(condition.wait(holds[holder]!, patience));
          model.outcomes[holder] = "waits";
          const dueAt = timeoutMs === undefined ? Infinity : clock.now() + timeoutMs;
          model.sleeping.push({ who: holder, signal, dueAt });
          model.holder = undefined;
          model.serve();
        } else if (step.do === "one") {
          condition.notifyOne();
          const first = model.sleeping[0];
          model.wake((sleeping) => sleeping === first, "done");
        } else if (step.do === "all") {
          condition.notifyAll();
          model.wake(() => true, "done");
        } else if (step.do === "abort") {
          signals[step.by]!.abort("enough");
          signals[step.by] = new AbortController();
          model.wake(({ signal }) => signal === step.by, "enough");
          // Those who gave up join the line for the mutex a little later.
          await settled();
        } else if (step.do === "ms") {
          await clock.advance(step.by);
          const due = model.sleeping.filter(({ dueAt }) => dueAt <= clock.now());
          // In the order in which the timers were set, which is that of those who wait.
          for (const each of due.toSorted((a, b) => a.dueAt - b.dueAt)) {
            model.wake((sleeping) => sleeping === each, "timeout");
          }
        } else if (step.do === "settle") {
          await settled();
          expect(outcomes.map(({ is }) => is)).toEqual(model.outcomes);
        }
        expect([mutex.isLocked, mutex.waiting, condition.waiting]).toEqual([
          model.holder !== undefined,
          model.line.length,
          model.sleeping.length,
        ]);
      }
      await settled();
      expect(outcomes.map(({ is }) => is)).toEqual(model.outcomes);
      expect(holds.flatMap((held, who) => (held.isHeld ? [who] : []))).toEqual(
        model.holder === undefined ? [] : [model.holder],
      );
    }),
    { numRuns: 500 },
  );
});

test("many waits that were given up leave nothing behind", async () => {
  const clock = new ManualClock();
  const mutex = new Mutex({ clock });
  const condition = new Condition(mutex, { clock });
  const shared = abortable();
  const round = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const own = abortable();
      const wait = async (signal: AbortSignal) => {
        using held = await mutex.acquire();
        await condition.wait(held, { signal, timeoutMs: 1000 }).catch(() => undefined);
      };
      const all = Array.from({ length: 100 }, (_, each) => wait(each % 2 ? own.signal : shared.signal));
      await settled();
      own.abort("enough");
      condition.notifyAll();
      await Promise.all(all);
    }
  };
  await round(100);
  await expectNothingLeft(4e6, () => round(900));
  expect([condition.waiting, mutex.waiting, mutex.isLocked]).toEqual([0, 0, false]);
  expect(getEventListeners(shared.signal, "abort")).toEqual([]);
});
