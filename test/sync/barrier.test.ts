import fc from "fast-check";
import { ManualClock, type Patience } from "lockstep/base";
import { Barrier, detectDeadlocks, Mutex, type Trip } from "lockstep/sync";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { BarrierModel } from "./barrier-model.js";
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

describe("a trip", () => {
  test("all go on when the last arrives, in order, one of them as leader, again and again", async () => {
    const barrier = new Barrier(3);
    const order: string[] = [];
    const party = async (who: string) => {
      for (let phase = 0; phase < 3; phase++) {
        const { generation, isLeader } = await barrier.wait();
        expect(generation).toBe(phase);
        order.push(isLeader ? who.toUpperCase() : who);
      }
    };
    await Promise.all(["a", "b", "c"].map(party));
    expect(order.join("")).toBe("AbcAbcAbc");
    expect([barrier.generation, barrier.arrived, barrier.parties]).toEqual([3, 0, 3]);
  });

  test("nobody begins a phase before all have ended the one before", async () => {
    const barrier = new Barrier(4);
    const phases = [0, 0, 0, 0];
    const party = async (who: number) => {
      for (let phase = 0; phase < 20; phase++) {
        for (let turns = (who * 7 + phase * 3) % 4; turns > 0; turns--) await settled();
        phases[who]!++;
        await barrier.wait();
        expect(Math.min(...phases)).toBe(phase + 1);
        await barrier.wait();
      }
    };
    await Promise.all(phases.map((_, who) => party(who)));
    expect(barrier.generation).toBe(40);
  });

  test("one party alone never waits", async () => {
    const barrier = new Barrier(1);
    expect(await barrier.wait({ timeoutMs: 0 })).toEqual({ generation: 0, isLeader: true });
    expect(await barrier.wait()).toEqual({ generation: 1, isLeader: true });
  });

  test("without time to wait only the last arrives; the others change nothing", async () => {
    const barrier = new Barrier(2);
    expect(await refusal(() => barrier.wait({ timeoutMs: 0 }))).toBe("timeout");
    expect([barrier.arrived, barrier.isBroken]).toEqual([0, false]);
    const first = barrier.wait();
    expect(await barrier.wait({ timeoutMs: 0 })).toEqual({ generation: 0, isLeader: false });
    expect((await first).isLeader).toBe(true);
  });
});

describe("arriving without waiting, as with a Phaser", () => {
  test("one arrives, works on, and looks later", async () => {
    const barrier = new Barrier(2);
    const arrival = barrier.arrive();
    expect([arrival.generation, barrier.arrived]).toEqual([0, 1]);
    const looking = [follow(arrival.wait()), follow(arrival.wait({ timeoutMs: 0 }))];
    await settled();
    expect(looking.map(({ is }) => is)).toEqual(["waits", "timeout"]);
    expect(await barrier.wait()).toEqual({ generation: 0, isLeader: true });
    await settled();
    expect(looking[0]!.is).toBe("done");
    expect(await refusal(() => arrival.wait({ timeoutMs: 0 }))).toBe("none");
  });

  test("who gives up looking has arrived all the same, and breaks nothing", async () => {
    const clock = new ManualClock();
    const barrier = new Barrier(2, { clock });
    const looking = follow(barrier.arrive().wait({ timeoutMs: 5 }));
    await clock.advance(5);
    expect([looking.is, barrier.isBroken, barrier.arrived]).toEqual(["timeout", false, 1]);
    expect((await barrier.wait()).generation).toBe(0);
  });

  test("parties come and leave; the last to leave trips it as well", async () => {
    const barrier = new Barrier(1);
    expect(barrier.register(2)).toBe(0);
    const waits = [follow(barrier.wait()), follow(barrier.wait())];
    const leaving = barrier.arriveAndDeregister();
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["done", "done"]);
    await leaving.wait();
    barrier.arriveAndDeregister();
    expect([barrier.parties, barrier.generation]).toEqual([1, 1]);
    const last = barrier.arriveAndDeregister();
    await last.wait();
    expect([barrier.parties, barrier.generation]).toEqual([0, 2]);
    expect(await refusal(() => barrier.wait())).toBe("misuse");
    expect(await refusal(() => barrier.arrive())).toBe("misuse");
    expect(await refusal(() => barrier.arriveAndDeregister())).toBe("misuse");
    expect(barrier.register()).toBe(2);
    expect(await barrier.wait()).toEqual({ generation: 2, isLeader: true });
  });
});

describe("the action", () => {
  test("is over before anybody goes on; those who arrive meanwhile are of the next generation", async () => {
    const gates: (() => void)[] = [];
    const told: number[] = [];
    const action = (generation: number) => {
      told.push(generation);
      return new Promise<void>((resolve) => gates.push(resolve));
    };
    const barrier = new Barrier(2, { action });
    const first = [follow(barrier.wait()), follow(barrier.wait({ timeoutMs: 0 }))];
    const second = [barrier.arrive(), barrier.arrive()].map((arrival) => follow(arrival.wait()));
    await settled();
    expect([told, first.map(({ is }) => is), barrier.generation]).toEqual([[0], ["waits", "waits"], 2]);
    gates[0]!();
    await settled();
    // One action after the other.
    expect([told, first.map(({ is }) => is)]).toEqual([
      [0, 1],
      ["done", "done"],
    ]);
    expect(second.map(({ is }) => is)).toEqual(["waits", "waits"]);
    gates[1]!();
    await settled();
    expect(second.map(({ is }) => is)).toEqual(["done", "done"]);
  });

  test("is not taken, by who looks for deadlocks, for a part of what the last one holds", async () => {
    using _detector = detectDeadlocks();
    const mutex = new Mutex();
    const barrier = new Barrier(2, { action: () => mutex.run(() => undefined) });
    const wait = follow(barrier.wait());
    await mutex.run(async () => {
      await settled();
      barrier.arrive();
      await settled();
      expect(wait.is).toBe("waits");
    });
    await settled();
    expect(wait.is).toBe("done");
  });

  test("that fails breaks the barrier: all hear why", async () => {
    const cause = new Error("no room");
    for (const action of [() => Promise.reject(cause), () => void thrown(cause)]) {
      const barrier = new Barrier(2, { action, name: "phases" });
      const waits = [follow(barrier.wait()), follow(barrier.wait())];
      const early = follow(barrier.wait());
      await settled();
      expect([...waits, early].map(({ is }) => is)).toEqual(["lost", "lost", "lost"]);
      expect(barrier.isBroken).toBe(true);
      const message =
        'the barrier "phases" is broken: its action failed in generation 0; reset it to begin again';
      await expect(barrier.wait()).rejects.toMatchObject({ code: "lost", message, cause });
    }
  });

  test("is not begun for those who are lost already", async () => {
    const told: number[] = [];
    const action = (generation: number) => {
      told.push(generation);
      throw new Error("no");
    };
    const barrier = new Barrier(1, { action });
    const waits = [follow(barrier.wait()), follow(barrier.wait())];
    barrier.reset();
    waits.push(follow(barrier.wait()), follow(barrier.wait()));
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["lost", "lost", "lost", "lost"]);
    expect(told).toEqual([3]);
  });

  test("that fails does not change why the barrier broke", async () => {
    let fail: (error: Error) => void = () => expect.unreachable();
    const barrier = new Barrier(2, { action: () => new Promise((_, reject) => (fail = reject)) });
    const complete = [follow(barrier.wait()), follow(barrier.wait())];
    const { signal, abort } = abortable();
    const leaving = follow(barrier.wait({ signal }));
    await settled();
    abort("enough");
    fail(new Error("no"));
    await settled();
    expect([...complete, leaving].map(({ is }) => is)).toEqual(["lost", "lost", "enough"]);
    await expect(barrier.wait()).rejects.toThrow("one who waited at it gave up");
  });

  test("one who gives up while it runs breaks nothing, and another is the leader", async () => {
    let end: () => void = () => expect.unreachable();
    const barrier = new Barrier(3, { action: () => new Promise<void>((resolve) => (end = resolve)) });
    const { signal, abort } = abortable();
    const waits = [follow(barrier.wait({ signal })), follow(barrier.wait()), follow(barrier.wait())];
    await settled();
    abort("enough");
    end();
    await settled();
    expect(waits.map(({ is, value }) => value?.isLeader ?? is)).toEqual(["enough", true, false]);
    expect(barrier.isBroken).toBe(false);
  });

  test("that outlives a reset concerns nobody: neither its end nor its failure", async () => {
    for (const ends of ["well", "badly"]) {
      const ending: ((error?: Error) => void)[] = [];
      const action = () =>
        new Promise<void>((resolve, reject) =>
          ending.push((error) => {
            if (error) reject(error);
            else resolve();
          }),
        );
      const barrier = new Barrier(1, { action });
      const before = follow(barrier.wait());
      await settled();
      barrier.reset();
      const after = follow(barrier.wait());
      await settled();
      expect(ending).toHaveLength(2);
      ending[0]!(ends === "well" ? undefined : new Error("no"));
      await settled();
      expect([before.is, after.is, barrier.isBroken]).toEqual(["lost", "waits", false]);
      ending[1]!();
      await settled();
      expect(after.value).toEqual({ generation: 2, isLeader: true });
    }
  });
});

describe("broken", () => {
  test("one who gives up hears why, all others that it is lost, until the reset", async () => {
    const clock = new ManualClock();
    const barrier = new Barrier(4, { clock });
    const arrival = barrier.arrive();
    const waits = [follow(barrier.wait({ timeoutMs: 5 })), follow(barrier.wait()), follow(arrival.wait())];
    await clock.advance(5);
    expect(waits.map(({ is }) => is)).toEqual(["timeout", "lost", "lost"]);
    expect((waits[1]!.error as Error).message).toBe(
      "the barrier is broken: one who waited at it gave up; reset it to begin again",
    );
    expect(barrier.isBroken).toBe(true);
    expect(await refusal(() => barrier.wait())).toBe("lost");
    expect(await refusal(() => barrier.arrive())).toBe("lost");
    // A party that leaves in a `finally` can do so.
    await expect(barrier.arriveAndDeregister().wait()).rejects.toMatchObject({ code: "lost" });
    expect([barrier.parties, barrier.generation]).toEqual([3, 0]);
    barrier.reset();
    expect([barrier.isBroken, barrier.arrived, barrier.generation]).toEqual([false, 0, 1]);
    expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toHaveLength(3);
  });

  test("a reset loses those who wait, and what was arrived for", async () => {
    const barrier = new Barrier(3);
    const arrival = barrier.arrive();
    const wait = follow(barrier.wait());
    barrier.reset();
    await settled();
    expect([wait.is, await refusal(() => arrival.wait()), barrier.isBroken]).toEqual(["lost", "lost", false]);
    expect((wait.error as Error).message).toMatch("was reset before all had arrived");
  });

  test("those who wait with one signal all hear its reason when it aborts", async () => {
    const barrier = new Barrier(4);
    const { signal, abort } = abortable();
    const waits = [
      follow(barrier.wait({ signal })),
      follow(barrier.wait()),
      follow(barrier.wait({ signal })),
    ];
    abort("going down");
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["going down", "lost", "going down"]);
  });
});

describe("one who has aborted, and whose signal tells others first, is not counted on", () => {
  for (const arrives of ["wait", "wait without time", "arrive", "arriveAndDeregister"] as const) {
    test(`by ${arrives}`, async () => {
      for (const action of [undefined, () => expect.unreachable()]) {
        const barrier = new Barrier(3, { action });
        const { signal, abort } = abortable();
        const ends: Promise<string>[] = [];
        signal.addEventListener("abort", () => {
          const wait = () => barrier.wait(arrives === "wait without time" ? { timeoutMs: 0 } : {});
          ends.push(
            refusal(
              arrives === "arrive" || arrives === "arriveAndDeregister"
                ? () => barrier[arrives]().wait()
                : wait,
            ),
          );
        });
        const waits = [follow(barrier.wait()), follow(barrier.wait({ signal }))];
        abort("enough");
        await settled();
        expect([...waits.map(({ is }) => is), ...(await Promise.all(ends))]).toEqual([
          "lost",
          "enough",
          "lost",
        ]);
        expect([barrier.generation, barrier.isBroken]).toEqual([0, true]);
        expect((waits[0]!.error as Error).message).toMatch("one who waited at it gave up");
        barrier.reset();
        expect([barrier.arrived, barrier.parties]).toEqual([0, arrives === "arriveAndDeregister" ? 2 : 3]);
      }
    });
  }

  test("by one who is not the last: all hear of it when the barrier does", async () => {
    const barrier = new Barrier(3);
    const { signal, abort } = abortable();
    const waits: Outcome<unknown>[] = [];
    signal.addEventListener("abort", () => waits.push(follow(barrier.wait())));
    waits.push(follow(barrier.wait({ signal })));
    abort("enough");
    await settled();
    expect(waits.map(({ is }) => is)).toEqual(["enough", "lost"]);
  });
});

test("races in one turn: the last to arrive, an abort, a time-out and a reset, in every order", async () => {
  const eventsOf = ["last", "abort a", "time out b", "reset"] as const;
  for (const { order, pauses } of interleavings(eventsOf)) {
    const clock = new HandClock();
    const barrier = new Barrier(3, { clock });
    const { signal, abort } = abortable();
    const waits = [follow(barrier.wait({ signal })), follow(barrier.wait({ timeoutMs: 1 }))];
    const events: Record<(typeof eventsOf)[number], () => void> = {
      last: () => waits.push(follow(barrier.wait())),
      "abort a": () => abort("enough"),
      "time out b": () => clock.fire(1),
      reset: () => barrier.reset(),
    };
    await happen({ order: order.map((name) => events[name]), pauses });
    const expected = {
      last: ["done", "done", "done"],
      "abort a": ["enough", "lost"],
      "time out b": ["lost", "timeout"],
      reset: ["lost", "lost"],
    }[order[0]!];
    // Who comes last finds it whole, broken or begun anew.
    const isReset = order.indexOf("reset") < order.indexOf("last");
    const last = order[0] === "last" ? [] : [isReset ? "waits" : "lost"];
    expect({ order, pauses, is: waits.map(({ is }) => is) }).toEqual({
      order,
      pauses,
      is: [...expected, ...last],
    });
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  }
});

test("nonsense is refused, and changes nothing", async () => {
  for (const parties of [0, -1, 1.5, NaN, Infinity, "2", undefined]) {
    expect(await refusal(() => new Barrier(parties as number)), String(parties)).toBe("bad-input");
  }
  expect(await refusal(() => new Barrier(2, { action: "run" as never }))).toBe("bad-input");
  expect(await refusal(() => new Barrier(2, { leader: 1 } as object))).toBe("bad-input");
  const barrier = new Barrier(2);
  for (const count of [0, -1, 0.5, NaN, "1", null]) {
    expect(await refusal(() => barrier.register(count as number))).toBe("bad-input");
  }
  const arrival = new Barrier(2).arrive();
  for (const patience of [{ timeout: 5 }, { timeoutMs: -1 }, { signal: 1 }, null, 5]) {
    expect(await refusal(() => barrier.wait(patience as Patience))).toBe("bad-input");
    expect(await refusal(() => arrival.wait(patience as Patience))).toBe("bad-input");
  }
  expect(await refusal(() => barrier.wait({ signal: AbortSignal.abort("before") }))).toBe("before");
  expect([barrier.parties, barrier.arrived, barrier.isBroken]).toEqual([2, 0, false]);
});

type Step =
  | { do: "wait" | "look"; signal: number | undefined; timeoutMs: number | undefined; which: number }
  | { do: "arrive" | "register" | "deregister" | "reset" | "settle" }
  | { do: "abort" | "advance"; by: number }
  | { do: "acted"; which: number; well: boolean };

const signal = fc.option(fc.nat(1), { nil: undefined });
const timeoutMs = fc.option(fc.nat(20), { nil: undefined });
const word = (name: "arrive" | "register" | "deregister" | "reset" | "settle") =>
  fc.constant<Step>({ do: name });
const patient = (name: "wait" | "look") =>
  fc.record({ do: fc.constant(name), signal, timeoutMs, which: fc.nat(50) });

const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 9, arbitrary: patient("wait") },
    { weight: 3, arbitrary: patient("look") },
    { weight: 5, arbitrary: word("arrive") },
    { weight: 1, arbitrary: word("register") },
    { weight: 1, arbitrary: word("deregister") },
    { weight: 1, arbitrary: word("reset") },
    { weight: 4, arbitrary: word("settle") },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("abort"), by: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("advance"), by: fc.nat(15) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("acted"),
        which: fc.nat(5),
        well: fc.integer({ min: 0, max: 9 }).map((chance) => chance > 0),
      }),
    },
  ),
  { maxLength: 80 },
);

for (const hasAction of [false, true]) {
  test(`it does as the model does, ${hasAction ? "with" : "without"} an action`, async () => {
    const parties = fc.integer({ min: 1, max: 4 });
    const property = fc.asyncProperty(parties, steps, async (parties, steps) => {
      await new Run(parties, hasAction).all(steps);
    });
    await fc.assert(property, { numRuns: 500 });
  });
}

/** The real one beside the model, one step at a time. */
class Run {
  readonly #clock = new ManualClock();
  readonly #model: BarrierModel;
  readonly #barrier: Barrier;
  readonly #signals = [new AbortController(), new AbortController()];
  readonly #outcomes: Outcome<unknown>[] = [];
  readonly #arrivals: ReturnType<Barrier["arrive"]>[] = [];
  /** The actions that run. */
  readonly #acting: { generation: number; end: (well: boolean) => void }[] = [];

  constructor(parties: number, hasAction: boolean) {
    this.#model = new BarrierModel(parties, hasAction);
    const action = (generation: number) =>
      new Promise<void>((resolve, reject) => {
        const end = (well: boolean) => {
          if (well) resolve();
          else reject(new Error("badly"));
        };
        this.#acting.push({ generation, end });
      });
    this.#barrier = new Barrier(parties, { clock: this.#clock, ...(hasAction && { action }) });
  }

  async all(steps: readonly Step[]): Promise<void> {
    const [barrier, model] = [this.#barrier, this.#model];
    for (const step of [...steps, { do: "settle" } as const]) {
      await this.#do(step);
      expect([barrier.parties, barrier.arrived, barrier.generation, barrier.isBroken]).toEqual([
        model.parties,
        model.arrived,
        model.generation,
        model.isBroken,
      ]);
    }
    const leader = ({ generation, isLeader }: Trip) =>
      isLeader ? `done as leader of ${generation}` : `done with ${generation}`;
    const ends = this.#outcomes.map(({ is, value }) => (value ? leader(value as Trip) : is));
    expect(ends).toEqual(model.outcomes);
  }

  async #do(step: Step): Promise<void> {
    const [barrier, model, who] = [this.#barrier, this.#model, this.#outcomes.length];
    if (step.do === "wait") {
      const patience = { signal: this.#signalOf(step.signal), timeoutMs: step.timeoutMs };
      this.#outcomes.push(follow(barrier.wait(patience)));
      const dueAt = step.timeoutMs === undefined ? Infinity : this.#clock.now() + step.timeoutMs;
      model.wait(who, step.signal, dueAt, step.timeoutMs === 0);
    } else if (step.do === "look") {
      const arrival = this.#arrivals[step.which % this.#arrivals.length];
      if (arrival === undefined) return;
      this.#outcomes.push(follow(arrival.wait({ signal: this.#signalOf(step.signal) })));
      model.look(who, arrival.generation, step.signal);
    } else if (step.do === "arrive") {
      if (model.objection === undefined) {
        this.#arrivals.push(barrier.arrive());
        model.arrive();
      } else expect(await refusal(() => barrier.arrive())).toBe(model.objection);
    } else if (step.do === "register") {
      expect(barrier.register()).toBe(model.generation);
      model.parties++;
    } else if (step.do === "deregister") {
      if (model.parties === 0) return;
      this.#arrivals.push(barrier.arriveAndDeregister());
      model.deregister();
    } else if (step.do === "reset") {
      barrier.reset();
      model.reset();
    } else if (step.do === "abort") {
      this.#signals[step.by]!.abort("enough");
      this.#signals[step.by] = new AbortController();
      model.abort(step.by);
    } else await this.#settle(step);
  }

  async #settle(step: Step): Promise<void> {
    await this.#clock.advance(step.do === "advance" ? step.by : 0);
    this.#model.advanceTo(this.#clock.now());
    if (step.do !== "acted" || this.#acting.length === 0) return;
    const [{ generation, end }] = this.#acting.splice(step.which % this.#acting.length, 1) as [
      { generation: number; end: (well: boolean) => void },
    ];
    end(step.well);
    await settled();
    this.#model.acted(generation, step.well);
  }

  #signalOf(which: number | undefined): AbortSignal | undefined {
    return which === undefined ? undefined : this.#signals[which]!.signal;
  }
}

test("many trips, and many who look in vain, leave nothing behind", async () => {
  const barrier = new Barrier(10, { action: () => undefined });
  const shared = abortable();
  const round = async (trips: number) => {
    for (let trip = 0; trip < trips; trip++) {
      const { signal, abort } = abortable();
      const arrival = barrier.arrive();
      for (let each = 0; each < 100; each++) arrival.wait({ signal }).catch(() => undefined);
      abort("enough");
      await Promise.all(Array.from({ length: 9 }, () => barrier.wait({ signal: shared.signal })));
    }
  };
  await round(500);
  await expectNothingLeft(4e6, () => round(9500));
  expect(getEventListeners(shared.signal, "abort")).toEqual([]);
});

function thrown(error: Error): never {
  throw error;
}
