import { SeededRandom } from "../base/random.js";
import type { Point } from "./point.js";
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
  #mostTasks = 1;
  #priorities = new Map<Task, number>();
  /** The steps at which somebody falls behind. */
  #changes: number[] = [];

  constructor(seed: number, depth: number) {
    this.seed = seed;
    this.#depth = depth;
    this.#random = new SeededRandom(seed);
  }

  /** How probable it is, at least, that one schedule shows a race of this depth. */
  get leastChance(): number {
    return 1 / (this.#mostTasks * this.#mostSteps ** (this.#depth - 1));
  }

  choose(run: Run): number {
    let place = this.#highest(run);
    const change = this.#changes.indexOf(run.steps);
    if (change >= 0) {
      // Below all that are drawn, and each at a height of its own.
      this.#priorities.set(run.ready[place]!.task, -1 - change);
      place = this.#highest(run);
    }
    return place;
  }

  next(run: Run): boolean {
    this.#mostSteps = Math.max(this.#mostSteps, run.steps);
    this.#mostTasks = Math.max(this.#mostTasks, run.tasks.length);
    this.seed = (this.seed + 1) | 0;
    this.#random = new SeededRandom(this.seed);
    this.#priorities = new Map();
    this.#changes = Array.from({ length: this.#depth - 1 }, () => this.#random.below(this.#mostSteps));
    return true;
  }

  #highest({ ready, turns }: Run): number {
    let best = -1;
    for (let place = 0; place < ready.length; place++) {
      const point = ready[place]!;
      if (!turns.allows(point)) continue;
      if (best < 0 || this.#priorityOf(point) > this.#priorityOf(ready[best]!)) best = place;
    }
    return best;
  }

  #priorityOf({ task }: Point): number {
    let priority = this.#priorities.get(task);
    if (priority === undefined) this.#priorities.set(task, (priority = this.#random.next()));
    return priority;
  }
}
