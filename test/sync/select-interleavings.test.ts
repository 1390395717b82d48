// Every meeting of three selects on two channels, judged by what must hold, without a model.
import { Channel, select } from "lockstep/sync";
import { expect, test } from "vitest";

const operations = ["send a", "send b", "receive a", "receive b"] as const;
type Operation = (typeof operations)[number];

/** One operation, or two of them in either order. */
const choices: readonly (readonly Operation[])[] = operations.flatMap((first) => [
  [first],
  ...operations.filter((second) => second !== first).map((second) => [first, second]),
]);

interface End {
  readonly operation: Operation;
  readonly value: number | undefined;
}

class Meeting {
  readonly channels: Record<string, Channel<number>>;
  readonly ends: (End | "gave up" | undefined)[] = [];
  readonly #abort = new AbortController();

  constructor(
    capacities: readonly [number, number],
    readonly selects: readonly (readonly Operation[])[],
  ) {
    this.channels = {
      a: new Channel({ capacity: capacities[0] }),
      b: new Channel({ capacity: capacities[1] }),
    };
  }

  /** Starts them one after the other; the first gives up when so many have started. */
  async play(giveUpAfter: number): Promise<void> {
    for (const [index, chosen] of this.selects.entries()) {
      if (index === giveUpAfter) this.#abort.abort("gave up");
      this.ends.push(undefined);
      // The value tells who sent it, and by which of its cases.
      const cases = Object.fromEntries(
        chosen.map((operation, place) => {
          const channel = this.channels[operation.at(-1)!]!;
          const value = index * 10 + place;
          return [operation, operation.startsWith("send") ? channel.sending(value) : channel.receiving()];
        }),
      );
      void select(cases, index === 0 ? { signal: this.#abort.signal } : {}).then(
        ({ key, value }) => (this.ends[index] = { operation: key as Operation, value }),
        (error: unknown) => (this.ends[index] = error === "gave up" ? error : undefined),
      );
    }
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  }

  judge(): void {
    const sent: number[] = [];
    const arrived: number[] = [];
    for (const [index, end] of this.ends.entries()) {
      if (end === undefined || end === "gave up") continue;
      if (end.value === undefined) sent.push(index * 10 + this.selects[index]!.indexOf(end.operation));
      else arrived.push(end.value);
    }
    const waiting = Object.values(this.channels).map((each) => [each.waitingSenders, each.waitingReceivers]);
    // Taking out what lies in a channel lets senders move up who still wait.
    for (const channel of Object.values(this.channels)) {
      for (let { size } = channel; size > 0; size--) arrived.push(channel.tryReceive()!.value);
    }
    // What a case says it sent has arrived once, and nothing else has: no select did two things.
    if (sent.sort().join() !== arrived.sort().join()) this.bad("what arrived is not what was sent");
    for (const [place, name] of ["a", "b"].entries()) {
      const stillThere = (what: string) =>
        this.selects.filter(
          (chosen, index) =>
            this.ends[index] === undefined && chosen.includes(`${what} ${name}` as Operation),
        );
      const senders = stillThere("send");
      const receivers = stillThere("receive");
      if (waiting[place]!.join() !== [senders.length, receivers.length].join()) {
        this.bad("a case was left behind, or lost");
      }
      const meet = senders.some((sender) => receivers.some((receiver) => sender !== receiver));
      if (meet) this.bad("two wait for each other");
    }
  }

  bad(what: string): never {
    const selects = this.selects.map((chosen) => chosen.join(" or ")).join("; ");
    expect.fail(`${what}: ${selects} -> ${JSON.stringify(this.ends)}`);
  }
}

test("selects that meet do exactly one thing each, and leave nothing", { timeout: 60_000 }, async () => {
  let completed = 0;
  for (const first of choices) {
    for (const second of choices) {
      for (const third of choices) {
        for (const capacities of [[0, 0] as const, [0, 1] as const]) {
          for (const giveUpAfter of [1, 2, 9]) {
            const meeting = new Meeting(capacities, [first, second, third]);
            await meeting.play(giveUpAfter);
            meeting.judge();
            completed += meeting.ends.filter((end) => typeof end === "object").length;
          }
        }
      }
    }
  }
  expect(completed).toBeGreaterThan(10_000);
});
