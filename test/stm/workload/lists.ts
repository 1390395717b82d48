// Lists that values are appended to, kept in four ways.
import type { Ref, Space, Table } from "lockstep/stm";
import type { Layout, Reads, Seen } from "./layout.js";
import { settled, type Steps } from "./steps.js";

type Items = readonly number[];

/** A ref for each list. */
export function listsInRefs(space: Space, count: number): Layout {
  const refs = Array.from({ length: count }, (): Ref<Items> => space.ref<Items>([]));
  return {
    name: "ref",
    *read(tx, key) {
      return [[key, yield* settled(tx.get(refs[key]!))]];
    },
    *readForUpdate(tx, key) {
      return [[key, yield* settled(tx.getForUpdate(refs[key]!))]];
    },
    *write(tx, key, value, isGuarded) {
      const ref = refs[key]!;
      if (isGuarded) yield* settled(tx.update(ref, (items) => [...items, value]));
      // Nobody awaits this one: the commit does.
      else void tx.set(ref, [...(yield* settled(tx.get(ref))), value]);
    },
  };
}

interface Whole {
  readonly items: Items;
}

/** A row for each list. */
export function listsInRows(space: Space): Layout {
  const rows: Table<number, Whole> = space.table<number, Whole>();
  return {
    name: "row",
    *read(tx, key, way) {
      if (way % 4 === 0) {
        const found = yield* settled(tx.range(rows));
        const all = found.map(([each, { items }]): Seen => [each, items]);
        return found.some(([each]) => each === key) ? all : [...all, [key, []]];
      }
      if (way % 4 === 1) {
        const [found] = yield* settled(tx.range(rows, { from: key, to: key + 1 }));
        return [[key, found?.[1].items ?? []]];
      }
      return [[key, (yield* settled(tx.get(rows, key)))?.items ?? []]];
    },
    *readForUpdate(tx, key) {
      return [[key, (yield* settled(tx.getForUpdate(rows, key)))?.items ?? []]];
    },
    *write(tx, key, value, isGuarded) {
      const row = yield* settled(isGuarded ? tx.getForUpdate(rows, key) : tx.get(rows, key));
      yield* settled(tx.put(rows, key, { items: [...(row?.items ?? []), value] }));
    },
  };
}

/** So many places has each list in a table. */
const width = 10_000;

interface Element {
  readonly list: number;
  readonly value: number;
}

/** A row for each element: a list is a range, and what an index finds. */
export function listsInElements(space: Space): Layout {
  const rows = space.table<number, Element, "list">({
    indexes: { list: (row) => row.list },
  });
  const range = (list: number) => ({ from: list * width, to: (list + 1) * width });

  function* find(tx: Reads, list: number, way: number): Steps<[number, Element][]> {
    if (way % 4 === 0) return yield* settled(tx.where(rows, (row) => row.list === list));
    if (way % 4 === 1) return (yield* settled(tx.range(rows, { ...range(list), reverse: true }))).reverse();
    if (way % 4 === 2) return yield* settled(tx.by(rows, "list", list));
    return yield* settled(tx.range(rows, range(list)));
  }

  return {
    name: "elements",
    *read(tx, list, way) {
      const found = yield* find(tx, list, way);
      return [[list, found.map(([, { value }]) => value)]];
    },
    *write(tx, list, value, isGuarded) {
      let place = list * width;
      if (value % 2 === 0) {
        const [last] = yield* settled(tx.range(rows, { ...range(list), reverse: true, limit: 1 }));
        if (last !== undefined) place = last[0] + 1;
      } else {
        place += (yield* settled(tx.by(rows, "list", list))).length;
      }
      // Without a snapshot another may have taken the place since.
      while (isGuarded && (yield* settled(tx.getForUpdate(rows, place))) !== undefined) place++;
      yield* settled(tx.put(rows, place, { list, value }));
    },
  };
}

interface Moving extends Whole {
  readonly list: number;
}

/** One row for each list, whose key tells the length: with each append it is deleted and put elsewhere. */
export function listsInMovingRows(space: Space): Layout {
  const rows = space.table<number, Moving, "list">({
    indexes: { list: (row) => row.list },
  });

  function* find(tx: Reads, list: number, way: number): Steps<[number, Moving] | undefined> {
    if (way % 3 === 0) return (yield* settled(tx.by(rows, "list", list)))[0];
    if (way % 3 === 1) return (yield* settled(tx.where(rows, (row) => row.list === list)))[0];
    return (yield* settled(tx.range(rows, { from: list * width, to: (list + 1) * width, limit: 1 })))[0];
  }

  return {
    name: "moving row",
    *read(tx, list, way) {
      const found = yield* find(tx, list, way);
      return [[list, found?.[1].items ?? []]];
    },
    *write(tx, list, value) {
      const found = yield* find(tx, list, value);
      const items = [...(found?.[1].items ?? []), value];
      if (found !== undefined) yield* settled(tx.delete(rows, found[0]));
      yield* settled(tx.put(rows, list * width + items.length, { list, items }));
    },
  };
}
