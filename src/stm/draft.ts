import { absent, type Absent } from "./cell.js";
import type { Key } from "./key.js";
import type { Ref } from "./ref.js";
import type { Stored } from "./row.js";
import type { AnyTable } from "./rows-read.js";
import type { Versions } from "./versions.js";

/** Looking through so many is quicker than a Map. */
const fewRefs = 8;

/** What a transaction has written and not committed. */
export class Draft {
  refs: Ref<unknown>[] = [];
  #values: unknown[] = [];
  #places: Map<Ref<unknown>, number> | undefined;
  tables: Map<AnyTable, Map<Key, Stored | Absent>> | undefined;

  /** Where the ref is in it; below zero if it is not. */
  placeOf(ref: Ref<unknown>): number {
    if (this.#places !== undefined) return this.#places.get(ref) ?? -1;
    let place = this.refs.length - 1;
    while (place >= 0 && this.refs[place] !== ref) place--;
    return place;
  }

  valueAt(place: number): unknown {
    return this.#values[place];
  }

  set(ref: Ref<unknown>, value: unknown): void {
    const place = this.placeOf(ref);
    if (place >= 0) {
      this.#values[place] = value;
      return;
    }
    this.refs.push(ref);
    this.#values.push(value);
    if (this.#places !== undefined) this.#places.set(ref, this.refs.length - 1);
    else if (this.refs.length > fewRefs) this.#places = new Map(this.refs.map((each, at) => [each, at]));
  }

  put(table: AnyTable, key: Key, stored: Stored | Absent): void {
    this.tables ??= new Map();
    const rows = this.tables.get(table);
    if (rows === undefined) this.tables.set(table, new Map([[key, stored]]));
    else rows.set(key, stored);
  }

  /** A copy, to go back to. */
  copy(): Draft {
    const copy = new Draft();
    copy.refs = this.refs.slice();
    copy.#values = this.#values.slice();
    copy.#places = this.#places && new Map(this.#places);
    copy.tables = this.tables && new Map([...this.tables].map(([table, rows]) => [table, new Map(rows)]));
    return copy;
  }

  /** Makes it what is committed: in one turn, so nobody ever sees a part of it. Nothing in here can fail. */
  publish(versions: Versions): void {
    const version = versions.now + 1;
    // Who is woken only goes on in a later turn; the version is there before anybody asks.
    versions.now = version;
    for (let place = 0; place < this.refs.length; place++) {
      const ref = this.refs[place]!;
      const value = this.#values[place];
      // What is set to what it was has not changed.
      if (Object.is(ref.value, value)) continue;
      versions.keep(ref);
      ref.value = value;
      ref.version = version;
      ref.wakeups?.tell();
    }
    const news = this.tables && publishRows(this.tables, version, versions);
    versions.endTooOld();
    // Who waits for certain rows is asked whether these are such: by code of others, which must see all
    // of it.
    for (const tell of news ?? []) tell();
  }
}

/** Gives what is to be done when all is published. */
function publishRows(
  tables: ReadonlyMap<AnyTable, ReadonlyMap<Key, Stored | Absent>>,
  version: number,
  versions: Versions,
): (() => void)[] {
  const news: (() => void)[] = [];
  for (const [{ rows }, drafts] of tables) {
    for (const [key, after] of drafts) {
      const before = rows.current(key);
      if (after === absent && before === absent) continue;
      rows.write(key, after, version, versions);
      const { wakeups } = rows;
      if (wakeups?.isEmpty === false) news.push(() => wakeups.tell(key, before, after));
    }
  }
  return news;
}
