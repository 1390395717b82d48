import type { SeededRandom } from "lockstep/base";
import type { Operation } from "lockstep/check";

/** One thing after the other: what the object does, and calls that somebody may try on it. */
export interface Toy {
  /** A call that makes sense now, and may answer something else than last time. */
  call(random: SeededRandom): { name: string; args: unknown[] };
  /** Does it, and answers. */
  apply(name: string, args: readonly unknown[]): unknown;
  /** An answer that it might have given to this call at some time. */
  guess(name: string, random: SeededRandom): unknown;
}

export interface Shape {
  readonly operations: number;
  readonly clients: number;
  /** How often an answer is replaced by a guess, or two neighbouring moments change places: 0 for never. */
  readonly faults?: number;
  /** How often a call gets no answer, whether or not it took effect. */
  readonly lost?: number;
  /** How often a call has no effect, and says so. */
  readonly failed?: number;
  /** How often an answer comes at the very moment of the call that follows it. */
  readonly ties?: number;
}

interface Draft {
  client: number;
  name: string;
  args: unknown[];
  result: unknown;
  outcome: "ok" | "fail" | "unknown";
}

/** A moment in a history: the call of an operation, or its answer. */
type Moment = readonly [draft: Draft, what: "call" | "answer"];

/**
 * What clients see of a correct object, each call of which takes effect between call and answer; and faults.
 */
export function randomHistory(random: SeededRandom, toy: Toy, shape: Shape): Operation[] {
  const { clients, operations, faults = 0, lost = 0, failed = 0, ties = 0 } = shape;
  const moments: Moment[] = [];
  const names = Array.from({ length: clients }, (_, client) => client);
  const open: (Draft | undefined)[] = names.map(() => undefined);
  const hasTakenEffect = names.map(() => false);
  const takeEffect = (draft: Draft) => {
    if (draft.outcome !== "fail") draft.result = toy.apply(draft.name, draft.args);
  };
  let begun = 0;
  while (begun < operations || open.some((draft) => draft !== undefined)) {
    const seat = random.below(clients);
    const draft = open[seat];
    if (draft === undefined) {
      if (begun++ >= operations) continue;
      const outcome = random.chance(failed) ? "fail" : "ok";
      const next: Draft = { client: names[seat]!, ...toy.call(random), result: undefined, outcome };
      open[seat] = next;
      hasTakenEffect[seat] = false;
      moments.push([next, "call"]);
    } else if (!hasTakenEffect[seat]) {
      hasTakenEffect[seat] = true;
      if (draft.outcome === "ok" && random.chance(lost)) {
        draft.outcome = "unknown";
        if (random.chance(0.5)) takeEffect(draft);
        draft.result = undefined;
        open[seat] = undefined;
        // A client that lost a call goes on under a new name.
        names[seat] = names[seat]! + clients;
        continue;
      }
      takeEffect(draft);
    } else {
      open[seat] = undefined;
      moments.push([draft, "answer"]);
    }
  }
  disturb(moments, toy, random, faults);
  return tied(written(moments), random, ties);
}

function disturb(moments: Moment[], toy: Toy, random: SeededRandom, faults: number): void {
  for (let place = 0; place < moments.length; place++) {
    const [draft, what] = moments[place]!;
    if (what === "answer" && draft.outcome === "ok" && random.chance(faults)) {
      draft.result = otherGuess(draft, toy, random);
    }
    const next = moments[place + 1];
    if (next !== undefined && next[0].client !== draft.client && random.chance(faults)) {
      moments[place + 1] = moments[place]!;
      moments[place] = next;
    }
  }
}

/** Another answer than it had, if one comes to mind soon. */
function otherGuess({ name, result }: Draft, toy: Toy, random: SeededRandom): unknown {
  const guesses = Array.from({ length: 3 }, () => toy.guess(name, random));
  return guesses.find((guess) => JSON.stringify(guess) !== JSON.stringify(result)) ?? result;
}

function written(moments: readonly Moment[]): Operation[] {
  const answers = new Map<Draft, number>();
  for (const [place, [draft, what]] of moments.entries()) if (what === "answer") answers.set(draft, place);
  return moments.flatMap(([draft, what], invoked) => {
    if (what === "answer") return [];
    const { client, name, args, result, outcome } = draft;
    return { client, name, args, result, outcome, invoked, returned: answers.get(draft) ?? Infinity };
  });
}

function tied(operations: Operation[], random: SeededRandom, ties: number): Operation[] {
  const calls = new Set(operations.map(({ invoked }) => invoked));
  return operations.map((operation) => {
    const next = operation.returned + 1;
    return calls.has(next) && random.chance(ties) ? { ...operation, returned: next } : operation;
  });
}

/** Writes a new value each time; now and then one that was there before, if `repeats` says how often. */
export function toyRegister({ repeats = 0 } = {}): Toy {
  let value: unknown = null;
  let newest = 0;
  return {
    call(random) {
      if (random.chance(0.5)) return { name: "read", args: [] };
      return { name: "write", args: [random.chance(repeats) ? random.below(newest + 1) : ++newest] };
    },
    apply(name, args) {
      if (name === "read") return value;
      value = args[0];
      return undefined;
    },
    guess: (name, random) => (name === "read" ? random.below(newest + 2) || null : undefined),
  };
}

/** A queue if it gives out the oldest of its values, a stack if the newest. */
function toyContainer(put: string, take: string, end: "oldest" | "newest", repeats: number): Toy {
  const values: unknown[] = [];
  let newest = 0;
  return {
    call(random) {
      if (random.chance(0.5)) return { name: take, args: [] };
      return { name: put, args: [random.chance(repeats) ? random.below(newest + 1) : ++newest] };
    },
    apply(name, args) {
      if (name === take) return (end === "oldest" ? values.shift() : values.pop()) ?? null;
      values.push(args[0]);
      return undefined;
    },
    guess: (name, random) => (name === take ? random.below(newest + 2) || null : undefined),
  };
}

export function toyQueue({ repeats = 0 } = {}): Toy {
  return toyContainer("enqueue", "dequeue", "oldest", repeats);
}

export function toyStack({ repeats = 0 } = {}): Toy {
  return toyContainer("push", "pop", "newest", repeats);
}

/**
 * Elements are added once each and removed perhaps once. Either one asks for them one by one, or, if it only
 * grows, reads the whole as well. If it is `talkative`, adds and removes answer whether they changed
 * anything.
 */
export function toySet({ repeats = 0, grows = false, talkative = false } = {}): Toy {
  const values = new Set<unknown>();
  const removable = new Set<number>();
  let newest = 0;
  return {
    call(random) {
      const kind = random.below(8);
      if (kind === 0 || newest === 0) {
        if (random.chance(repeats)) return { name: "add", args: [random.below(newest + 1)] };
        removable.add(++newest);
        return { name: "add", args: [newest] };
      }
      const element = 1 + random.below(newest);
      if (grows && kind > 4) return { name: "read", args: [] };
      if (kind === 1 && !grows && (removable.delete(element) || random.chance(repeats))) {
        return { name: "remove", args: [element] };
      }
      return { name: "contains", args: [element] };
    },
    apply(name, args) {
      if (name === "read") return [...values].sort();
      if (name === "contains") return values.has(args[0]);
      const had = values.has(args[0]);
      if (name === "add") values.add(args[0]);
      else values.delete(args[0]);
      return talkative ? had === (name === "remove") : undefined;
    },
    guess(name, random) {
      if (name === "contains" || (name !== "read" && talkative)) return random.chance(0.5);
      if (name !== "read") return undefined;
      return Array.from({ length: newest }, (_, index) => index + 1).filter(() => random.chance(0.6));
    },
  };
}
