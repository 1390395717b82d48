import type { Point } from "./point.js";
import type { Task } from "./task.js";

/** A task that goes on and on lets others go on after so many steps, so that none is starved by us. */
const mostStepsInARow = 200;

/** Whose turn it has been in a schedule, and whose it may be: the choices made, numbered. */
export class Turns {
  /** How often a task that could go on may be interrupted. */
  readonly #mostPreemptions: number;
  /** The choices. Number 0 means, wherever it can, that the same task goes on. */
  readonly choices: number[] = [];
  preemptions = 0;
  /** Whether a task was made to let others go on. */
  isCurbed = false;
  /** The place of the choice that is number 0. */
  #preferred = 0;
  #last: Task | undefined;
  #inARow = 0;
  /** Who alone may go on now, and who may not. */
  #only: Task | undefined;
  #except: Task | undefined;

  constructor(mostPreemptions: number) {
    this.#mostPreemptions = mostPreemptions;
  }

  /** Sees who could go on as before, and whether that is allowed. */
  lookRound(ready: readonly Point[]): void {
    const last = this.#last;
    this.#only = this.#except = undefined;
    this.#preferred = 0;
    let own = 0;
    while (own < ready.length && ready[own]!.task !== last) own++;
    if (own === ready.length) return;
    this.#preferred = own;
    if (this.#inARow >= mostStepsInARow) {
      const other = ready.findIndex(({ task }) => task !== last);
      if (other < 0) return;
      this.#preferred = other;
      this.#except = last;
      this.isCurbed = true;
    } else if (this.preemptions >= this.#mostPreemptions) {
      this.#only = last;
    }
  }

  /** Where the choice of this number stands among so many. */
  placeOf(choice: number, count: number): number {
    const place = this.#preferred + choice;
    // Not by `%`: a division takes as long as all the rest of a choice.
    return place < count ? place : place - count;
  }

  /** Whether it may go on, as far as fairness and the bound on preemptions are concerned. */
  allows({ task }: Point): boolean {
    return this.#only === undefined ? task !== this.#except : task === this.#only;
  }

  /** Keeps in mind which was chosen. */
  note(place: number, ready: readonly Point[]): void {
    const preferred = this.#preferred;
    this.choices.push(place < preferred ? place - preferred + ready.length : place - preferred);
    const last = this.#last;
    if (ready[preferred]!.task === last && ready[place]!.task !== last) this.preemptions++;
  }

  stepBy(task: Task): void {
    this.#inARow = task === this.#last ? this.#inARow + 1 : 1;
    this.#last = task;
  }
}
