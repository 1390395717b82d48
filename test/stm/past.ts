// All that was ever committed, kept for ever: what every reader of a moment must see, and what must be kept.
import { compareKeys, type Key } from "../../src/stm/key.js";
import { expect } from "vitest";
import type { Reads, Ref, Space, Table } from "lockstep/stm";

export interface Item {
  readonly color: string | undefined;
  readonly size: number;
}

type Fields = "color" | "size";
export type Items = Table<Key, Item, Fields>;

export function itemsOf(space: Space): Items {
  return space.table<Key, Item, Fields>({ indexes: { color: (row) => row.color, size: (row) => row.size } });
}

/** From one commit up to the next one of the same place. */
interface Version<T> {
  readonly from: number;
  to: number;
  readonly value: T;
}

/** One who looks at a moment, until it is ended. */
export interface Reader {
  readonly moment: number;
  readonly reads: Reads;
  readonly end: () => unknown;
}

export class Past {
  now = 0;
  readonly #refs = new Map<Ref<number>, Version<number>[]>();
  readonly #rows = new Map<Key, Version<Item | undefined>[]>();
  readonly #items: Items;

  constructor(refs: readonly Ref<number>[], items: Items) {
    for (const ref of refs) this.#refs.set(ref, [{ from: 0, to: Infinity, value: ref.get() }]);
    this.#items = items;
  }

  commit(refs: ReadonlyMap<Ref<number>, number>, rows: ReadonlyMap<Key, Item | undefined>): void {
    this.now++;
    for (const [ref, value] of refs) this.#add(this.#refs.get(ref)!, value);
    for (const [key, item] of rows) {
      if (!this.#rows.has(key)) this.#rows.set(key, [{ from: 0, to: Infinity, value: undefined }]);
      const versions = this.#rows.get(key)!;
      if (item !== undefined || versions.at(-1)!.value !== undefined) this.#add(versions, item);
    }
  }

  /** The reader sees its moment in all ways there are to look. */
  expectSeen({ reads, moment }: Reader): void {
    for (const [ref, versions] of this.#refs) expect(reads.get(ref)).toBe(at(versions, moment));
    const rows = this.#rowsAt(moment);
    for (const key of this.#rows.keys()) {
      expect(reads.get(this.#items, key)).toEqual(rows.find(([each]) => each === key)?.[1]);
    }
    expect(reads.range(this.#items)).toEqual(rows);
    for (const color of ["red", "blue"]) {
      const expected = rows.filter(([, item]) => item.color === color);
      expect(reads.by(this.#items, "color", color)).toEqual(expected);
    }
    expect(reads.where(this.#items, (row) => row.size === 1)).toEqual(
      rows.filter(([, { size }]) => size === 1),
    );
  }

  /**
   * Exactly what the readers need is kept: of what is no longer there, all that one of them sees. That a row
   * was not there between two times needs a trace only if one sees it before; it may have one else.
   */
  expectKept(space: Space, readers: readonly Reader[]): void {
    const isSeen = ({ from, to }: Version<unknown>) =>
      to !== Infinity && readers.some(({ moment }) => from <= moment && moment < to);
    const refs = [...this.#refs.values()].flat().filter(isSeen).length;
    const rows = [...this.#rows.values()].flat().filter(isSeen);
    const values = rows.filter(({ value }) => value !== undefined).length;
    expect(space.versions.kept).toBeGreaterThanOrEqual(refs + values);
    expect(space.versions.kept).toBeLessThanOrEqual(refs + rows.filter(({ from }) => from > 0).length);
    this.#expectPlaces(isSeen);
  }

  /** What the keys and the indexes lead to: what is there now, and what somebody sees. */
  #expectPlaces(isSeen: (version: Version<unknown>) => boolean): void {
    const { byKey, byIndex } = this.#items.rows;
    const expected = new Map<Key, Set<Key>>();
    for (const [key, versions] of this.#rows) {
      const live = versions.filter((version) => version.to === Infinity || isSeen(version));
      const values = live.flatMap(({ value }) => value ?? []);
      const traces = live.filter(({ value, from, to }) => value === undefined && from > 0 && to < Infinity);
      if (values.length > 0) expect(byKey.get(key)).toBeDefined();
      else if (traces.length === 0) expect(byKey.get(key)).toBeUndefined();
      for (const { color } of values) {
        if (color === undefined) continue;
        expected.set(color, (expected.get(color) ?? new Set()).add(key));
      }
    }
    const found = [...byIndex[0]!].map(([color, rows]) => [color, new Set([...rows].map((row) => row.key))]);
    expect(new Map(found as [Key, Set<Key>][])).toEqual(expected);
  }

  #rowsAt(moment: number): [Key, Item][] {
    const rows = [...this.#rows].map(([key, versions]) => [key, at(versions, moment)] as const);
    const there = rows.filter((row): row is [Key, Item] => row[1] !== undefined);
    return there.sort(([a], [b]) => compareKeys(a, b));
  }

  #add<T>(versions: Version<T>[], value: T): void {
    const last = versions.at(-1)!;
    // Setting a number to what it was changes nothing; a row that is put is another one, equal or not.
    if (typeof value === "number" && Object.is(last.value, value)) return;
    last.to = this.now;
    versions.push({ from: this.now, to: Infinity, value });
  }
}

function at<T>(versions: readonly Version<T>[], moment: number): T {
  return versions.find(({ from, to }) => from <= moment && moment < to)!.value;
}
