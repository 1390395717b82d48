import { areIndependent, type Touched } from "./footprint.js";
import type { Point } from "./point.js";
import type { Run } from "./run.js";
import { changedError } from "./same-again.js";
import type { Strategy } from "./strategy.js";
import type { Task } from "./task.js";

/** A step that could be made. Points are made anew in each run; their numbers are not. */
interface Move {
  readonly number: number;
  readonly taskNumber: number;
  touched: Touched | undefined;
}

/** One step on the way to the current schedule. */
interface Node {
  move: Move;
  /** Of how many. */
  readonly count: number;
  /** What is still to be tried, the next one last. */
  readonly rest: Move[];
  /** What has been tried from here. */
  readonly tried: Move[];
  /** What need not be tried from here. */
  readonly asleep: readonly Move[];
}

/**
 * Of all schedules that differ only in the order of steps that touch nothing in common, one: by sleep sets
 * (Godefroid, 1990).
 *
 * When a move has been tried from a node, all schedules that begin with it there have been. One that begins
 * with another move instead, and makes this one later with nothing in between that it depends on, can be
 * turned into one of those by swapping neighbours that are independent. So the move sleeps below the node's
 * other moves, until a step is made that it depends on; and where all who could go on sleep, the schedule is
 * given up. No two schedules that are played to the end are the same but for such swaps.
 *
 * What a step touches beyond its footprint is only known once it was made: then it depends on everything.
 */
export class ReducedDepthFirst implements Strategy {
  readonly seed: number;
  readonly decidesAll = true;
  readonly #path: Node[] = [];
  #depth = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  choose(run: Run): number | undefined {
    const { ready } = run;
    this.#learn(run);
    let node = this.#path[this.#depth];
    if (node === undefined) {
      const asleep = this.#asleepNow();
      const rest = ready.filter(({ number }) => !asleep.some((move) => move.number === number)).map(moveOf);
      // The task that goes on first, as undisturbed as it can.
      const own = rest.findIndex(
        ({ number }) => number === ready[run.turns.placeOf(0, ready.length)]!.number,
      );
      const [move] = own < 0 ? rest.splice(0, 1) : rest.splice(own, 1);
      if (move === undefined) return undefined;
      node = { move, count: ready.length, rest: rest.reverse(), tried: [], asleep };
      this.#path.push(node);
    } else if (node.count !== ready.length) {
      throw changedError();
    }
    this.#depth++;
    const { number } = node.move;
    const place = ready.findIndex((point) => point.number === number);
    if (place < 0) throw changedError();
    return place;
  }

  next(run: Run): boolean {
    if (!run.isPruned) this.#learn(run);
    if (this.#depth < this.#path.length) throw changedError();
    this.#depth = 0;
    for (let node = this.#path.at(-1); node !== undefined; node = this.#path.at(-1)) {
      const move = node.rest.pop();
      if (move !== undefined) {
        node.tried.push(node.move);
        node.move = move;
        return true;
      }
      this.#path.pop();
    }
    return false;
  }

  /** Whether the latest step kept to its footprint. */
  #learn({ isStepOpen }: Run): void {
    const node = this.#path[this.#depth - 1];
    if (node !== undefined && isStepOpen) node.move.touched = undefined;
  }

  /** Those that slept before the latest step, or were tried instead of it, and do not depend on it. */
  #asleepNow(): Move[] {
    const before = this.#path[this.#depth - 1];
    if (before === undefined) return [];
    const { move, asleep, tried } = before;
    return [...asleep, ...tried].filter(
      (other) => other.taskNumber !== move.taskNumber && areIndependent(other.touched, move.touched),
    );
  }
}

function moveOf({ number, task, touched }: Point & { task: Task }): Move {
  return { number, taskNumber: task.number, touched };
}
