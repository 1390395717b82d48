import type { Cell } from "./cell.js";
import type { RowsRead } from "./rows-read.js";
import { Sleeper, Wakeups } from "./wakeups.js";

/** What a transaction has read: what the next one to commit may spoil, and what it can sleep on. */
export class ReadLog {
  readonly #number: number;
  readonly cells: Cell<unknown>[] = [];
  #rows: RowsRead[] | undefined;

  /** `number` tells it from all others. */
  constructor(number: number) {
    this.#number = number;
  }

  get rows(): readonly RowsRead[] {
    return this.#rows ?? [];
  }

  get size(): number {
    return this.cells.length + this.rows.length;
  }

  note(cell: Cell<unknown>): void {
    if (cell.notedBy === this.#number) return;
    cell.notedBy = this.#number;
    this.cells.push(cell);
  }

  noteRows(read: RowsRead): void {
    (this.#rows ??= []).push(read);
  }

  firstChangedSince(version: number): Cell<unknown> | RowsRead | undefined {
    return (
      this.cells.find((cell) => cell.hasChangedSince(version)) ??
      this.rows.find((read) => read.hasChangedSince(version))
    );
  }

  /** Sleeps until any of it changes; undefined if some has since that version. */
  sleepSince(version: number): Sleeper | undefined {
    // Of a table that has changed at all it may be too late to say what has.
    const isTooLate =
      this.cells.some((cell) => cell.hasChangedSince(version)) ||
      this.rows.some(({ table }) => table.rows.version > version);
    if (isTooLate) return undefined;
    const sleeper = new Sleeper();
    for (const cell of this.cells) sleeper.joins((cell.wakeups ??= new Wakeups()));
    for (const read of this.rows) {
      const { rows } = read.table;
      sleeper.joins((rows.wakeups ??= new Wakeups()), (...change) => read.isTouchedBy(...change));
    }
    return sleeper;
  }
}
