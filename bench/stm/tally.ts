import { SeededRandom } from "lockstep/base";
import { Pace } from "../pace.js";

/** Counts what transactions committed, and how often their blocks were called for it. */
export class Tally extends Pace {
  commits = 0;
  calls = 0;

  get callsPerCommit(): number {
    return this.calls / this.commits;
  }
}

/** Runs so many tasks, until the time is over and each of them has done what it began. */
export async function tallied(tasks: number, task: (tally: Tally) => unknown): Promise<Tally> {
  const tally = new Tally();
  tally.begin();
  await Promise.all(Array.from({ length: tasks }, () => task(tally)));
  return tally;
}

export type Pair = readonly [one: number, other: number];

/** Two of so many, by turns, and the same for all: chosen in advance, for chance costs time. */
export class Pairs {
  readonly #pairs: readonly Pair[];
  #turn = 0;

  constructor(of: number) {
    const random = new SeededRandom(1);
    this.#pairs = Array.from({ length: 4096 }, (): Pair => {
      const one = random.below(of);
      return [one, (one + 1 + random.below(of - 1)) % of];
    });
  }

  next(): Pair {
    return this.#pairs[this.#turn++ % this.#pairs.length]!;
  }
}

/** Ends the bench if something was lost. */
export function mustBe(expected: number, values: readonly number[]): void {
  const sum = values.reduce((all, value) => all + value, 0);
  if (sum !== expected) throw new Error(`all refs hold ${sum} together, and should hold ${expected}`);
}
