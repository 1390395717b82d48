import { SeededRandom } from "../base/random.js";
import type { Run } from "./run.js";
import type { Strategy } from "./strategy.js";
import type { Task } from "./task.js";

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, 2010). Each task has a
 * random priority, and the one with the highest goes on; at `depth` - 1 random steps the one whose turn it is
 * falls behind all others. A race that shows whenever `depth` given steps come in a given order is found in
 * one schedule with a probability of at least 1 / (tasks · steps ^ (depth - 1)).
 */
export class PriorityWalk implements Strategy {
  seed: number;
  readonly decidesAll = true;
  readonly #depth: number;
  #random: SeededRandom;
  /** Of the longest schedule so far. */
  #mostSteps = 1;
  #mostTasks = 0;
  /** How many schedules were drawn from as many steps and tasks as that. */
  #drawn = 0;
  /** By the number of the task. */
  #priorities: number[] = [];
  /** The steps at which somebody falls behind. */
  readonly #changes: number[] = [];

  constructor(seed: number, depth: number) {
    this.seed = seed;
    this.#depth = depth;
    this.#random = new SeededRandom(seed);
  }

  /** How probable it is, at most, that a race of this depth has not shown in any schedule so far. */
  get chanceOfMissing(): number {
    const leastChance = 1 / (this.#mostTasks * this.#mostSteps ** (this.#depth - 1));
    return (1 - leastChance) ** this.#drawn;
  }

  choose(run: Run): number {
    const place = this.#highest(run);
    const change = this.#changes.indexOf(run.steps);
    if (change < 0) return place;
    // Below all that are drawn, and each at a height of its own.
    this.#priorities[run.ready[place]!.task.number] = -1 - change;
    return this.#highest(run);
  }

  next(run: Run): boolean {
    if (run.steps > this.#mostSteps || run.tasks.length > this.#mostTasks) {
      this.#mostSteps = Math.max(this.#mostSteps, run.steps);
      this.#mostTasks = Math.max(this.#mostTasks, run.tasks.length);
      // The bound is for schedules whose steps are all as likely to be drawn: those before do not count.
      this.#drawn = 0;
    } else {
      this.#drawn++;
    }
    this.seed = (this.seed + 1) | 0;
    this.#random = new SeededRandom(this.seed);
    this.#priorities = [];
    for (let change = 0; change < this.#depth - 1; change++) {
      this.#changes[change] = this.#random.below(this.#mostSteps);
    }
    return true;
  }

  #highest({ ready, turns }: Run): number {
    let best = -1;
    let highest = -Infinity;
    for (let place = 0; place < ready.length; place++) {
      const point = ready[place]!;
      if (!turns.allows(point)) continue;
      const priority = this.#priorityOf(point.task);
      if (priority <= highest) continue;
      best = place;
      highest = priority;
    }
    return best;
  }

  #priorityOf({ number }: Task): number {
    return (this.#priorities[number] ??= this.#random.next());
  }
}
