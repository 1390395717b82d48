import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";

/**
 * What the code touches, of all that tasks share, from this point until the task's next one: the effect of
 * an `io`, and what is done with its answer. Two that touch nothing in common, or only read it, may go in
 * either order with the same outcome, so only one order need be tried. A name left out is a race overlooked.
 */
export interface Footprint {
  readonly reads?: readonly string[] | undefined;
  readonly writes?: readonly string[] | undefined;
}

/** A footprint as two sets of bits, for many comparisons; undefined where anything may be touched. */
export interface Touched {
  readonly reads: number;
  readonly writes: number;
}

const bits = 31;

/** Turns names into bits. With more names than bits some share one, which costs schedules, never a race. */
export class FootprintNames {
  readonly #bitOf = new Map<string, number>();

  touched(footprint: Footprint): Touched {
    checkOptions(footprint, ["reads", "writes"]);
    return { reads: this.#bitsOf(footprint.reads), writes: this.#bitsOf(footprint.writes) };
  }

  #bitsOf(names: readonly string[] = []): number {
    const isList = (given: unknown): given is string[] =>
      Array.isArray(given) && given.every((name) => typeof name === "string");
    if (!isList(names)) {
      throw new LockstepError("bad-input", 'a footprint lists names, as in { reads: ["stock"], writes: [] }');
    }
    let set = 0;
    for (const name of names) {
      let bit = this.#bitOf.get(name);
      if (bit === undefined) this.#bitOf.set(name, (bit = this.#bitOf.size % bits));
      set |= 1 << bit;
    }
    return set;
  }
}

/** Whether the two can be swapped and nobody can tell. */
export function areIndependent(a: Touched | undefined, b: Touched | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return (a.writes & (b.reads | b.writes)) === 0 && (b.writes & a.reads) === 0;
}
