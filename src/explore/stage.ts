import type { Clock } from "../base/clock.js";
import type { SeededRandom } from "../base/random.js";
import type { Footprint } from "./footprint.js";

type Body<T> = () => T | PromiseLike<T>;

/** Does what it is given, under a name for reports, and with a footprint if there is one. */
export interface Doer {
  <T>(body: Body<T>): Promise<T>;
  <T>(name: string, body: Body<T>): Promise<T>;
  <T>(name: string, footprint: Footprint, body: Body<T>): Promise<T>;
}

/** What a program under the explorer is given to play on; new for each schedule. */
export interface Stage {
  /**
   * Starts a concurrent task, such as a request that comes in: when it begins is up to the schedule. The
   * promise gives what the body gives, and need not be awaited: a schedule ends when all tasks have ended.
   */
  readonly task: Doer;

  /**
   * Does something that takes time: a query, a request, a file. Others may go on before its effect, and again
   * between its effect and its answer.
   */
  readonly io: Doer;

  /** A point at which others may go on, and nothing else. */
  readonly step: (name?: string, footprint?: Footprint) => Promise<void>;

  /** Looks after each step, from now on, whether something holds: it must not throw, nor say false. */
  readonly invariant: (holds: () => unknown) => void;

  /** Chance, the same each time that a schedule is played. */
  readonly random: SeededRandom;

  /** The time of this schedule. `Date`, `setTimeout` and their kin follow it as well. */
  readonly clock: Clock;
}

/** Code that may have a race: it makes its state, starts tasks, and throws when something is wrong. */
export type Program = (stage: Stage) => unknown;
