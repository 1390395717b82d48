import type { Clock } from "../base/clock.js";
import type { SeededRandom } from "../base/random.js";
import type { Footprint } from "./footprint.js";

/** What a program under the explorer is given to play on; new for each schedule. */
export interface Stage {
  /**
   * Starts a concurrent task, such as a request that comes in: when it begins is up to the schedule. The
   * promise gives what the body gives, and need not be awaited: a schedule ends when all tasks have ended.
   */
  task<T>(body: () => T | PromiseLike<T>): Promise<T>;
  task<T>(name: string, body: () => T | PromiseLike<T>): Promise<T>;
  task<T>(name: string, footprint: Footprint, body: () => T | PromiseLike<T>): Promise<T>;

  /**
   * Does something that takes time: a query, a request, a file. Others may go on before its effect, and again
   * between its effect and its answer.
   */
  io<T>(effect: () => T | PromiseLike<T>): Promise<T>;
  io<T>(name: string, effect: () => T | PromiseLike<T>): Promise<T>;
  io<T>(name: string, footprint: Footprint, effect: () => T | PromiseLike<T>): Promise<T>;

  /** A point at which others may go on, and nothing else. */
  step(name?: string, footprint?: Footprint): Promise<void>;

  /** Looks after each step, from now on, whether something holds: it must not throw, nor say false. */
  invariant(holds: () => unknown): void;

  /** Chance, the same each time that a schedule is played. */
  readonly random: SeededRandom;

  /** The time of this schedule. `Date`, `setTimeout` and their kin follow it as well. */
  readonly clock: Clock;
}

/** Code that may have a race: it makes its state, starts tasks, and throws when something is wrong. */
export type Program = (stage: Stage) => unknown;
