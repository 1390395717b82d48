import { shown } from "../base/shown.js";
import { absent, Cell, type Absent, type OldVersion } from "./cell.js";
import type { Key } from "./key.js";
import type { Lockable } from "./locks.js";
import type { RowStore } from "./row-store.js";
import { Span } from "./span.js";

/** A row as it is put, with what its indexes make of it. Made once, so that indexes are asked only once. */
export interface Stored {
  readonly row: unknown;
  /** Where it stands in each index of the table; undefined where it does not. */
  readonly indexed: readonly (Key | undefined)[];
}

/** The place of a key in a table, as long as there is a row, or somebody who still sees one. */
export class Row extends Cell<Stored | Absent> {
  readonly key: Key;
  readonly #rows: RowStore;

  constructor(rows: RowStore, key: Key) {
    super(absent);
    this.#rows = rows;
    this.key = key;
  }

  get what(): string {
    return `the row ${shown(this.key)} of ${this.#rows.table.what}`;
  }

  get place(): { on: Lockable; span: Span } {
    return { on: this.#rows.table, span: Span.of(this.key) };
  }

  override dropped(old: OldVersion<Stored | Absent>): void {
    this.#rows.forget(this, old.value);
  }
}
