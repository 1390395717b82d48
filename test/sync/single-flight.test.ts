import { getEventListeners } from "node:events";
import fc from "fast-check";
import { ManualClock, type Patience } from "lockstep/base";
import { detectDeadlocks, SingleFlight, Mutex } from "lockstep/sync";
import { expect, test, vi } from "vitest";
import { follow, refusal, settled, type Outcome } from "./outcome.js";

/** Executions that end when the test says so. */
class Executions {
  readonly all: { signal: AbortSignal; land: (value: string) => void; fail: (error: unknown) => void }[] = [];

  readonly task = (signal: AbortSignal) =>
    new Promise<string>((land, fail) => void this.all.push({ signal, land, fail }));
}

test("calls for one key share one execution, and leave nothing behind", async () => {
  const flights = new SingleFlight<string, string>();
  const executions = new Executions();
  const calls = ["a", "a", "b", "a"].map((key) => flights.run(key, executions.task));
  expect([executions.all.length, flights.size]).toEqual([2, 2]);
  executions.all[0]!.land("for a");
  executions.all[1]!.land("for b");
  expect(await Promise.all(calls)).toEqual(["for a", "for a", "for b", "for a"]);
  expect(flights.size).toBe(0);
  expect(executions.all[0]!.signal.aborted).toBe(false);
  void flights.run("a", executions.task);
  expect(executions.all).toHaveLength(3);
});

test("an error is shared, and not remembered", async () => {
  const flights = new SingleFlight<string, string>();
  const executions = new Executions();
  const calls = [flights.run("a", executions.task), flights.run("a", executions.task)].map(follow);
  executions.all[0]!.fail("broken");
  await settled();
  expect(calls.map(({ is }) => is)).toEqual(["broken", "broken"]);
  // Already when the error arrives: whoever catches it may try again.
  const again = flights
    .run("a", () => {
      throw new Error("at once");
    })
    .catch(() => flights.run("a", () => "second"));
  expect(await again).toBe("second");
  expect(flights.size).toBe(0);
});

test("who leaves leaves alone; when the last has left, the execution is told", async () => {
  const clock = new ManualClock();
  const flights = new SingleFlight<string, string>({ clock });
  const executions = new Executions();
  const aborter = new AbortController();
  const leaving = follow(flights.run("a", executions.task, { signal: aborter.signal }));
  const hasty = follow(flights.run("a", executions.task, { timeoutMs: 50 }));
  aborter.abort("left");
  await settled();
  const [first] = executions.all;
  expect([leaving.is, hasty.is, first!.signal.aborted]).toEqual(["left", "waits", false]);
  await clock.advance(50);
  expect([hasty.is, first!.signal.aborted, flights.size]).toEqual(["timeout", true, 0]);
  const next = follow(flights.run("a", executions.task));
  first!.fail(new Error("aborted"));
  await settled();
  expect([next.is, executions.all.length, flights.size]).toEqual(["waits", 2, 1]);
  executions.all[1]!.land("anew");
  expect(await next.promise).toBe("anew");
});

test("forget lets the next call start anew, and takes nothing from those who wait", async () => {
  const flights = new SingleFlight<string, string>();
  const executions = new Executions();
  const before = flights.run("a", executions.task);
  flights.forget("a");
  const after = flights.run("a", executions.task);
  executions.all[0]!.land("old");
  expect(await before).toBe("old");
  expect(flights.size).toBe(1);
  const joined = flights.run("a", executions.task);
  executions.all[1]!.land("new");
  expect(await Promise.all([after, joined])).toEqual(["new", "new"]);
  flights.forget("never heard of");
});

test("thousands who come and go leave nothing", async () => {
  const flights = new SingleFlight<number, string>();
  const executions = new Executions();
  const aborter = new AbortController();
  const calls = Array.from({ length: 5000 }, (_, index) =>
    follow(flights.run(index % 100, executions.task, { signal: aborter.signal })),
  );
  expect(getEventListeners(aborter.signal, "abort")).toHaveLength(1);
  aborter.abort("left");
  await settled();
  expect(calls.every(({ is }) => is === "left")).toBe(true);
  expect(executions.all.every(({ signal }) => signal.aborted)).toBe(true);
  expect([flights.size, getEventListeners(aborter.signal, "abort").length]).toEqual([0, 0]);
});

test("an execution that asks for its own key is told", async () => {
  const flights = new SingleFlight<string, string>();
  expect(await refusal(() => flights.run("a", () => flights.run("a", () => "inner")))).toBe("misuse");
  expect(flights.size).toBe(0);
});

test("who looks for deadlocks does not take it for a part of what the first one to ask holds", async () => {
  using _detector = detectDeadlocks();
  const mutex = new Mutex();
  const flights = new SingleFlight<string, string>();
  const ask = (patience?: Patience) =>
    flights.run("a", () => settled().then(() => mutex.run(() => "made")), patience);
  const aborter = new AbortController();
  let second: Promise<unknown> | undefined;
  await mutex.run(async () => {
    await settled();
    const first = ask({ signal: aborter.signal });
    second = ask();
    aborter.abort("left");
    await expect(first).rejects.toBe("left");
    await settled();
    await settled();
  });
  await second;
});

test("nonsense is refused, and starts nothing", async () => {
  const flights = new SingleFlight<string, string>();
  const task = vi.fn(() => "value");
  expect(await refusal(() => flights.run(task as never, undefined as never))).toBe("bad-input");
  expect(await refusal(() => flights.run("a", task, { timeout: 1 } as never))).toBe("bad-input");
  expect(await refusal(() => flights.run("a", task, { timeoutMs: -1 }))).toBe("bad-input");
  expect(await refusal(() => flights.run("a", task, { timeoutMs: 0 }))).toBe("timeout");
  expect(await refusal(() => flights.run("a", task, { signal: AbortSignal.abort("before") }))).toBe("before");
  expect(await refusal(() => new SingleFlight({ nick: "x" } as never))).toBe("bad-input");
  expect(task).not.toHaveBeenCalled();
  expect(flights.size).toBe(0);
});

// Beside a naive model, in every order of events that is tried.

interface Flight {
  key: number;
  callers: Set<Caller>;
  ended: boolean;
  aborted: boolean;
}

interface Caller {
  outcome: string;
  deadline: number;
}

interface Model {
  now: number;
  current: Map<number, Flight>;
  flights: Flight[];
  callers: Caller[];
}

interface Real {
  clock: ManualClock;
  flights: SingleFlight<number, string>;
  executions: Executions;
  calls: { outcome: Outcome<string>; aborter: AbortController }[];
}

function leave(model: Model, caller: Caller, outcome: string) {
  for (const flight of model.flights) {
    if (!flight.callers.delete(caller)) continue;
    caller.outcome = outcome;
    if (flight.callers.size > 0) continue;
    flight.aborted = true;
    if (model.current.get(flight.key) === flight) model.current.delete(flight.key);
  }
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
    expect(real.calls.map(({ outcome }) => outcome.is)).toEqual(model.callers.map(({ outcome }) => outcome));
    expect(real.executions.all.map(({ signal }) => signal.aborted)).toEqual(
      model.flights.map(({ aborted }) => aborted),
    );
    expect(real.flights.size).toBe(model.current.size);
  }
}

const call = fc.record({ key: fc.nat(2), timeoutMs: fc.option(fc.integer({ min: 1, max: 50 })) }).map(
  ({ key, timeoutMs }) =>
    new Command(`call ${key} ${timeoutMs}`, (model, { flights, executions, calls }) => {
      const aborter = new AbortController();
      const patience = { signal: aborter.signal, timeoutMs: timeoutMs ?? undefined };
      calls.push({ outcome: follow(flights.run(key, executions.task, patience)), aborter });
      const caller = { outcome: "waits", deadline: model.now + (timeoutMs ?? Infinity) };
      model.callers.push(caller);
      let flight = model.current.get(key);
      if (flight === undefined) {
        flight = { key, callers: new Set(), ended: false, aborted: false };
        model.flights.push(flight);
        model.current.set(key, flight);
      }
      flight.callers.add(caller);
    }),
);

const end = fc.record({ pick: fc.nat(99), fails: fc.boolean() }).map(
  ({ pick, fails }) =>
    new Command(`end ${pick} ${fails}`, (model, { executions }) => {
      if (model.flights.length === 0) return;
      const flight = model.flights[pick % model.flights.length]!;
      const execution = executions.all[pick % model.flights.length]!;
      if (fails) execution.fail("failed");
      else execution.land("landed");
      if (flight.ended) return;
      flight.ended = true;
      for (const caller of flight.callers) caller.outcome = fails ? "failed" : "done";
      flight.callers.clear();
      if (model.current.get(flight.key) === flight) model.current.delete(flight.key);
    }),
);

const abort = fc.nat(99).map(
  (pick) =>
    new Command(`abort ${pick}`, (model, { calls }) => {
      if (calls.length === 0) return;
      calls[pick % calls.length]!.aborter.abort("left");
      leave(model, model.callers[pick % calls.length]!, "left");
    }),
);

const forget = fc.nat(2).map(
  (key) =>
    new Command(`forget ${key}`, (model, { flights }) => {
      flights.forget(key);
      model.current.delete(key);
    }),
);

const advance = fc.nat(40).map(
  (ms) =>
    new Command(`advance ${ms}`, async (model, { clock }) => {
      await clock.advance(ms);
      model.now += ms;
      for (const caller of model.callers) {
        if (caller.deadline <= model.now) leave(model, caller, "timeout");
      }
    }),
);

test("it does as the model does", async () => {
  const commands = fc.commands([call, call, end, abort, forget, advance], { maxCommands: 50, size: "max" });
  await fc.assert(
    fc.asyncProperty(commands, async (run) => {
      await fc.asyncModelRun(() => {
        const clock = new ManualClock();
        const model = { now: 0, current: new Map(), flights: [], callers: [] };
        const flights = new SingleFlight<number, string>({ clock });
        return { model, real: { clock, flights, executions: new Executions(), calls: [] } };
      }, run);
    }),
    { numRuns: 300 },
  );
});
