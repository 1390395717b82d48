import { absent, type Absent } from "./cell.js";
import type { Key } from "./key.js";
import type { Lockable } from "./locks.js";
import { OrderedMap } from "./ordered-keys.js";
import { Row, type Stored } from "./row.js";
import type { Versions } from "./versions.js";
import type { Wakeups } from "./wakeups.js";

/** The rows of a table, by key and by index, with all of the past that somebody still sees. */
export class RowStore {
  readonly table: Lockable;
  readonly byKey = new OrderedMap<Row>();
  /** For each index: the rows that stand at a value now, or did at a moment that somebody still sees. */
  readonly byIndex: readonly Map<Key, Set<Row>>[];
  /** Of the last commit that changed any. */
  version = 0;
  wakeups: Wakeups | undefined;

  constructor(table: Lockable, indexes: number) {
    this.table = table;
    this.byIndex = Array.from({ length: indexes }, () => new Map<Key, Set<Row>>());
  }

  /** What is committed at the key. */
  current(key: Key): Stored | Absent {
    return this.byKey.get(key)?.value ?? absent;
  }

  write(key: Key, after: Stored | Absent, version: number, versions: Versions): void {
    let row = this.byKey.get(key);
    const before = row?.value ?? absent;
    if (row === undefined) this.byKey.set(key, (row = new Row(this, key)));
    else versions.keep(row);
    row.value = after;
    row.version = version;
    this.version = version;
    if (after !== absent) this.#enter(row, after);
    this.forget(row, before);
    row.wakeups?.tell();
  }

  /** The row has had this value: forgets what only that called for. */
  forget(row: Row, gone: Stored | Absent): void {
    if (gone !== absent) this.#leave(row, gone);
    if (row.value === absent && row.older === undefined && this.byKey.get(row.key) === row) {
      this.byKey.delete(row.key);
    }
  }

  #enter(row: Row, stored: Stored): void {
    for (const [at, value] of stored.indexed.entries()) {
      if (value === undefined) continue;
      const found = this.byIndex[at]!.get(value);
      if (found === undefined) this.byIndex[at]!.set(value, new Set([row]));
      else found.add(row);
    }
  }

  #leave(row: Row, gone: Stored): void {
    for (const [at, value] of gone.indexed.entries()) {
      if (value === undefined || standsAt(row, at, value)) continue;
      const found = this.byIndex[at]!.get(value);
      found?.delete(row);
      if (found?.size === 0) this.byIndex[at]!.delete(value);
    }
  }
}

/** Whether any version of the row stands at that value of the index. */
function standsAt(row: Row, at: number, value: Key): boolean {
  if (row.value !== absent && row.value.indexed[at] === value) return true;
  for (let old = row.older; old !== undefined; old = old.older) {
    if (old.value !== absent && old.value.indexed[at] === value) return true;
  }
  return false;
}
