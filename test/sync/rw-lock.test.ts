import fc from "fast-check";
import { ManualClock } from "lockstep/base";
import { RwLock, type ReadHeld, type RwLockSide, type WriteHeld } from "lockstep/sync";
import { describe, expect, test } from "vitest";
import { follow, expectNothingLeft, settled } from "./outcome.js";

describe("a read-write lock", () => {
  test("is held by many to read, or by one to write", async () => {
    const lock = new RwLock();
    const readers = [await lock.read.acquire(), lock.read.tryAcquire()!];
    expect([lock.readers, lock.isWriting]).toEqual([2, false]);
    expect(lock.write.tryAcquire()).toBeNull();
    const writer = follow(lock.write.acquire());
    await settled();
    expect([writer.is, lock.waiting]).toEqual(["waits", 1]);
    for (const reader of readers) reader.release();
    await settled();
    expect(writer.is).toBe("done");
    expect([lock.readers, lock.isWriting, lock.waiting]).toEqual([0, true, 0]);
    expect(lock.read.tryAcquire()).toBeNull();
    writer.value!.release();
    expect([lock.readers, lock.isWriting]).toEqual([0, false]);
  });

  test("lets no reader pass a writer that waits, but for readers that are preferred", async () => {
    for (const prefer of ["readers", "writers", undefined] as const) {
      const lock = new RwLock({ prefer });
      const reader = await lock.read.acquire();
      const writer = follow(lock.write.acquire());
      const second = follow(lock.read.acquire());
      await settled();
      expect(second.is).toBe(prefer === "readers" ? "done" : "waits");
      expect(lock.read.tryAcquire() !== null).toBe(prefer === "readers");
      expect(writer.is).toBe("waits");
      reader.release();
      await settled();
      expect(writer.is).toBe(prefer === "readers" ? "waits" : "done");
    }
  });

  test("runs sections side by side that read, and one alone that writes", async () => {
    const lock = new RwLock();
    const trace: string[] = [];
    const section = (name: string) => async () => {
      trace.push(`${name} in`);
      await settled();
      trace.push(`${name} out`);
      return name;
    };
    const done = Promise.all([
      lock.read.run(section("a")),
      lock.read.run(section("b")),
      lock.write.run(section("c")),
      lock.read.run(section("d")),
    ]);
    expect(await done).toEqual(["a", "b", "c", "d"]);
    expect(trace.join()).toBe("a in,b in,a out,b out,c in,c out,d in,d out");
  });

  test("refuses nonsense, and changes nothing", async () => {
    const wrong = [{ prefer: "nobody at all" }, { prefer: null }, { fair: true }, { name: "" }, null];
    for (const options of wrong) {
      expect(() => new RwLock(options as never), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: "bad-input" }) as Error,
      );
    }
    const lock = new RwLock();
    const held = await lock.read.acquire();
    for (const patience of [{ timeout: 1 }, { timeoutMs: -1 }, { timeoutMs: NaN }, { signal: 1 }, null]) {
      const nonsense = patience as never;
      for (const promise of [
        lock.read.acquire(nonsense),
        lock.write.acquire(nonsense),
        held.upgrade(nonsense),
      ]) {
        await expect(promise).rejects.toMatchObject({ code: "bad-input" });
      }
    }
    await expect(lock.write.run(7 as never)).rejects.toMatchObject({ code: "bad-input" });
    expect([lock.readers, lock.waiting]).toEqual([1, 0]);
  });
});

describe("an upgrade", () => {
  test("goes before all who wait, and the reader's hold ends with it", async () => {
    const lock = new RwLock();
    const [first, second] = [await lock.read.acquire(), await lock.read.acquire()];
    const writer = follow(lock.write.acquire());
    const upgrade = follow(first.upgrade());
    await settled();
    expect(upgrade.is).toBe("waits");
    second.release();
    await settled();
    expect([upgrade.is, writer.is, first.isHeld]).toEqual(["done", "waits", false]);
    expect(() => {
      first.release();
    }).toThrow(expect.objectContaining({ code: "misuse" }) as Error);
    upgrade.value!.release();
    await settled();
    expect(writer.is).toBe("done");
  });

  test("is not for two: each would wait for the other to stop reading", async () => {
    const lock = new RwLock();
    const [first, second] = [await lock.read.acquire(), await lock.read.acquire()];
    const upgrade = follow(first.upgrade());
    await expect(second.upgrade()).rejects.toMatchObject({ code: "misuse" });
    await expect(first.upgrade()).rejects.toMatchObject({ code: "misuse" });
    expect(second.isHeld).toBe(true);
    second.release();
    await settled();
    expect(upgrade.is).toBe("done");
    await expect(second.upgrade()).rejects.toMatchObject({ code: "misuse" });
  });

  test("that gives up leaves the reader a reader, in the same turn", async () => {
    const clock = new ManualClock();
    const lock = new RwLock({ clock });
    const [first, second] = [await lock.read.acquire(), await lock.read.acquire()];
    const writer = follow(lock.write.acquire());
    const late = follow(first.upgrade({ timeoutMs: 10 }));
    expect(() => {
      first.release();
    }).toThrow(expect.objectContaining({ code: "misuse" }) as Error);
    await clock.advance(10);
    expect([late.is, first.isHeld, lock.readers]).toEqual(["timeout", true, 2]);
    await expect(first.upgrade({ timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    const controller = new AbortController();
    const aborted = follow(first.upgrade({ signal: controller.signal }));
    controller.abort("enough");
    first.release();
    second.release();
    await settled();
    expect([aborted.is, writer.is]).toEqual(["enough", "done"]);
  });

  test("of the only reader is granted at once", async () => {
    const lock = new RwLock();
    using reader = await lock.read.acquire();
    {
      using writer = await reader.upgrade({ timeoutMs: 0 });
      expect([writer.isHeld, lock.isWriting]).toEqual([true, true]);
    }
    expect([reader.isHeld, lock.isWriting, lock.readers]).toEqual([false, false, 0]);
  });
});

describe("a downgrade", () => {
  test("lets the readers in that are next, and no writer", async () => {
    const lock = new RwLock();
    const writer = await lock.write.acquire();
    const next = [follow(lock.read.acquire()), follow(lock.read.acquire())];
    const second = follow(lock.write.acquire());
    const last = follow(lock.read.acquire());
    const reader = writer.downgrade();
    expect([writer.isHeld, reader.isHeld, lock.readers]).toEqual([false, true, 3]);
    await settled();
    expect([...next, second, last].map(({ is }) => is)).toEqual(["done", "done", "waits", "waits"]);
    expect(() => writer.downgrade()).toThrow(expect.objectContaining({ code: "misuse" }) as Error);
    for (const held of [reader, ...next.map(({ value }) => value!)]) held.release();
    await settled();
    expect([second.is, last.is, lock.isWriting]).toEqual(["done", "waits", true]);
  });

  test("and an upgrade may follow each other for ever", async () => {
    const lock = new RwLock();
    let writer: WriteHeld = await lock.write.acquire();
    for (let round = 0; round < 100; round++) {
      const reader: ReadHeld = writer.downgrade();
      writer = await reader.upgrade();
    }
    writer.release();
    expect([lock.readers, lock.isWriting, lock.waiting]).toEqual([0, false, 0]);
  });
});

/** One who asked, in the naive model: who is served is looked for from scratch after each step. */
interface Contender {
  readonly id: number;
  readonly mode: "read" | "write";
  state: "waiting" | "reading" | "writing" | "upgrading" | "gone";
}

type Prefer = "readers" | "writers" | undefined;

class NaiveRwLock {
  readonly all: Contender[] = [];
  readonly #prefer: Prefer;

  constructor(prefer: Prefer) {
    this.#prefer = prefer;
  }

  in(...states: Contender["state"][]): Contender[] {
    return this.all.filter(({ state }) => states.includes(state));
  }

  serve(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      next.state = next.state === "upgrading" || next.mode === "write" ? "writing" : "reading";
    }
  }

  mayEnter(mode: Contender["mode"]): boolean {
    const id = this.all.length;
    const newcomer: Contender = { id, mode, state: "waiting" };
    return this.#fits(newcomer) && this.#line([...this.all, newcomer])[0] === newcomer;
  }

  #next(): Contender | undefined {
    const [first] = this.#line(this.all);
    return first && this.#fits(first) ? first : undefined;
  }

  #line(all: readonly Contender[]): Contender[] {
    const rank = ({ state, mode }: Contender) =>
      state === "upgrading"
        ? 0
        : [undefined, mode === "read" ? "readers" : "writers"].includes(this.#prefer)
          ? 1
          : 2;
    const waiting = all.filter(({ state }) => state === "waiting" || state === "upgrading");
    return waiting.sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  }

  #fits(contender: Contender): boolean {
    const others = this.in("reading", "writing", "upgrading").filter((other) => other !== contender);
    if (contender.state === "upgrading" || contender.mode === "write") return others.length === 0;
    return others.every(({ state }) => state !== "writing");
  }
}

type Verb = "acquire" | "try" | "release" | "abort" | "time out" | "upgrade" | "downgrade";
/** Some more often than others. */
const verbs: readonly Verb[] = [
  "acquire",
  "acquire",
  "acquire",
  "release",
  "release",
  "try",
  "abort",
  "time out",
  "upgrade",
  "downgrade",
];

interface Step {
  readonly verb: Verb;
  readonly mode: Contender["mode"];
  readonly choice: number;
  /** Whether promises settle before the next step. */
  readonly settles: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom(...verbs),
  mode: fc.constantFrom("read" as const, "write" as const),
  choice: fc.nat(1000),
  settles: fc.boolean(),
});

/** Both do the same steps, and must agree after each. */
class Twins {
  readonly clock = new ManualClock();
  readonly lock: RwLock;
  readonly model: NaiveRwLock;
  readonly held = new Map<Contender, ReadHeld | WriteHeld>();
  readonly controllers = new Map<Contender, AbortController>();
  readonly faults: string[] = [];

  constructor(prefer: Prefer) {
    this.lock = new RwLock({ clock: this.clock, prefer });
    this.model = new NaiveRwLock(prefer);
  }

  async step({ verb, mode, choice, settles }: Step) {
    const pick = (of: Contender[]) => of[choice % of.length];
    if (verb === "acquire") this.#acquire(mode);
    else if (verb === "try") this.#try(mode);
    else if (verb === "time out") await this.#timeOut(mode);
    else if (verb === "abort") this.#abort(pick(this.model.in("waiting", "upgrading")));
    else {
      await settled();
      if (verb === "release") this.#release(pick(this.model.in("reading", "writing", "upgrading")));
      else if (verb === "upgrade") await this.#upgrade(pick(this.model.in("reading")));
      else this.#downgrade(pick(this.model.in("writing")));
    }
    this.model.serve();
    if (settles) await settled();
    this.#compare();
    // Whom the model let in has heard of it, and nobody else has.
    if (settles) expect(this.model.in("reading", "writing").every((one) => this.held.has(one))).toBe(true);
  }

  async finish() {
    while (this.model.in("waiting", "reading", "writing", "upgrading").length > 0) {
      await settled();
      this.#abort(this.model.in("upgrading")[0]);
      this.model.serve();
      await settled();
      this.#release(this.model.in("reading", "writing")[0]);
      this.model.serve();
      this.#compare();
    }
    expect(this.lock.write.tryAcquire()).not.toBeNull();
  }

  #compare() {
    const { lock, model } = this;
    expect(this.faults).toEqual([]);
    expect({ readers: lock.readers, isWriting: lock.isWriting, waiting: lock.waiting }).toEqual({
      readers: model.in("reading", "upgrading").length,
      isWriting: model.in("writing").length > 0,
      waiting: model.in("waiting", "upgrading").length,
    });
  }

  #join(mode: Contender["mode"]): Contender {
    const contender: Contender = { id: this.model.all.length, mode, state: "waiting" };
    this.model.all.push(contender);
    return contender;
  }

  #acquire(mode: Contender["mode"]) {
    const contender = this.#join(mode);
    const controller = new AbortController();
    this.controllers.set(contender, controller);
    const side: RwLockSide<ReadHeld | WriteHeld> = this.lock[mode];
    this.#watch(contender, side.acquire({ signal: controller.signal }));
  }

  #watch(contender: Contender, promise: Promise<ReadHeld | WriteHeld>) {
    promise.then(
      (held) => {
        if (!/reading|writing/.test(contender.state)) this.faults.push(`granted when ${contender.state}`);
        this.held.set(contender, held);
      },
      (error: unknown) => {
        if (error !== "aborted" || contender.state === "waiting") this.faults.push(String(error));
      },
    );
  }

  #try(mode: Contender["mode"]) {
    const may = this.model.mayEnter(mode);
    const held = this.lock[mode].tryAcquire();
    expect(held !== null).toBe(may);
    if (held) this.held.set(this.#join(mode), held);
  }

  async #timeOut(mode: Contender["mode"]) {
    if (this.model.mayEnter(mode)) return;
    const waiting = follow<unknown>(this.lock[mode].acquire({ timeoutMs: 5 }));
    await this.clock.advance(5);
    expect(waiting.is).toBe("timeout");
  }

  #abort(contender: Contender | undefined) {
    if (!contender) return;
    contender.state = contender.state === "upgrading" ? "reading" : "gone";
    this.controllers.get(contender)!.abort("aborted");
  }

  #release(contender: Contender | undefined) {
    if (!contender) return;
    const held = this.held.get(contender)!;
    if (contender.state === "upgrading") {
      expect(() => {
        held.release();
      }).toThrow(expect.objectContaining({ code: "misuse" }) as Error);
      return;
    }
    contender.state = "gone";
    held.release();
  }

  async #upgrade(contender: Contender | undefined) {
    if (!contender) return;
    const reader = this.held.get(contender) as ReadHeld;
    if (this.model.in("upgrading").length > 0) {
      await expect(reader.upgrade()).rejects.toMatchObject({ code: "misuse" });
      expect(reader.isHeld).toBe(true);
      return;
    }
    const controller = new AbortController();
    this.controllers.set(contender, controller);
    contender.state = "upgrading";
    this.model.serve();
    this.#watch(contender, reader.upgrade({ signal: controller.signal }));
  }

  #downgrade(contender: Contender | undefined) {
    if (!contender) return;
    contender.state = "reading";
    this.held.set(contender, (this.held.get(contender) as WriteHeld).downgrade());
  }
}

describe.each([undefined, "readers", "writers"] as const)("with preference for %s", (prefer) => {
  test("it does what a naive model does, whatever the steps", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const twins = new Twins(prefer);
        for (const each of steps) await twins.step(each);
        await twins.finish();
      }),
      { numRuns: 150 },
    );
  });

  test("it does so for each sequence of four steps after the first grant", async () => {
    const small: Pick<Step, "verb" | "mode">[] = [
      { verb: "acquire", mode: "read" },
      { verb: "acquire", mode: "write" },
      ...(["release", "abort", "upgrade", "downgrade"] as const).map((verb) => ({
        verb,
        mode: "read" as const,
      })),
    ];
    for (let number = 0; number < 2 * small.length ** 4; number++) {
      const twins = new Twins(prefer);
      const fixed = { choice: number, settles: false };
      await twins.step({ verb: "acquire", mode: number % 2 === 0 ? "read" : "write", ...fixed });
      let rest = Math.floor(number / 2);
      for (let length = 0; length < 4; length++, rest = Math.floor(rest / small.length)) {
        await twins.step({ ...small[rest % small.length]!, ...fixed });
      }
      await twins.finish();
    }
  });
});

test("nothing is left of those who came and went", async () => {
  const lock = new RwLock();
  const { signal } = new AbortController();
  const round = async () => {
    const writer = await lock.write.acquire({ signal });
    const readers = [lock.read.acquire({ signal }), lock.read.acquire({ signal })];
    const doomed = new AbortController();
    const givenUp = lock.write.acquire({ signal: doomed.signal });
    doomed.abort("gone");
    await givenUp.catch(() => undefined);
    writer.downgrade().release();
    for (const reader of await Promise.all(readers)) reader.release();
  };
  for (let i = 0; i < 500; i++) await round();
  await expectNothingLeft(1_500_000, async () => {
    for (let i = 0; i < 4000; i++) await round();
  });
  expect([lock.readers, lock.isWriting, lock.waiting]).toEqual([0, false, 0]);
});

test("an upgrade whose signal has aborted no longer forbids the release, in the very turn", async () => {
  const lock = new RwLock();
  const reader = await lock.read.acquire();
  const other = await lock.read.acquire();
  const controller = new AbortController();
  controller.signal.addEventListener("abort", () => reader.release());
  const upgrade = reader.upgrade({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(upgrade).rejects.toThrow("enough");
  expect([reader.isHeld, lock.readers]).toEqual([false, 1]);
  other.release();
});
