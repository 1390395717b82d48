import fc from "fast-check";
import { isLockstepError, ManualClock } from "lockstep/base";
import { Channel, select, trySelect } from "lockstep/sync";
import { expect, test } from "vitest";
import { ModelOfChannels, type ModelCall, type ModelCase } from "./channel-model.js";

const channelCount = 3;
const loopCount = 4;

interface Limits {
  readonly timeoutMs: number | undefined;
}

/** What each kind of step needs to know. */
interface StepDetails {
  send: { channel: number; limits: Limits };
  receive: { channel: number; limits: Limits };
  trySend: { channel: number };
  tryReceive: { channel: number };
  next: { loop: number };
  endLoop: { loop: number };
  select: { cases: CaseOfStep[]; limits: Limits };
  trySelect: { cases: CaseOfStep[] };
  close: { channel: number };
  fail: { channel: number };
  abort: { call: number };
  advance: { byMs: number };
  settle: object;
}

type StepOf<Kind extends keyof StepDetails> = { [Do in Kind]: { readonly do: Do } & StepDetails[Do] }[Kind];
type Step = StepOf<keyof StepDetails>;

interface CaseOfStep {
  readonly channel: number;
  readonly sends: boolean;
}

const channel = fc.nat(channelCount - 1);
const loop = fc.nat(loopCount - 1);
const limits = fc.record({ timeoutMs: fc.option(fc.constantFrom(0, 1, 2, 5), { nil: undefined }) });
const cases = fc.array(fc.record({ channel, sends: fc.boolean() }), { minLength: 1, maxLength: 4 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("send", "receive"), channel, limits }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("trySend", "tryReceive"), channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("next"), loop }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("endLoop"), loop }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("select"), cases, limits }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trySelect"), cases }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("close", "fail"), channel }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("abort"), call: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advance"), byMs: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("settle") }) },
);

/** Does the same to channels and to their model, and compares. */
class Run {
  readonly #clock = new ManualClock();
  readonly #channels: Channel<number>[];
  readonly #model: ModelOfChannels;
  readonly #outcomes: Record<number, string> = {};
  readonly #aborts: AbortController[] = [];
  readonly #loops: AsyncIterator<number, undefined>[];

  constructor(capacities: readonly number[]) {
    this.#channels = capacities.map((capacity) => new Channel({ capacity, clock: this.#clock }));
    this.#model = new ModelOfChannels(capacities);
    this.#loops = Array.from({ length: loopCount }, (_, index) =>
      this.#channels[index % channelCount]![Symbol.asyncIterator](),
    );
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "send":
      case "receive":
      case "select":
      case "next":
        this.#call(step);
        break;
      case "trySend":
      case "tryReceive":
      case "trySelect":
        this.#try(step);
        break;
      case "endLoop":
        this.#model.endLoop(step.loop);
        void this.#loops[step.loop]!.return!();
        break;
      case "close":
        this.#model.close(step.channel);
        this.#channels[step.channel]!.close();
        break;
      case "fail":
        this.#model.close(step.channel, "failed");
        this.#channels[step.channel]!.fail("failed");
        break;
      case "abort":
        if (step.call >= this.#aborts.length) break;
        this.#model.abort(step.call);
        this.#aborts[step.call]!.abort("aborted");
        break;
      case "advance":
        await this.#clock.advance(step.byMs);
        this.#model.advance(step.byMs);
        break;
      case "settle":
        await this.#clock.advance(0);
    }
    // Who waits is known in the same step; what promises say, a few turns later.
    expect(this.#census()).toEqual(this.#model.census());
    if (step.do === "settle" || step.do === "advance") this.#compare();
  }

  async finish(): Promise<void> {
    await this.#clock.advance(0);
    this.#compare();
    for (const [index, abort] of this.#aborts.entries()) {
      this.#model.abort(index);
      abort.abort("aborted");
    }
    for (let index = 0; index < loopCount; index++) await this.take({ do: "endLoop", loop: index });
    await this.#clock.advance(0);
    this.#compare();
    for (const [, senders, receivers] of this.#census()) expect([senders, receivers]).toEqual([0, 0]);
  }

  #census(): number[][] {
    return this.#channels.map((each) => [each.size, each.waitingSenders, each.waitingReceivers]);
  }

  #compare(): void {
    expect(this.#outcomes).toEqual(this.#model.outcomes);
  }

  #call(step: StepOf<"send" | "receive" | "select" | "next">): void {
    const id = this.#aborts.length;
    const abort = new AbortController();
    this.#aborts.push(abort);
    const timeoutMs = "limits" in step ? step.limits.timeoutMs : undefined;
    const patience = { signal: abort.signal, timeoutMs };
    const value = id * 10;
    const { kind, modelCases } = this.#modelOf(step, value);
    const call: ModelCall = {
      id,
      kind,
      cases: modelCases,
      loop: step.do === "next" ? step.loop : undefined,
      dueAt: timeoutMs === undefined ? undefined : this.#clock.now() + timeoutMs,
    };
    this.#model.start(call);
    let promise: Promise<string>;
    if (step.do === "send") {
      promise = this.#channels[step.channel]!.send(value, patience).then(() => "sent");
    } else if (step.do === "receive") {
      promise = this.#channels[step.channel]!.receive(patience).then((got) => `got ${got}`);
    } else if (step.do === "next") {
      promise = this.#loops[step.loop]!.next().then((next) => (next.done ? "done" : `got ${next.value}`));
    } else {
      promise = select(this.#casesOf(modelCases), patience).then(wordsOf);
    }
    void promise.then(
      (outcome) => (this.#outcomes[id] = outcome),
      (error: unknown) => (this.#outcomes[id] = isLockstepError(error) ? error.code : String(error)),
    );
  }

  #try(step: StepOf<"trySend" | "tryReceive" | "trySelect">): void {
    const id = this.#aborts.length;
    this.#aborts.push(new AbortController());
    const { kind, modelCases } = this.#modelOf(step, id * 10);
    this.#model.start({ id, kind, cases: modelCases, dueAt: this.#clock.now() });
    this.#outcomes[id] = this.#tried(step, id * 10, modelCases);
    // To wait no time at all is the model's word for not at once.
    if (this.#outcomes[id] === "not at once") this.#outcomes[id] = "timeout";
    expect(this.#outcomes[id]).toBe(this.#model.outcomes[id]);
  }

  #tried(
    step: StepOf<"trySend" | "tryReceive" | "trySelect">,
    value: number,
    modelCases: readonly ModelCase[],
  ): string {
    try {
      if (step.do === "trySend") return this.#channels[step.channel]!.trySend(value) ? "sent" : "not at once";
      if (step.do === "tryReceive") {
        const taken = this.#channels[step.channel]!.tryReceive();
        return taken === null ? "not at once" : `got ${taken.value}`;
      }
      const selected = trySelect(this.#casesOf(modelCases));
      return selected === null ? "not at once" : wordsOf(selected);
    } catch (error) {
      return isLockstepError(error) ? error.code : String(error);
    }
  }

  #modelOf(step: Step, value: number): { kind: ModelCall["kind"]; modelCases: ModelCase[] } {
    switch (step.do) {
      case "send":
      case "trySend":
        return { kind: "send", modelCases: [{ key: "only", channel: step.channel, value }] };
      case "receive":
      case "tryReceive":
        return { kind: "receive", modelCases: [{ key: "only", channel: step.channel }] };
      case "next":
        return { kind: "next", modelCases: [{ key: "only", channel: step.loop % channelCount }] };
      case "select":
      case "trySelect": {
        const modelCases = step.cases.map((each, index) => ({
          key: `case ${index}`,
          channel: each.channel,
          value: each.sends ? value + index : undefined,
        }));
        return { kind: "select", modelCases };
      }
      default:
        throw new Error(`${step.do} is no call`);
    }
  }

  #casesOf(modelCases: readonly ModelCase[]) {
    return Object.fromEntries(
      modelCases.map(({ key, channel: index, value }) => {
        const target = this.#channels[index]!;
        return [key, value === undefined ? target.receiving() : target.sending(value)];
      }),
    );
  }
}

function wordsOf(selected: { key: string; done: boolean; value: number | undefined }): string {
  if (selected.done) return `${selected.key}: done`;
  return `${selected.key}: ${selected.value === undefined ? "sent" : `got ${selected.value}`}`;
}

test("channels and selects do what their model does", { timeout: 60_000 }, async () => {
  const capacities = fc.array(fc.constantFrom(0, 0, 1, 2, Infinity), {
    minLength: channelCount,
    maxLength: channelCount,
  });
  const steps = fc.array(step, { maxLength: 40, size: "max" });
  const property = fc.asyncProperty(capacities, steps, async (chosen, plan) => {
    const run = new Run(chosen);
    for (const each of plan) await run.take(each);
    await run.finish();
  });
  await fc.assert(property, { numRuns: 3000 });
});
