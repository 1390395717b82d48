import type { Lockable } from "./locks.js";
import type { Span } from "./span.js";
import type { Wakeups } from "./wakeups.js";

/** What stands for no value: a row that was deleted, or was not there yet. */
export const absent: unique symbol = Symbol("absent");
export type Absent = typeof absent;

/**
 * Each conflict about a place makes it hotter by this: so often it is taken in turns, though nobody else
 * comes.
 */
const heatOfConflict = 8;
const hottest = 64;

/** A value that was overwritten, kept for those who look at a moment at which it was the newest. */
export class OldVersion<T> {
  readonly cell: Cell<T>;
  readonly value: T;
  readonly version: number;
  newer: OldVersion<T> | undefined;
  older: OldVersion<T> | undefined;

  constructor(cell: Cell<T>) {
    this.cell = cell;
    this.value = cell.value;
    this.version = cell.version;
    this.older = cell.older;
    if (this.older !== undefined) this.older.newer = this;
    cell.older = this;
  }

  /** Takes it out of the chain of its cell. */
  drop(): void {
    if (this.older !== undefined) this.older.newer = this.newer;
    if (this.newer === undefined) this.cell.older = this.older;
    else this.newer.older = this.older;
    this.cell.dropped(this);
  }
}

/** One place of a space: what is committed there, and what of the past somebody may still want to see. */
export abstract class Cell<T> {
  value: T;
  /** Of the commit that put the value there. */
  version = 0;
  /** What was there before, the newest first, as far as somebody needs it. */
  older: OldVersion<T> | undefined;
  /** Those who wait for it to change. */
  wakeups: Wakeups | undefined;
  /** The attempt that noted it last as read, so that it is not noted twice in a row. */
  notedBy = 0;
  /** Above zero where transactions were in each other's way lately. */
  heat = 0;

  constructor(value: T) {
    this.value = value;
  }

  /** Transactions were in each other's way here. */
  heatUp(): void {
    this.heat = Math.min(this.heat + heatOfConflict, hottest);
  }

  /** It was taken in turn: somebody else wanted it, or nobody did. */
  wasTaken(isWanted: boolean): void {
    this.heat = Math.min(this.heat + (isWanted ? 1 : -1), hottest);
  }

  /** How errors call it. */
  abstract get what(): string;

  /** What is locked when it is. */
  abstract get place(): { readonly on: Lockable; readonly span: Span };

  /** What was there at that version; somebody must have kept it. */
  at(version: number): T | Absent {
    if (this.version <= version) return this.value;
    let old = this.older;
    while (old !== undefined && old.version > version) old = old.older;
    return old === undefined ? absent : old.value;
  }

  hasChangedSince(version: number): boolean {
    return this.version > version;
  }

  /** An old version of it is gone. */
  dropped(_old: OldVersion<T>): void {
    // Only rows have more to forget.
  }
}
