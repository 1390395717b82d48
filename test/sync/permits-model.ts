// A semaphore as simple as can be, and a run of it beside a real one.
import fc from "fast-check";
import { ManualClock, type Clock, type Patience } from "lockstep/base";
import type { Held } from "lockstep/sync";
import { getEventListeners } from "node:events";
import { expect } from "vitest";
import { follow, settled, type Outcome } from "./outcome.js";

/** What a mutex and a semaphore have in common. */
export interface Lock {
  acquire(weight: number, patience?: Patience): Promise<Held>;
  tryAcquire(weight: number): Held | null;
  resize(permits: number): void;
  readonly free: number;
  readonly waiting: number;
}

interface Waiting {
  who: number;
  weight: number;
  signal: number | undefined;
  dueAt: number;
}

/** After each change it goes through the list of those who wait, from the front. */
export class PermitsModel {
  permits: number;
  readonly held = new Map<number, number>();
  /** By number: "waits", "done", or why not. */
  readonly outcomes: string[] = [];
  waiting: Waiting[] = [];

  constructor(permits: number) {
    this.permits = permits;
  }

  /** Less than nothing when it was made smaller. */
  get free(): number {
    return [...this.held.values()].reduce((free, weight) => free - weight, this.permits);
  }

  acquire(wanted: Waiting, hasNoTime = false): void {
    if (wanted.weight > this.permits) this.outcomes[wanted.who] = "bad-input";
    else if (this.tryAcquire(wanted)) this.outcomes[wanted.who] = "done";
    else if (hasNoTime) this.outcomes[wanted.who] = "timeout";
    else {
      this.outcomes[wanted.who] = "waits";
      this.waiting.push(wanted);
    }
  }

  tryAcquire({ who, weight }: { who: number; weight: number }): boolean {
    if (this.waiting.length > 0 || weight > this.free) return false;
    this.held.set(who, weight);
    return true;
  }

  release(who: number): void {
    this.held.delete(who);
    this.#serve();
  }

  giveUp(why: string, which: (waiting: Waiting) => boolean): void {
    for (const { who } of this.waiting.filter(which)) this.outcomes[who] = why;
    this.waiting = this.waiting.filter((waiting) => !which(waiting));
    this.#serve();
  }

  /** The time is up for one after the other, and for those who came first first. */
  advanceTo(now: number): void {
    const next = () =>
      this.waiting
        .filter(({ dueAt }) => dueAt <= now)
        .toSorted((a, b) => a.dueAt - b.dueAt || a.who - b.who)[0];
    for (let due = next(); due !== undefined; due = next()) {
      const { who } = due;
      this.giveUp("timeout", (waiting) => waiting.who === who);
    }
  }

  resize(permits: number): void {
    this.permits = permits;
    this.giveUp("bad-input", ({ weight }) => weight > permits);
  }

  #serve(): void {
    for (let first = this.waiting[0]; first && first.weight <= this.free; first = this.waiting[0]) {
      this.waiting.shift();
      this.held.set(first.who, first.weight);
      this.outcomes[first.who] = "done";
    }
  }
}

type Step =
  | { do: "acquire"; weight: number; signal: number | undefined; timeoutMs: number | undefined }
  | { do: "try"; weight: number }
  | { do: "release"; which: number }
  | { do: "abort"; signal: number }
  | { do: "resize"; permits: number }
  | { do: "advance"; ms: number }
  | { do: "settle" };

function stepsOf(weightMax: number): fc.Arbitrary<Step[]> {
  const weight = fc.integer({ min: 1, max: weightMax });
  const signal = fc.option(fc.nat(2), { nil: undefined });
  const timeoutMs = fc.option(fc.nat(20), { nil: undefined });
  const acquire = fc.record({ do: fc.constant("acquire" as const), weight, signal, timeoutMs });
  const release = fc.record({ do: fc.constant("release" as const), which: fc.nat(20) });
  return fc.array(
    fc.oneof<fc.WeightedArbitrary<Step>[]>(
      { weight: 8, arbitrary: acquire },
      { weight: 6, arbitrary: release },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("try"), weight }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("abort"), signal: fc.nat(2) }) },
      { weight: weightMax > 1 ? 2 : 0, arbitrary: fc.record({ do: fc.constant("resize"), permits: weight }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("advance"), ms: fc.nat(15) }) },
      { weight: 4, arbitrary: fc.constant<Step>({ do: "settle" }) },
    ),
    { maxLength: 80 },
  );
}

/** The real one beside the model, one step at a time. */
class Run {
  readonly #clock = new ManualClock();
  readonly #lock: Lock;
  readonly #model: PermitsModel;
  readonly #signals = [0, 1, 2].map(() => new AbortController());
  readonly #outcomes: Outcome<Held>[] = [];

  constructor(open: (permits: number, clock: Clock) => Lock, permits: number) {
    this.#lock = open(permits, this.#clock);
    this.#model = new PermitsModel(permits);
  }

  async do(step: Step): Promise<void> {
    const who = this.#outcomes.length;
    if (step.do === "acquire") {
      const { weight, signal, timeoutMs } = step;
      const patience = {
        signal: signal === undefined ? undefined : this.#signals[signal]!.signal,
        timeoutMs,
      };
      this.#outcomes.push(follow(this.#lock.acquire(weight, patience)));
      const dueAt = timeoutMs === undefined ? Infinity : this.#clock.now() + timeoutMs;
      this.#model.acquire({ who, weight, signal, dueAt }, timeoutMs === 0);
    } else if (step.do === "try") {
      if (step.weight > this.#model.permits) return;
      const held = this.#lock.tryAcquire(step.weight);
      expect(held !== null).toBe(this.#model.tryAcquire({ who, weight: step.weight }));
      if (held === null) return;
      this.#outcomes.push({ promise: Promise.resolve(held), is: "done", value: held });
      this.#model.outcomes[who] = "done";
    } else if (step.do === "release") {
      this.#release(step.which);
    } else if (step.do === "abort") {
      this.#abort(step.signal);
    } else if (step.do === "resize") {
      this.#lock.resize(step.permits);
      this.#model.resize(step.permits);
    } else {
      await this.#clock.advance(step.do === "advance" ? step.ms : 0);
      this.#model.advanceTo(this.#clock.now());
      await settled();
      expect(this.#outcomes.map(({ is }) => is)).toEqual(this.#model.outcomes);
    }
    expect([this.#lock.free, this.#lock.waiting]).toEqual([
      Math.max(0, this.#model.free),
      this.#model.waiting.length,
    ]);
  }

  /** Gives everything up and everything back: then all must be there, and nothing left behind. */
  async end(): Promise<void> {
    for (const signal of this.#signals.keys()) this.#abort(signal);
    await this.do({ do: "advance", ms: 100 });
    while (this.#release(0)) await this.do({ do: "settle" });
    expect([this.#lock.free, this.#lock.waiting]).toEqual([this.#model.permits, 0]);
    for (const { signal } of this.#signals) expect(getEventListeners(signal, "abort")).toEqual([]);
  }

  #release(which: number): boolean {
    // Only who has heard of the grant can give it back.
    const holders = this.#outcomes.flatMap(({ value }, who) => (value?.isHeld ? [{ who, held: value }] : []));
    if (holders.length === 0) return false;
    const { who, held } = holders[which % holders.length]!;
    expect(this.#model.held.has(who)).toBe(true);
    held.release();
    this.#model.release(who);
    return true;
  }

  #abort(which: number): void {
    this.#signals[which]!.abort(`abort ${which}`);
    this.#signals[which] = new AbortController();
    this.#model.giveUp(`abort ${which}`, ({ signal }) => signal === which);
  }
}

/** Whatever is done, it does as the model does; at once, not only in the end. */
export function likeTheModel(open: (permits: number, clock: Clock) => Lock, most: number) {
  return fc.asyncProperty(fc.integer({ min: 1, max: most }), stepsOf(most), async (permits, steps) => {
    const run = new Run(open, permits);
    for (const step of steps) await run.do(step);
    await run.end();
  });
}
