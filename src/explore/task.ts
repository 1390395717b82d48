import type { Held } from "../sync/held.js";

/** One of the concurrent tasks of a program; the first is the program itself. */
export class Task {
  readonly number: number;
  readonly name: string;
  /** Who started it, and goes on when it ends. */
  readonly parent: Task | undefined;
  hasEnded = false;
  /** What it was given to hold by locks; some of it may have been released. */
  readonly held: Held[] = [];
  /** Lets those go on who await it. */
  settle: () => void = () => undefined;

  constructor(number: number, name: string, parent: Task | undefined) {
    this.number = number;
    this.name = name;
    this.parent = parent;
  }
}
