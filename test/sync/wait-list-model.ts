// Those who wait, as simple as can be, and a run of something that one waits for beside that.
import fc from "fast-check";
import { ManualClock, type Clock, type Patience } from "lockstep/base";
import { getEventListeners } from "node:events";
import { expect } from "vitest";
import { follow, settled, type Outcome } from "./outcome.js";

interface Waiting {
  who: number;
  signal: number | undefined;
  dueAt: number;
}

export class WaitListModel {
  /** By number: "waits", "done", or why not. */
  readonly outcomes: string[] = [];
  waiting: Waiting[] = [];

  end(how: string, which: (waiting: Waiting) => boolean): void {
    for (const { who } of this.waiting.filter(which)) this.outcomes[who] = how;
    this.waiting = this.waiting.filter((waiting) => !which(waiting));
  }

  wakeAll(): void {
    this.end("done", () => true);
  }

  /** False when nobody waits. */
  wakeFirst(): boolean {
    const [first] = this.waiting;
    this.end("done", (waiting) => waiting === first);
    return first !== undefined;
  }
}

/** What is tested, and a model of it. */
export interface Subject {
  wait(patience: Patience): Promise<unknown>;
  readonly waiting: number;
  /** What else can be done, to both of them. */
  readonly actions: readonly (() => void)[];
  /** Whether in the model one who comes now goes on at once. */
  goesOn(): boolean;
}

type Step =
  | { do: "wait"; signal: number | undefined; timeoutMs: number | undefined }
  | { do: "act" | "abort" | "advance"; by: number }
  | { do: "settle" };

const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("wait"),
        signal: fc.option(fc.nat(1), { nil: undefined }),
        timeoutMs: fc.option(fc.nat(20), { nil: undefined }),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("act"), by: fc.nat(100) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("abort"), by: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("advance"), by: fc.nat(15) }) },
    { weight: 3, arbitrary: fc.constant<Step>({ do: "settle" }) },
  ),
  { maxLength: 60 },
);

/** Whatever is done in whatever order, it does as the model does. */
export function likeTheModel(open: (clock: Clock, list: WaitListModel) => Subject) {
  return fc.asyncProperty(steps, async (steps) => {
    const clock = new ManualClock();
    const list = new WaitListModel();
    const subject = open(clock, list);
    const signals = [new AbortController(), new AbortController()];
    const used = [...signals];
    const outcomes: Outcome<unknown>[] = [];
    const wait = (signal: number | undefined, timeoutMs: number | undefined) => {
      const who = outcomes.length;
      const patience = { timeoutMs, signal: signal === undefined ? undefined : signals[signal]!.signal };
      outcomes.push(follow(subject.wait(patience)));
      if (subject.goesOn()) list.outcomes[who] = "done";
      else if (timeoutMs === 0) list.outcomes[who] = "timeout";
      else {
        list.outcomes[who] = "waits";
        const dueAt = timeoutMs === undefined ? Infinity : clock.now() + timeoutMs;
        list.waiting.push({ who, signal, dueAt });
      }
    };
    for (const step of [...steps, { do: "settle" } as const]) {
      if (step.do === "wait") wait(step.signal, step.timeoutMs);
      else if (step.do === "act") subject.actions[step.by % subject.actions.length]!();
      else if (step.do === "abort") {
        signals[step.by]!.abort("enough");
        list.end("enough", ({ signal }) => signal === step.by);
        used.push((signals[step.by] = new AbortController()));
      } else if (step.do === "advance") {
        await clock.advance(step.by);
        list.end("timeout", ({ dueAt }) => dueAt <= clock.now());
      } else {
        await settled();
        expect(outcomes.map(({ is }) => is)).toEqual(list.outcomes);
      }
      expect(subject.waiting).toBe(list.waiting.length);
    }
    const listens = [0, 1].some((which) => list.waiting.some(({ signal }) => signal === which));
    const listeners = used.flatMap(({ signal }) => getEventListeners(signal, "abort"));
    expect(listeners.length > 0).toBe(listens);
  });
}
