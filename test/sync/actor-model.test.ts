import fc from "fast-check";
import { isLockstepError, ManualClock } from "lockstep/base";
import { Actor, type Handling } from "lockstep/sync";
import { expect, test } from "vitest";

type Policy = "resume" | "restart" | "stop";
type Finish = "reply" | "fail" | "fail as aborted";

interface Plan {
  readonly capacity: number;
  readonly onCrash: Policy;
  readonly listens: boolean;
}

type Step =
  | { readonly do: "tell" | "ask"; readonly timeoutMs: number | undefined }
  | { readonly do: "abort"; readonly call: number }
  | { readonly do: "advance"; readonly byMs: number }
  | { readonly do: "finish"; readonly how: Finish }
  | { readonly do: "stop"; readonly drain: boolean };

/** All that can be seen of an actor. */
interface Sight {
  readonly outcomes: Record<number, string>;
  /** In which order messages were begun, and which were told that there is no use in going on. */
  readonly begun: number[];
  readonly aborted: number[];
  readonly reported: number[];
  starts: number;
  size: number;
  isStopped: boolean;
}

const nothingSeen = (): Sight => ({
  outcomes: {},
  begun: [],
  aborted: [],
  reported: [],
  starts: 1,
  size: 0,
  isStopped: false,
});

interface ModelCall {
  readonly id: number;
  readonly asks: boolean;
  readonly dueAt: number;
  isAccepted: boolean;
}

/** What an actor does, told as naively as it can be: one list, of which the first so many are accepted. */
class ModelOfActor {
  readonly sight = nothingSeen();
  readonly #plan: Plan;
  #list: ModelCall[] = [];
  #inHand: ModelCall | undefined;
  #isUnheard = false;
  #stops: number[] = [];
  now = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  send(id: number, asks: boolean, timeoutMs = Infinity): void {
    const hasRoom = this.#list.length < this.#plan.capacity;
    if (this.sight.isStopped) this.#end(id, "closed");
    else if (timeoutMs === 0 && (asks || !hasRoom)) this.#end(id, "timeout");
    else this.#list.push({ id, asks, dueAt: this.now + timeoutMs, isAccepted: false });
    this.#goOn();
  }

  giveUp(which: (call: ModelCall) => boolean, reason: string): void {
    const inHand = this.#inHand;
    if (inHand?.asks && which(inHand) && this.#end(inHand.id, reason)) this.#abort(inHand);
    for (const call of this.#list.filter(which)) {
      if (call.isAccepted && !call.asks) continue;
      this.#end(call.id, reason);
      this.#list = this.#list.filter((other) => other !== call);
      this.#goOn();
    }
  }

  advance(byMs: number): void {
    // By single milliseconds: who gives up first may let in another one.
    for (let step = 0; step < byMs; step++) {
      this.now++;
      const due = [this.#inHand, ...this.#list].filter((call) => call?.dueAt === this.now);
      for (const late of due.sort((left, right) => left!.id - right!.id)) {
        this.giveUp((call) => call === late, "timeout");
      }
    }
  }

  finish(how: Finish): void {
    const call = this.#inHand;
    if (call === undefined) return;
    this.#inHand = undefined;
    const isHeard = call.asks && this.#end(call.id, how);
    const goesAlong = how === "fail as aborted" && this.sight.aborted.includes(call.id);
    if (how !== "reply" && !goesAlong) this.#crash(call, isHeard);
    this.#goOn();
  }

  stop(id: number, drain: boolean): void {
    this.sight.isStopped = true;
    this.#drop((call) => !drain || !call.isAccepted);
    if (!drain && this.#inHand !== undefined) this.#abort(this.#inHand);
    this.#stops.push(id);
    this.#goOn();
  }

  #abort({ id }: ModelCall): void {
    if (!this.sight.aborted.includes(id)) this.sight.aborted.push(id);
  }

  #crash(call: ModelCall, isHeard: boolean): void {
    const { onCrash, listens } = this.#plan;
    const isUnheard = !isHeard && !listens && !call.asks;
    if (!isHeard && listens) this.sight.reported.push(call.id);
    if (isUnheard) this.#isUnheard = true;
    if (isUnheard || onCrash === "stop") {
      this.sight.isStopped = true;
      this.#drop(() => true);
    } else if (onCrash === "restart") this.sight.starts++;
  }

  #drop(which: (call: ModelCall) => boolean): void {
    for (const { id } of this.#list.filter(which)) this.#end(id, "closed");
    this.#list = this.#list.filter((call) => !which(call));
  }

  /** Begins what can begin, and accepts what there is room for. */
  #goOn(): void {
    this.#accept();
    this.#inHand ??= this.#begin();
    this.#accept();
    this.sight.size = Math.min(this.#list.length, this.#plan.capacity);
    if (this.#inHand === undefined) {
      for (const id of this.#stops) this.#end(id, this.#isUnheard ? "closed" : "stopped");
    }
  }

  #begin(): ModelCall | undefined {
    const first = this.#list.shift();
    if (first === undefined) return undefined;
    if (!first.asks) this.#end(first.id, "told");
    this.sight.begun.push(first.id);
    return first;
  }

  #accept(): void {
    for (const call of this.#list.slice(0, this.#plan.capacity)) {
      call.isAccepted = true;
      if (!call.asks) this.#end(call.id, "told");
    }
  }

  /** False when it had come to an end before. */
  #end(id: number, outcome: string): boolean {
    if (id in this.sight.outcomes) return false;
    this.sight.outcomes[id] = outcome;
    return true;
  }
}

/** Does the same to an actor and to its model, and compares. */
class Run {
  readonly #clock = new ManualClock();
  readonly #model: ModelOfActor;
  readonly #sight = nothingSeen();
  readonly #aborts: AbortController[] = [];
  readonly #actor: Actor<{ work: (id: number, handling: Handling) => Promise<string> }>;
  #finish: ((how: Finish) => void) | undefined;

  constructor(plan: Plan) {
    this.#model = new ModelOfActor(plan);
    this.#sight.starts = 0;
    let inHand = 0;
    const begin = () => {
      this.#sight.starts++;
      const work = async (id: number, { signal }: Handling) => {
        inHand = id;
        this.#sight.begun.push(id);
        signal.addEventListener("abort", () => this.#sight.aborted.push(id));
        const how = await new Promise<Finish>((resolve) => (this.#finish = resolve));
        this.#finish = undefined;
        if (how === "reply") return how;
        throw how === "fail" ? new Error(how) : new DOMException(how, "AbortError");
      };
      return { work };
    };
    const onError = plan.listens ? () => this.#sight.reported.push(inHand) : undefined;
    const { capacity, onCrash } = plan;
    this.#actor = new Actor(begin, { capacity, onCrash, onError, clock: this.#clock });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "tell":
      case "ask": {
        const id = this.#aborts.push(new AbortController()) - 1;
        const patience = { signal: this.#aborts[id]!.signal, timeoutMs: step.timeoutMs };
        if (step.do === "ask") this.#note(id, this.#actor.ask("work", id, patience));
        else this.#note(id, this.#actor.tell("work", id, patience), "told");
        this.#model.send(id, step.do === "ask", step.timeoutMs);
        break;
      }
      case "abort":
        this.#aborts[step.call]?.abort("aborted");
        this.#model.giveUp(({ id }) => id === step.call, "aborted");
        break;
      case "advance":
        await this.#clock.advance(step.byMs);
        this.#model.advance(step.byMs);
        break;
      case "finish":
        this.#finish?.(step.how);
        this.#model.finish(step.how);
        break;
      case "stop": {
        const id = this.#aborts.push(new AbortController()) - 1;
        this.#note(id, this.#actor.stop({ drain: step.drain }), "stopped");
        this.#model.stop(id, step.drain);
      }
    }
    await this.#clock.advance(0);
    this.#sight.size = this.#actor.size;
    this.#sight.isStopped = this.#actor.isStopped;
    expect(this.#sight).toEqual(this.#model.sight);
  }

  #note(id: number, promise: Promise<unknown>, words?: string): void {
    void promise.then(
      (reply) => (this.#sight.outcomes[id] = words ?? String(reply)),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#sight.outcomes[id] = isLockstepError(error) ? error.code : message;
      },
    );
  }
}

const timeoutMs = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("tell", "ask"), timeoutMs }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("abort"), call: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("advance"), byMs: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("finish"),
      how: fc.constantFrom("reply", "reply", "fail", "fail as aborted"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stop"), drain: fc.boolean() }) },
);

test("an actor does what its model does", { timeout: 60_000 }, async () => {
  const plan = fc.record({
    capacity: fc.constantFrom(0, 1, 2, Infinity),
    onCrash: fc.constantFrom("resume", "restart", "stop"),
    listens: fc.boolean(),
  });
  const steps = fc.array(step, { maxLength: 40, size: "max" });
  const property = fc.asyncProperty(plan, steps, async (chosen, script) => {
    const run = new Run(chosen);
    for (const each of script) await run.take(each);
    await run.take({ do: "stop", drain: false });
    await run.take({ do: "finish", how: "reply" });
  });
  await fc.assert(property, { numRuns: 1500 });
});
