import type { Touched } from "./footprint.js";
import type { Task } from "./task.js";

/** What happens when a task goes on from a point. */
export type PointKind = "start" | "step" | "effect" | "answer" | "refusal" | "grant" | "turn" | "timer";

/** A point at which a task is held up until it is chosen to go on. */
export class Point {
  /** Counts up in each run: the same point has the same number in runs that have been the same until then. */
  readonly number: number;
  readonly task: Task;
  readonly kind: PointKind;
  readonly what: string | (() => string);
  readonly #resume: (value: never) => void;
  readonly value: unknown;
  readonly touched: Touched | undefined;

  constructor(
    number: number,
    task: Task,
    kind: PointKind,
    what: string | (() => string),
    resume: (value: never) => void,
    value?: unknown,
    touched?: Touched,
  ) {
    this.number = number;
    this.task = task;
    this.kind = kind;
    this.what = what;
    this.#resume = resume;
    this.value = value;
    this.touched = touched;
  }

  goOn(): void {
    this.#resume(this.value as never);
  }
}
