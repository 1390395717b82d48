import fc from "fast-check";
import { ManualClock, type Patience } from "lockstep/base";
import { Semaphore, type Held } from "lockstep/sync";
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
    likeTheModel((permits, clock) => {
      const semaphore = new Semaphore(permits, { clock });
      return {
        acquire: (weight, patience) => semaphore.acquire({ weight, ...patience }),
        tryAcquire: (weight) => semaphore.tryAcquire({ weight }),
        resize: (permits) => semaphore.resize(permits),
        get free() {
          expect(semaphore.free).toBeLessThanOrEqual(semaphore.permits);
          return semaphore.free;
        },
        get waiting() {
          return semaphore.waiting;
        },
      };
    }, 5),
    { numRuns: 500 },
  );
});

describe("races in one turn, in every order", () => {
  // Two are held. Who waits: a wants both, b and c one each.
  const eventsOf = ["release 1", "release 2", "abort a", "time out b", "abort c"] as const;

  test("releases, aborts and time-outs: who left first is not granted, and no permit is lost", async () => {
    let runs = 0;
    for (const { order, pauses } of interleavings(eventsOf)) {
      const clock = new HandClock();
      const semaphore = new Semaphore(2, { clock });
      const model = new PermitsModel(2);
      const held = [semaphore.tryAcquire()!, semaphore.tryAcquire()!];
      for (const who of [10, 11]) model.tryAcquire({ who, weight: 1 });
      const controllers = [new AbortController(), new AbortController()] as const;
      const waits = [
        follow(semaphore.acquire({ weight: 2, signal: controllers[0].signal })),
        follow(semaphore.acquire({ timeoutMs: 7 })),
        follow(semaphore.acquire({ signal: controllers[1].signal })),
      ];
      for (const [who, weight] of [2, 1, 1].entries()) {
        model.acquire({ who, weight, signal: undefined, dueAt: Infinity });
      }
      const events: Record<(typeof eventsOf)[number], () => void> = {
        "release 1": () => {
          held[0]!.release();
          model.release(10);
        },
        "release 2": () => {
          held[1]!.release();
          model.release(11);
        },
        "abort a": () => {
          controllers[0].abort("enough");
          model.giveUp("enough", ({ who }) => who === 0);
        },
        "time out b": () => {
          clock.fire(7);
          model.giveUp("timeout", ({ who }) => who === 1);
        },
        "abort c": () => {
          controllers[1].abort("enough");
          model.giveUp("enough", ({ who }) => who === 2);
        },
      };
      await happen({ order: order.map((name) => events[name]), pauses });
      expect({ order, pauses, is: waits.map(({ is }) => is) }).toEqual({ order, pauses, is: model.outcomes });
      expect(semaphore.free).toBe(model.free);
      for (const { value } of waits) value?.release();
      await settled();
      for (const { value } of waits) value?.[Symbol.dispose]();
      expect([semaphore.free, semaphore.waiting, clock.pending]).toEqual([2, 0, 0]);
      for (const { signal } of controllers) expect(getEventListeners(signal, "abort")).toEqual([]);
      runs++;
    }
    expect(runs).toBe(120 * 16);
  });
});

describe("who wants much", () => {
  test("is not overtaken by those who want little, and keeps them back", async () => {
    const semaphore = new Semaphore(3);
    const one = semaphore.tryAcquire()!;
    const three = follow(semaphore.acquire({ weight: 3 }));
    const little = follow(semaphore.acquire());
    expect(semaphore.tryAcquire()).toBeNull();
    await settled();
    expect([three.is, little.is, semaphore.free]).toEqual(["waits", "waits", 2]);
    one.release();
    await settled();
    expect([three.is, little.is]).toEqual(["done", "waits"]);
    three.value!.release();
    await settled();
    expect(little.is).toBe("done");
  });

  test("and gives up, makes way for all who fit behind it", async () => {
    const clock = new ManualClock();
    const semaphore = new Semaphore(3, { clock });
    semaphore.tryAcquire();
    const three = follow(semaphore.acquire({ weight: 3, timeoutMs: 10 }));
    const little = [follow(semaphore.acquire()), follow(semaphore.acquire()), follow(semaphore.acquire())];
    await clock.advance(10);
    expect(three.is).toBe("timeout");
    expect(little.map(({ is }) => is)).toEqual(["done", "done", "waits"]);
  });

  test("a signal that is shared by who stands in the way and who stands behind ends both waits", async () => {
    const semaphore = new Semaphore(2);
    semaphore.tryAcquire();
    const { signal, abort } = abortable();
    const inTheWay = follow(semaphore.acquire({ weight: 2, signal }));
    const behind = follow(semaphore.acquire({ signal }));
    const other = follow(semaphore.acquire());
    abort("enough");
    await settled();
    expect([inTheWay.is, behind.is, other.is]).toEqual(["enough", "enough", "done"]);
    expect(semaphore.free).toBe(0);
  });
});

describe("resize", () => {
  test("lends more at once, and less as soon as enough has come back", async () => {
    const semaphore = new Semaphore(1);
    const held = [semaphore.tryAcquire()!];
    const waits = [1, 2, 3].map(() => follow(semaphore.acquire()));
    semaphore.resize(3);
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["done", "done", "waits"]);
    held.push(waits[0]!.value!, waits[1]!.value!);
    semaphore.resize(1);
    expect([semaphore.permits, semaphore.free]).toEqual([1, 0]);
    held[0]!.release();
    held[1]!.release();
    await settled();
    expect(waits[2]!.is).toBe("waits");
    held[2]!.release();
    await settled();
    expect(waits[2]!.is).toBe("done");
  });

  test("refuses who waits for more than there are now, and says so", async () => {
    const semaphore = new Semaphore(3, { name: "seats" });
    semaphore.tryAcquire({ weight: 2 });
    const three = follow(semaphore.acquire({ weight: 3 }));
    const two = follow(semaphore.acquire({ weight: 2 }));
    semaphore.resize(2);
    await settled();
    expect([three.is, two.is]).toEqual(["bad-input", "waits"]);
    expect((three.error as Error).message).toMatch(/weight 3 .* the semaphore "seats", which has 2 permits/);
  });
});

test("run holds while the section runs, and gives back whatever comes of it", async () => {
  const semaphore = new Semaphore(2);
  const inside = await semaphore.run(async () => semaphore.free, { weight: 2 });
  expect([inside, semaphore.free]).toEqual([0, 2]);
  const failing = semaphore.run(() => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(semaphore.free).toBe(2);
  await semaphore.run((held) => held.release());
  expect(semaphore.free).toBe(2);
});

test("nonsense is refused, and changes nothing", async () => {
  for (const permits of [0, -1, 1.5, NaN, Infinity, "2", undefined]) {
    expect(await refusal(() => new Semaphore(permits as number)), String(permits)).toBe("bad-input");
  }
  expect(await refusal(() => new Semaphore(1, { permits: 2 } as object))).toBe("bad-input");
  expect(await refusal(() => new Semaphore(1, { name: "" }))).toBe("bad-input");
  const semaphore = new Semaphore(2);
  const nonsense = [{ weight: 0 }, { weight: 3 }, { weight: 1.5 }, { weight: "1" }, { timeout: 5 }, 5, null];
  for (const options of nonsense as (Patience & { weight?: number })[]) {
    expect(await refusal(() => semaphore.acquire(options)), JSON.stringify(options)).toBe("bad-input");
    expect(() => semaphore.acquire(options).catch(() => undefined)).not.toThrow();
    expect(() => semaphore.tryAcquire(options)).toThrow();
    expect(await refusal(() => semaphore.run(() => 1, options))).toBe("bad-input");
  }
  for (const timeoutMs of [-1, NaN, Infinity, "5"]) {
    expect(await refusal(() => semaphore.acquire({ timeoutMs: timeoutMs as number }))).toBe("bad-input");
  }
  expect(await refusal(() => semaphore.acquire({ signal: {} as AbortSignal }))).toBe("bad-input");
  expect(await refusal(() => semaphore.acquire({ signal: AbortSignal.abort("before") }))).toBe("before");
  expect(await refusal(() => semaphore.run(undefined as never))).toBe("bad-input");
  for (const permits of [0, -1, 1.5, NaN])
    expect(await refusal(() => semaphore.resize(permits))).toBe("bad-input");
  expect([semaphore.permits, semaphore.free, semaphore.waiting]).toEqual([2, 2, 0]);
});

test("a million acquires that were given up leave nothing behind", async () => {
  const clock = new ManualClock();
  const semaphore = new Semaphore(1, { clock });
  semaphore.tryAcquire();
  const shared = abortable();
  const giveUp = () => undefined;
  const round = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { signal, abort } = abortable();
      for (let each = 0; each < 500; each++) semaphore.acquire({ signal }).catch(giveUp);
      abort("enough");
      await Promise.resolve();
    }
  };
  const pending: Promise<Held | undefined>[] = [semaphore.acquire({ signal: shared.signal }).catch(giveUp)];
  await round(200);
  await expectNothingLeft(4e6, () => round(1800));
  expect(semaphore.waiting).toBe(1);
  expect(getEventListeners(shared.signal, "abort")).toHaveLength(1);
  shared.abort("enough");
  await Promise.all(pending);
  expect(getEventListeners(shared.signal, "abort")).toHaveLength(0);
  expect(semaphore.waiting).toBe(0);
});

test("who is found to have aborted makes way for those behind, whoever finds it", async () => {
  const semaphore = new Semaphore(2);
  const held = await semaphore.acquire();
  const controller = new AbortController();
  let found: unknown;
  controller.signal.addEventListener("abort", () => (found = semaphore.tryAcquire()));
  const both = semaphore.acquire({ weight: 2, signal: controller.signal });
  const behind = semaphore.acquire();
  controller.abort(new Error("enough"));
  await expect(both).rejects.toThrow("enough");
  expect(found).toBe(null);
  (await behind).release();
  held.release();
  expect(semaphore.free).toBe(2);
});
