// What channels and selects do, told as naively as it can be: one list of those who wait, searched from the
// start each time. It knows no promise; what became of each call stands in `outcomes`.

export interface ModelCase {
  readonly key: string;
  readonly channel: number;
  /** Sends this value; receives if there is none. */
  readonly value?: number | undefined;
}

export interface ModelCall {
  readonly id: number;
  /** How it words what happens. */
  readonly kind: "send" | "receive" | "next" | "select";
  readonly cases: readonly ModelCase[];
  /** Which loop a `next` belongs to. */
  readonly loop?: number | undefined;
  readonly dueAt?: number | undefined;
}

interface ModelChannel {
  readonly capacity: number;
  buffer: number[];
  isClosed: boolean;
  failure: string | undefined;
}

const sends = (each: ModelCase) => each.value !== undefined;

export class ModelOfChannels {
  readonly channels: ModelChannel[];
  readonly outcomes: Record<number, string> = {};
  readonly #endedLoops = new Set<number>();
  #now = 0;
  #waiting: ModelCall[] = [];

  constructor(capacities: readonly number[]) {
    this.channels = capacities.map((capacity) => ({
      capacity,
      buffer: [],
      isClosed: false,
      failure: undefined,
    }));
  }

  /** Channel by channel: how many values, senders and receivers there are. */
  census(): number[][] {
    return this.channels.map(({ buffer }, channel) => {
      const parked = this.#waiting.flatMap(({ cases }) => cases).filter((each) => each.channel === channel);
      const senders = parked.filter(sends).length;
      return [buffer.length, senders, parked.length - senders];
    });
  }

  start(call: ModelCall): void {
    if (call.loop !== undefined && this.#endedLoops.has(call.loop)) {
      this.outcomes[call.id] = "done";
      return;
    }
    for (const each of call.cases) {
      const happened = this.attempt(each);
      if (happened === undefined) continue;
      this.#settle(call, each, happened);
      return;
    }
    if (call.dueAt === this.#now) this.outcomes[call.id] = "timeout";
    else this.#waiting.push(call);
  }

  /** Does one thing at once; undefined when it would have to wait. */
  attempt(each: ModelCase): string | undefined {
    const channel = this.channels[each.channel]!;
    if (each.value !== undefined) {
      if (channel.isClosed) return "closed";
      const receiver = this.#first(each.channel, (other) => !sends(other));
      if (receiver !== undefined) this.#settle(...receiver, `got ${each.value}`);
      else if (channel.buffer.length < channel.capacity) channel.buffer.push(each.value);
      else return undefined;
      return "sent";
    }
    const sender = this.#first(each.channel, sends);
    if (sender !== undefined) {
      channel.buffer.push(sender[1].value!);
      this.#settle(...sender, "sent");
    }
    const value = channel.buffer.shift();
    if (value !== undefined) return `got ${value}`;
    return channel.isClosed ? (channel.failure ?? "end") : undefined;
  }

  close(index: number, failure?: string): void {
    const channel = this.channels[index]!;
    if (channel.isClosed) return;
    channel.isClosed = true;
    channel.failure = failure;
    const end = failure ?? "end";
    for (let first = this.#first(index, (each) => !sends(each)); first;) {
      this.#settle(...first, end);
      first = this.#first(index, (each) => !sends(each));
    }
    for (let first = this.#first(index, sends); first; first = this.#first(index, sends)) {
      this.#settle(...first, "closed");
    }
  }

  abort(id: number): void {
    // A loop takes no signal.
    this.#giveUp((call) => call.id === id && call.loop === undefined, "aborted");
  }

  endLoop(loop: number): void {
    this.#endedLoops.add(loop);
    this.#giveUp((call) => call.loop === loop, "done");
  }

  advance(byMs: number): void {
    this.#now += byMs;
    // Nothing else happens meanwhile, so it does not matter who is first.
    this.#giveUp(({ dueAt = Infinity }) => dueAt <= this.#now, "timeout");
  }

  #giveUp(which: (call: ModelCall) => boolean, outcome: string): void {
    for (const { id } of this.#waiting.filter(which)) this.outcomes[id] = outcome;
    this.#waiting = this.#waiting.filter((call) => !which(call));
  }

  #first(channel: number, which: (each: ModelCase) => boolean): [ModelCall, ModelCase] | undefined {
    for (const call of this.#waiting) {
      const found = call.cases.find((each) => each.channel === channel && which(each));
      if (found) return [call, found];
    }
    return undefined;
  }

  #settle(call: ModelCall, each: ModelCase, happened: string): void {
    this.#waiting = this.#waiting.filter((other) => other !== call);
    this.outcomes[call.id] = inTheWordsOf(call, each, happened);
  }
}

function inTheWordsOf({ kind }: ModelCall, { key }: ModelCase, happened: string): string {
  if (happened === "closed" || happened.startsWith("failed")) return happened;
  if (kind === "select") return `${key}: ${happened === "end" ? "done" : happened}`;
  if (happened === "end") return kind === "next" ? "done" : "closed";
  return happened;
}
