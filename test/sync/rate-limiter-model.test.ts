// The limiter does, in every order of events that is tried, what its two claims allow and nothing less.
import fc from "fast-check";
import { ManualClock } from "lockstep/base";
import { RateLimiter, type RateLimiterOptions } from "lockstep/sync";
import { expect, test } from "vitest";
import { follow, settled, type Outcome } from "./outcome.js";

interface Request {
  weight: number;
  deadline: number;
  outcome: string;
}

/** Time goes in half milliseconds here: what is ready is so at whole ones, and time-outs end in between. */
const step = 0.5;

class Model {
  now = 0;
  readonly requests: Request[] = [];
  readonly taken: { at: number; weight: number }[] = [];
  readonly queue: Request[] = [];
  readonly options: RateLimiterOptions;
  readonly most: number;

  constructor(options: RateLimiterOptions) {
    this.options = options;
    this.most = (options.algorithm !== "sliding-window" ? options.burst : undefined) ?? options.limit;
  }

  /** The claim itself: whatever the time one begins to count at, no more than that was taken since. */
  allows(weight: number, at: number): boolean {
    const { algorithm, limit, intervalMs } = this.options;
    let sum = weight;
    for (const each of this.taken.toReversed()) {
      if (algorithm === "sliding-window" && at - each.at >= intervalMs) break;
      sum += each.weight;
      const bound =
        algorithm === "sliding-window" ? limit : this.most + (limit * (at - each.at)) / intervalMs;
      if (sum > bound) return false;
    }
    return true;
  }

  readyAt(weight: number): number {
    let at = this.taken.at(-1)?.at ?? 0;
    while (!this.allows(weight, at)) at += step;
    return at;
  }

  take(weight: number): void {
    this.taken.push({ at: this.now, weight });
  }

  serve(): void {
    for (let first = this.queue[0]; first && this.allows(first.weight, this.now); first = this.queue[0]) {
      this.take(first.weight);
      first.outcome = "done";
      this.queue.shift();
    }
  }

  leave(request: Request, outcome: string): void {
    if (!this.queue.includes(request)) return;
    request.outcome = outcome;
    this.queue.splice(this.queue.indexOf(request), 1);
    this.serve();
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const serveAt = this.queue[0] ? this.readyAt(this.queue[0].weight) : Infinity;
      const hastiest = this.queue.toSorted((a, b) => a.deadline - b.deadline)[0];
      const leaveAt = hastiest?.deadline ?? Infinity;
      if (Math.min(serveAt, leaveAt) > until) break;
      this.now = Math.max(this.now, Math.min(serveAt, leaveAt));
      if (serveAt < leaveAt) this.serve();
      else this.leave(hastiest!, "timeout");
    }
    this.now = Math.max(this.now, until);
  }
}

interface Real {
  clock: ManualClock;
  limiter: RateLimiter;
  asked: { outcome: Outcome<void>; aborter: AbortController }[];
}

type Doing = (model: Model, real: Real) => void | Promise<void>;

class Command implements fc.AsyncCommand<Model, Real> {
  constructor(
    readonly words: string,
    readonly doing: Doing,
  ) {}

  check = () => true;
  toString = () => this.words;

  async run(model: Model, real: Real): Promise<void> {
    await this.doing(model, real);
    await settled();
    expect(real.asked.map(({ outcome }) => outcome.is)).toEqual(model.requests.map(({ outcome }) => outcome));
    expect(real.limiter.waiting).toBe(model.queue.length);
  }
}

const weightFor = (model: Model, pick: number) => 1 + (pick % model.most);

const tryAcquire = fc.nat(9).map(
  (pick) =>
    new Command(`tryAcquire ${pick}`, (model, { limiter }) => {
      const weight = weightFor(model, pick);
      model.serve();
      const can = model.queue.length === 0 && model.allows(weight, model.now);
      if (can) model.take(weight);
      expect(limiter.tryAcquire({ weight })).toBe(can);
    }),
);

const acquire = fc.record({ pick: fc.nat(9), patience: fc.option(fc.nat(150)) }).map(
  ({ pick, patience }) =>
    new Command(`acquire ${pick} ${patience}`, (model, { limiter, asked }) => {
      const weight = weightFor(model, pick);
      const timeoutMs = patience === null ? undefined : patience + step;
      const aborter = new AbortController();
      const outcome = follow(limiter.acquire({ weight, timeoutMs, signal: aborter.signal }));
      asked.push({ outcome, aborter });
      const request = { weight, deadline: model.now + (timeoutMs ?? Infinity), outcome: "waits" };
      model.requests.push(request);
      model.serve();
      if (model.queue.length === 0 && model.allows(weight, model.now)) {
        model.take(weight);
        request.outcome = "done";
      } else if (model.readyAt(weight) > request.deadline) {
        request.outcome = "timeout";
      } else {
        model.queue.push(request);
      }
    }),
);

const abort = fc.nat(99).map(
  (pick) =>
    new Command(`abort ${pick}`, (model, { asked }) => {
      if (asked.length === 0) return;
      asked[pick % asked.length]!.aborter.abort("left");
      model.leave(model.requests[pick % asked.length]!, "left");
    }),
);

const advance = fc.nat(120).map(
  (ms) =>
    new Command(`advance ${ms}`, async (model, { clock }) => {
      await clock.advance(ms);
      model.advance(ms);
    }),
);

const jump = fc.nat(300).map(
  (ms) =>
    new Command(`jump ${ms}`, (model, { clock }) => {
      clock.jump(ms);
      model.now += ms;
    }),
);

const peek = fc.nat(9).map(
  (pick) =>
    new Command(`peek ${pick}`, (model, { limiter }) => {
      const weight = weightFor(model, pick);
      model.serve();
      const { remaining, retryAfterMs } = limiter.peek({ weight });
      let could = model.queue.length > 0 ? 0 : model.most;
      while (could > 0 && !model.allows(could, model.now)) could--;
      const wanted = Math.max(weight, model.queue[0]?.weight ?? 0);
      expect([remaining, retryAfterMs]).toEqual([could, Math.max(0, model.readyAt(wanted) - model.now)]);
    }),
);

// Intervals that each limit divides, so that what is ready is so at whole milliseconds.
const bucket = fc.record({
  algorithm: fc.constant("token-bucket" as const),
  limit: fc.constantFrom(1, 2, 5, 10),
  intervalMs: fc.constantFrom(10, 50, 100),
  burst: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
});
const window = fc.record({
  algorithm: fc.constant("sliding-window" as const),
  limit: fc.integer({ min: 1, max: 7 }),
  intervalMs: fc.constantFrom(10, 50, 100),
});

for (const [name, options] of Object.entries({ bucket, window })) {
  test(`the ${name} does as its claim allows`, async () => {
    const commands = fc.commands([acquire, acquire, tryAcquire, abort, advance, advance, jump, peek], {
      maxCommands: 60,
      size: "max",
    });
    await fc.assert(
      fc.asyncProperty(options, commands, async (chosen, run) => {
        await fc.asyncModelRun(() => {
          const clock = new ManualClock();
          const limiter = new RateLimiter({ ...chosen, clock });
          return { model: new Model(chosen), real: { clock, limiter, asked: [] } };
        }, run);
      }),
      { numRuns: 300 },
    );
  });
}
