import { shown } from "../base/shown.js";
import { absent, type Absent } from "./cell.js";
import { compareKeys, type Key } from "./key.js";
import type { Want } from "./locks.js";
import type { Row, Stored } from "./row.js";
import { Span } from "./span.js";
import type { Table, TableIndex } from "./table.js";

/** A table, whatever its rows. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows go in and out, so only any fits all.
export type AnyTable = Table<any, any>;

/**
 * What was asked of a table: which rows there are in a range, or at a value of an index, or at a key that has
 * none. It changes when a row that fits comes, goes or is replaced: so a row that was not there counts, too.
 */
export class RowsRead {
  readonly table: AnyTable;
  span: Span;
  readonly #at: { readonly index: TableIndex; readonly value: Key } | undefined;
  readonly #accepts: ((row: never, key: never) => unknown) | undefined;

  constructor(
    table: AnyTable,
    span: Span,
    at?: { readonly index: TableIndex; readonly value: Key },
    accepts?: (row: never, key: never) => unknown,
  ) {
    this.table = table;
    this.span = span;
    this.#at = at;
    this.#accepts = accepts;
  }

  /** How errors call it. */
  get what(): string {
    const key = this.span.point;
    return key === undefined ? this.table.what : `the key ${shown(key)} of ${this.table.what}`;
  }

  /** What keeps it as it is while it is locked. */
  *wants(): Generator<Want> {
    if (this.#at === undefined) {
      yield { on: this.table, span: this.span, isExclusive: false };
      return;
    }
    const { index, value } = this.#at;
    yield { on: index, span: Span.of(value), isExclusive: false };
    // Nobody comes to that place of the index now, or leaves it; who stays must not change, either.
    for (const row of this.candidates()) yield { ...row.place, isExclusive: false };
  }

  /** No more of it was looked at than up to this key, which was. */
  endAt(key: Key, reverse: boolean): void {
    const { from, to, isToIncluded } = this.span;
    this.span = reverse ? new Span(key, to, isToIncluded) : new Span(from, key, true);
  }

  /** The places where such rows may be, by key. */
  candidates(reverse = false): Iterable<Row> {
    if (this.#at === undefined) return this.#inRange(reverse);
    const found = [...(this.table.rows.byIndex[this.#at.index.at]!.get(this.#at.value) ?? [])];
    return found.sort((a, b) => (reverse ? -1 : 1) * compareKeys(a.key, b.key));
  }

  accepts(key: Key, stored: Stored | Absent): stored is Stored {
    if (stored === absent || !this.span.contains(key)) return false;
    if (this.#at !== undefined && stored.indexed[this.#at.index.at] !== this.#at.value) return false;
    return this.#accepts === undefined || Boolean(this.#accepts(stored.row as never, key as never));
  }

  /** Whether the answer is another one than at that version. */
  hasChangedSince(version: number): boolean {
    if (this.table.rows.version <= version) return false;
    for (const row of this.candidates()) {
      if (row.version > version && this.isTouchedBy(row.key, row.at(version), row.value)) return true;
    }
    return false;
  }

  /** Whether such a change of a row would be one of the answer. */
  isTouchedBy(key: Key, before: Stored | Absent, after: Stored | Absent): boolean {
    try {
      return this.accepts(key, before) || this.accepts(key, after);
    } catch {
      // It accepted or refused all that it was asked when it was read; of this, who knows.
      return true;
    }
  }

  *#inRange(reverse: boolean): Generator<Row> {
    const { point } = this.span;
    if (point !== undefined) {
      const row = this.table.rows.byKey.get(point);
      if (row !== undefined) yield row;
      return;
    }
    const { from, to, isToIncluded } = this.span;
    const range = isToIncluded ? { from, reverse } : { from, to, reverse };
    for (const [key, row] of this.table.rows.byKey.range(range)) {
      if (this.span.contains(key)) yield row;
      else if (!reverse) return;
    }
  }
}
