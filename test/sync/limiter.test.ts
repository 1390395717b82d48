import { getEventListeners } from "node:events";
import fc from "fast-check";
import { ManualClock, SeededRandom } from "lockstep/base";
import { Limiter, type LimiterOptions } from "lockstep/sync";
import { describe, expect, test, vi } from "vitest";
import { follow, refusal, settled, type Outcome } from "./outcome.js";

/** Tasks that end when the test says so. */
class Tasks {
  readonly started: { name: number; end: (value: string) => void; fail: (error: unknown) => void }[] = [];

  readonly named = (name: number) => () =>
    new Promise<string>((end, fail) => void this.started.push({ name, end, fail }));

  get names() {
    return this.started.map(({ name }) => name);
  }
}

test("so many at once, in the order in which they were given", async () => {
  const limiter = new Limiter({ concurrency: 2 });
  const tasks = new Tasks();
  const runs = [0, 1, 2, 3].map((name) => follow(limiter.run(tasks.named(name))));
  await settled();
  expect([tasks.names, limiter.active, limiter.waiting]).toEqual([[0, 1], 2, 2]);
  tasks.started[1]!.fail("failed");
  await settled();
  expect([tasks.names, runs.map(({ is }) => is)]).toEqual([
    [0, 1, 2],
    ["waits", "failed", "waits", "waits"],
  ]);
  tasks.started[0]!.end("value");
  await settled();
  expect([tasks.names, runs[0]!.value, limiter.active, limiter.waiting]).toEqual([
    [0, 1, 2, 3],
    "value",
    2,
    0,
  ]);
});

test("so many in each interval, wherever one begins to count", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ limit: 3, intervalMs: 100, clock });
  const at: number[] = [];
  for (let run = 0; run < 10; run++) void limiter.run(() => at.push(clock.now()));
  await clock.advance(60);
  for (let run = 0; run < 2; run++) void limiter.run(() => at.push(clock.now()));
  await clock.advance(1000);
  expect(at).toEqual([0, 0, 0, 100, 100, 100, 200, 200, 200, 300, 300, 300]);
});

test("a task counts for the rate when it starts, not when it waits for its place", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ concurrency: 1, limit: 1, intervalMs: 100, clock });
  const tasks = new Tasks();
  for (const name of [0, 1, 2]) void limiter.run(tasks.named(name));
  await clock.advance(500);
  tasks.started[0]!.end("late");
  await settled();
  tasks.started[1]!.end("at once");
  await clock.advance(99);
  expect(tasks.names).toEqual([0, 1]);
  await clock.advance(1);
  expect(tasks.names).toEqual([0, 1, 2]);
});

test("a task counts when it starts, and not when it might have: others may compute in between", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ limit: 2, intervalMs: 200, clock });
  const starts: number[] = [];
  const compute = (ms: number) => () => {
    starts.push(clock.now());
    clock.jump(ms);
  };
  for (const ms of [180, 0, 0, 0]) void limiter.run(compute(ms));
  await clock.advance(1000);
  expect(starts).toEqual([0, 180, 200, 380]);
  starts.length = 0;
  // Those behind the first have waited for the rate, and it computes for more than an interval.
  const now = clock.now();
  for (const ms of [0, 0, 500]) void limiter.run(compute(ms));
  const last = limiter.run(compute(0));
  await clock.advance(200);
  for (let more = 0; more < 3; more++) void limiter.run(compute(0));
  await last;
  await clock.advance(1000);
  expect(starts.map((start) => start - now)).toEqual([0, 0, 200, 700, 700, 900, 900]);
});

test.each([0, 1, 2, 3, 4, 5])(
  "never more starts than the limit, whatever tasks do: seed %i",
  async (seed) => {
    const random = new SeededRandom(seed);
    const clock = new ManualClock();
    const [limit, intervalMs] = [1 + random.below(3), 100];
    const concurrency = random.chance(0.5) ? 1 + random.below(4) : undefined;
    const limiter = new Limiter({ limit, intervalMs, concurrency, clock });
    const starts: number[] = [];
    const ends: Promise<unknown>[] = [];
    let left = 300;
    const give = () => {
      if (left-- <= 0) return;
      const aborter = new AbortController();
      const timeoutMs = random.chance(0.2) ? random.below(300) : undefined;
      const run = limiter.run(task, { signal: aborter.signal, timeoutMs });
      ends.push(run.catch(() => undefined));
      if (random.chance(0.2)) void Promise.resolve().then(() => aborter.abort("left"));
      if (random.chance(0.1)) aborter.abort("left");
    };
    const task = async () => {
      starts.push(clock.now());
      if (random.chance(0.3)) clock.jump(random.below(250));
      while (random.chance(0.5)) give();
      if (random.chance(0.3)) await Promise.resolve();
    };
    while (left > 0) {
      give();
      await clock.advance(random.below(100));
    }
    await clock.advance(100_000);
    await Promise.all(ends);
    expect(starts.length).toBeGreaterThan(100);
    for (const [index, start] of starts.entries()) {
      const before = starts[index - limit];
      if (before !== undefined) expect(start - before).toBeGreaterThanOrEqual(intervalMs);
    }
    expect([limiter.active, limiter.waiting]).toEqual([0, 0]);
  },
);

test.each(["at once", "after a wait"])(
  "what aborts just before its start, %s, leaves the rate",
  async (when) => {
    const seen = new Set<string>();
    for (let ticks = 0; ticks < 12; ticks++) {
      const clock = new ManualClock();
      const limiter = new Limiter({ limit: 1, intervalMs: 100, clock });
      const [before, aborter] = [new AbortController(), new AbortController()];
      if (when === "after a wait") {
        await limiter.run(() => undefined);
        limiter.run(() => undefined, { signal: before.signal }).catch(() => undefined);
      }
      const run = follow(limiter.run(() => "ran", { signal: aborter.signal }));
      if (when === "after a wait") {
        await settled();
        clock.jump(100);
        before.abort("makes way");
      }
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      aborter.abort("left");
      const next = follow(limiter.run(() => "next"));
      await settled();
      seen.add(run.is);
      expect(next.is).toBe(run.is === "left" ? "done" : "waits");
    }
    expect([...seen]).toEqual(["left", "done"]);
  },
);

test("a task that throws at once fails like any other", async () => {
  const limiter = new Limiter({ concurrency: 1 });
  const error = new Error("at once");
  const run = limiter.run(() => {
    throw error;
  });
  await expect(run).rejects.toBe(error);
  expect(await limiter.run(() => 5)).toBe(5);
  expect(limiter.active).toBe(0);
});

test("the time-out is for both waits together, and comes at once when it is sure to come", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ concurrency: 1, limit: 1, intervalMs: 100, clock });
  const tasks = new Tasks();
  void limiter.run(tasks.named(0));
  const run = follow(limiter.run(tasks.named(1), { timeoutMs: 90 }));
  await clock.advance(50);
  expect(run.is).toBe("waits");
  tasks.started[0]!.end("done");
  await settled();
  expect([run.is, limiter.waiting, limiter.active]).toEqual(["timeout", 0, 0]);
  await clock.advance(50);
  expect(await limiter.run(() => "free", { timeoutMs: 0 })).toBe("free");
  expect(await refusal(() => limiter.run(() => "full", { timeoutMs: 0 }))).toBe("timeout");
});

test("wrap keeps the inputs and what comes of them", async () => {
  const limiter = new Limiter({ concurrency: 1 });
  const add = limiter.wrap(async (one: number, other: number) => one + other);
  expect(await Promise.all([add(1, 2), add(3, 4)])).toEqual([3, 7]);
});

test("whenIdle", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ concurrency: 1, clock });
  await limiter.whenIdle({ timeoutMs: 0 });
  const tasks = new Tasks();
  const aborter = new AbortController();
  void limiter.run(tasks.named(0));
  const last = follow(limiter.run(tasks.named(1), { signal: aborter.signal }));
  const idle = follow(limiter.whenIdle());
  const hasty = follow(limiter.whenIdle({ timeoutMs: 10 }));
  await clock.advance(10);
  expect([idle.is, hasty.is]).toEqual(["waits", "timeout"]);
  tasks.started[0]!.end("done");
  await settled();
  expect([idle.is, limiter.active]).toEqual(["waits", 1]);
  tasks.started[1]!.end("done");
  await settled();
  expect([idle.is, last.is]).toEqual(["done", "done"]);
});

test("it is idle when the last one that waited has left", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ limit: 1, intervalMs: 100, clock });
  await limiter.run(() => undefined);
  const aborter = new AbortController();
  const waiting = follow(limiter.run(() => undefined, { signal: aborter.signal }));
  const idle = follow(limiter.whenIdle());
  await settled();
  aborter.abort("left");
  await settled();
  expect([waiting.is, idle.is]).toEqual(["left", "done"]);
});

test.each<LimiterOptions>([
  { concurrency: 1 },
  { limit: 9, intervalMs: 100 },
  { concurrency: 1, limit: 9, intervalMs: 100 },
])("what aborts before its start never starts, however close: %o", async (options) => {
  const abortedAfter = new Set<boolean>();
  for (let ticks = 0; ticks < 12; ticks++) {
    const limiter = new Limiter({ ...options, clock: new ManualClock() });
    const task = vi.fn(() => "ran");
    const aborter = new AbortController();
    const run = follow(limiter.run(task, { signal: aborter.signal }));
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    const hasStarted = task.mock.calls.length > 0;
    abortedAfter.add(hasStarted);
    aborter.abort("left");
    await settled();
    expect([task.mock.calls.length, run.is]).toEqual(hasStarted ? [1, "done"] : [0, "left"]);
    expect([limiter.active, limiter.waiting]).toEqual([0, 0]);
  }
  expect([...abortedAfter]).toEqual([false, true]);
});

test("what aborts on its way from its place to the rate is heard", async () => {
  for (let ticks = 0; ticks < 12; ticks++) {
    const limiter = new Limiter({ concurrency: 1, limit: 1, intervalMs: 100, clock: new ManualClock() });
    await limiter.run(() => undefined);
    const aborter = new AbortController();
    const run = follow(limiter.run(() => "ran", { signal: aborter.signal }));
    for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
    aborter.abort("left");
    await settled();
    expect([run.is, limiter.waiting]).toEqual(["left", 0]);
  }
});

test("thousands who give up leave nothing", async () => {
  const clock = new ManualClock();
  const limiter = new Limiter({ concurrency: 1, limit: 1, intervalMs: 100, clock });
  const tasks = new Tasks();
  void limiter.run(tasks.named(0));
  await settled();
  const aborter = new AbortController();
  const never = vi.fn();
  const { signal } = aborter;
  const runs = Array.from({ length: 5000 }, () => follow(limiter.run(never, { signal })));
  aborter.abort("left");
  tasks.started[0]!.end("done");
  await clock.advance(1000);
  expect(runs.every(({ is }) => is === "left")).toBe(true);
  expect([limiter.active, limiter.waiting, getEventListeners(aborter.signal, "abort").length]).toEqual([
    0, 0, 0,
  ]);
  expect(never).not.toHaveBeenCalled();
  expect(await limiter.run(() => "free", { timeoutMs: 0 })).toBe("free");
});

describe("map", () => {
  test("gives what the tasks give, in the order of the items", async () => {
    const limiter = new Limiter({ concurrency: 2 });
    const tasks = new Tasks();
    const mapped = limiter.map([10, 11, 12], (item, index) => tasks.named(item + index * 100)());
    await settled();
    expect(tasks.names).toEqual([10, 111]);
    tasks.started[1]!.end("second");
    await settled();
    tasks.started[2]!.end("third");
    tasks.started[0]!.end("first");
    expect(await mapped).toEqual(["first", "second", "third"]);
    expect(await limiter.map([], () => 1)).toEqual([]);
  });

  test("takes an item only when the one before it has started", async () => {
    const limiter = new Limiter({ concurrency: 2 });
    let taken = 0;
    async function* endless() {
      for (;;) yield taken++;
    }
    const tasks = new Tasks();
    const aborter = new AbortController();
    const mapped = follow(limiter.map(endless(), (item) => tasks.named(item)(), { signal: aborter.signal }));
    await settled();
    expect([taken, tasks.names]).toEqual([3, [0, 1]]);
    tasks.started[0]!.end("done");
    await settled();
    expect([taken, tasks.names]).toEqual([4, [0, 1, 2]]);
    aborter.abort("left");
    await settled();
    expect([mapped.is, limiter.waiting]).toEqual(["waits", 0]);
    for (const { end } of tasks.started) end("done");
    await settled();
    expect([mapped.is, tasks.started.length]).toEqual(["left", 3]);
    expect(getEventListeners(aborter.signal, "abort")).toHaveLength(0);
  });

  test("at a failure it takes no more, closes the source, and waits for those that run", async () => {
    const limiter = new Limiter({ concurrency: 2 });
    const closed = vi.fn();
    function* source() {
      try {
        yield* [0, 1, 2, 3];
      } finally {
        closed();
      }
    }
    const tasks = new Tasks();
    const mapped = follow(limiter.map(source(), (item) => tasks.named(item)()));
    await settled();
    tasks.started[0]!.fail("failed");
    await settled();
    expect([mapped.is, tasks.names, closed.mock.calls.length]).toEqual(["waits", [0, 1], 1]);
    tasks.started[1]!.fail("failed later");
    await settled();
    expect([mapped.is, limiter.active]).toEqual(["failed", 0]);
  });

  test("a signal that aborts while the source is asked ends it", async () => {
    const limiter = new Limiter({ concurrency: 1 });
    const aborter = new AbortController();
    async function* silent() {
      aborter.abort("left");
      yield await new Promise<never>(() => {});
    }
    const mapped = follow(limiter.map(silent(), () => "done", { signal: aborter.signal }));
    await settled();
    expect(mapped.is).toBe("left");
    expect(getEventListeners(aborter.signal, "abort")).toHaveLength(0);
  });

  test("a source that cannot even begin leaves nothing behind", async () => {
    const limiter = new Limiter({ concurrency: 1 });
    const { signal } = new AbortController();
    const dry = () => {
      throw new Error("dry");
    };
    for (const source of [{ [Symbol.iterator]: dry }, { [Symbol.asyncIterator]: dry }]) {
      expect(await refusal(() => limiter.map(source, () => 1, { signal }))).toBe("Error: dry");
    }
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("rejects with what was thrown, be it nothing at all", async () => {
    const limiter = new Limiter({ concurrency: 1 });
    const nothing = () => {
      throw undefined as unknown as Error;
    };
    expect(await refusal(() => limiter.map([1, 2], nothing))).toBe("undefined");
    expect(await refusal(() => limiter.map({ [Symbol.iterator]: nothing }, () => 1))).toBe("undefined");
  });

  test("a source that fails, or that never answers, holds nobody up", async () => {
    const limiter = new Limiter({ concurrency: 2 });
    function* failing() {
      yield 1;
      throw new Error("dry");
    }
    expect(await refusal(() => limiter.map(failing(), () => "done"))).toBe("Error: dry");
    async function* silent() {
      yield await new Promise<never>(() => {});
    }
    const aborter = new AbortController();
    const mapped = follow(limiter.map(silent(), () => "done", { signal: aborter.signal }));
    await settled();
    aborter.abort("left");
    await settled();
    expect(mapped.is).toBe("left");
  });
});

test("nonsense is refused, and runs nothing", async () => {
  const make = (options: unknown) => new Limiter(options as LimiterOptions);
  for (const options of [
    undefined,
    null,
    {},
    { limit: 5 },
    { intervalMs: 5 },
    { concurrency: 2, intervalMs: 5 },
    { concurrency: 2, limit: 5 },
    { concurrency: 2, burst: 5 },
    ...[0, -1, 1.5, NaN, Infinity, "2", null].flatMap((wrong) => [
      { concurrency: wrong },
      { limit: wrong, intervalMs: 100 },
    ]),
    { limit: 1, intervalMs: 0 },
  ]) {
    expect(await refusal(() => make(options)), JSON.stringify(options)).toBe("bad-input");
  }
  const limiter = make({ concurrency: 1 });
  const task = vi.fn();
  expect(await refusal(() => limiter.run(undefined as never))).toBe("bad-input");
  expect(await refusal(() => limiter.run(task, { timeout: 1 } as never))).toBe("bad-input");
  expect(await refusal(() => limiter.run(task, { timeoutMs: -1 }))).toBe("bad-input");
  expect(await refusal(() => limiter.run(task, { signal: AbortSignal.abort("before") }))).toBe("before");
  expect(await refusal(() => limiter.wrap(5 as never))).toBe("bad-input");
  for (const items of [5, "text", null, {}]) {
    expect(await refusal(() => limiter.map(items as never, task))).toBe("bad-input");
  }
  expect(await refusal(() => limiter.map([1], undefined as never))).toBe("bad-input");
  expect(await refusal(() => limiter.map([1], task, { timeoutMs: 5 } as never))).toBe("bad-input");
  expect(await refusal(() => limiter.map([1], task, { signal: AbortSignal.abort("before") }))).toBe("before");
  expect(await refusal(() => limiter.whenIdle({ timeout: 1 } as never))).toBe("bad-input");
  expect(task).not.toHaveBeenCalled();
  expect([limiter.active, limiter.waiting]).toEqual([0, 0]);
});

// Beside a naive model, in every order of events that is tried.

interface Job {
  outcome: string;
  deadline: number;
  /** It has its place among those at once, and waits for the rate only. */
  hasPlace: boolean;
}

/** Time-outs end at half milliseconds, all else happens at whole ones. */
class Model {
  now = 0;
  readonly jobs: Job[] = [];
  readonly running: Job[] = [];
  readonly startedAt: number[] = [];
  queue: Job[] = [];

  constructor(readonly options: LimiterOptions) {}

  serve(): void {
    const { concurrency = Infinity, limit = Infinity, intervalMs = 0 } = this.options;
    for (let again = true; again;) {
      again = false;
      const readyAt = Math.max(this.now, (this.startedAt.at(-limit) ?? -Infinity) + intervalMs);
      for (const job of this.queue.slice(0, concurrency - this.running.length)) {
        if (job.hasPlace) continue;
        job.hasPlace = true;
        if (readyAt > job.deadline) {
          this.end(job, "timeout");
          again = true;
          break;
        }
        if (readyAt === this.now && this.queue[0] === job) break;
      }
      const first = this.queue[0];
      if (first?.hasPlace !== true || readyAt > this.now || again) continue;
      this.queue.shift();
      this.running.push(first);
      this.startedAt.push(this.now);
      again = true;
    }
  }

  end(job: Job, outcome: string): void {
    job.outcome = outcome;
    this.queue = this.queue.filter((each) => each !== job);
    const index = this.running.indexOf(job);
    if (index >= 0) this.running.splice(index, 1);
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (; this.now < until; this.now += 0.5) {
      for (const job of [...this.queue]) if (job.deadline <= this.now) this.end(job, "timeout");
      this.serve();
    }
    this.serve();
  }
}

interface Real {
  clock: ManualClock;
  limiter: Limiter;
  tasks: Tasks;
  runs: { outcome: Outcome<string>; aborter: AbortController }[];
}

class Command implements fc.AsyncCommand<Model, Real> {
  constructor(
    readonly words: string,
    readonly doing: (model: Model, real: Real) => void | Promise<void>,
  ) {}

  check = () => true;
  toString = () => this.words;

  async run(model: Model, real: Real): Promise<void> {
    await this.doing(model, real);
    await settled();
    model.serve();
    expect(real.runs.map(({ outcome }) => outcome.is)).toEqual(model.jobs.map(({ outcome }) => outcome));
    expect([real.limiter.active, real.limiter.waiting]).toEqual([model.running.length, model.queue.length]);
    expect(real.tasks.started.length).toBe(model.startedAt.length);
  }
}

const give = fc.option(fc.nat(60)).map(
  (patience) =>
    new Command(`give ${patience}`, (model, { limiter, tasks, runs }) => {
      const timeoutMs = patience === null ? undefined : patience + 0.5;
      const aborter = new AbortController();
      const run = limiter.run(tasks.named(runs.length), { timeoutMs, signal: aborter.signal });
      runs.push({ outcome: follow(run), aborter });
      const job = { outcome: "waits", deadline: model.now + (timeoutMs ?? Infinity), hasPlace: false };
      model.jobs.push(job);
      model.queue.push(job);
    }),
);

const end = fc.record({ pick: fc.nat(99), fails: fc.boolean() }).map(
  ({ pick, fails }) =>
    new Command(`end ${pick} ${fails}`, (model, { tasks }) => {
      if (model.running.length === 0) return;
      const job = model.running[pick % model.running.length]!;
      const task = tasks.started.find(({ name }) => model.jobs[name] === job)!;
      if (fails) task.fail("failed");
      else task.end("ended");
      model.end(job, fails ? "failed" : "done");
    }),
);

const abort = fc.nat(99).map(
  (pick) =>
    new Command(`abort ${pick}`, (model, { runs }) => {
      if (runs.length === 0) return;
      runs[pick % runs.length]!.aborter.abort("left");
      const job = model.jobs[pick % runs.length]!;
      if (model.queue.includes(job)) model.end(job, "left");
    }),
);

const advance = fc.nat(60).map(
  (ms) =>
    new Command(`advance ${ms}`, async (model, { clock }) => {
      await clock.advance(ms);
      model.advance(ms);
    }),
);

test.each<LimiterOptions>([
  { concurrency: 2 },
  { limit: 2, intervalMs: 30 },
  { concurrency: 2, limit: 3, intervalMs: 40 },
  { concurrency: 3, limit: 1, intervalMs: 10 },
])("it does as the model does: %o", async (options) => {
  const commands = fc.commands([give, give, end, abort, advance], { maxCommands: 40, size: "max" });
  await fc.assert(
    fc.asyncProperty(commands, async (run) => {
      await fc.asyncModelRun(() => {
        const clock = new ManualClock();
        const limiter = new Limiter({ ...options, clock });
        return { model: new Model(options), real: { clock, limiter, tasks: new Tasks(), runs: [] } };
      }, run);
    }),
    { numRuns: 150 },
  );
});
