// Registers that are written over without a look, kept in two ways.
import type { Ref, Space } from "lockstep/stm";
import type { Layout, Seen } from "./layout.js";
import { settled } from "./steps.js";

/** A ref for each register. */
export function registersInRefs(space: Space, count: number): Layout {
  const refs = Array.from({ length: count }, (): Ref<number | null> => space.ref<number | null>(null));
  return {
    name: "ref",
    *read(tx, key) {
      return [[key, yield* settled(tx.get(refs[key]!))]];
    },
    *readForUpdate(tx, key) {
      return [[key, yield* settled(tx.getForUpdate(refs[key]!))]];
    },
    *write(tx, key, value, isGuarded) {
      if (isGuarded) yield* settled(tx.update(refs[key]!, () => value));
      else void tx.set(refs[key]!, value);
    },
  };
}

interface Row {
  readonly value: number;
}

/** A row for each register; `isMoment` says whether all that a transaction reads is of one moment. */
export function registersInRows(space: Space, count: number, isMoment: boolean): Layout {
  const rows = space.table<number, Row, "isEven">({
    indexes: { isEven: (row) => String(row.value % 2 === 0) },
  });
  const seen = (key: number, row: Row | undefined): Seen => [key, row?.value ?? null];
  const all = (found: [number, Row][]) => {
    const byKey = new Map(found);
    return Array.from({ length: count }, (_, key) => seen(key, byKey.get(key)));
  };
  return {
    name: "row",
    *read(tx, key, way) {
      if (way % 6 === 0) return all(yield* settled(tx.range(rows)));
      if (way % 6 === 1) return all(yield* settled(tx.where(rows, () => true)));
      if (way % 6 === 2 && isMoment) {
        // What is not in one half is in the other: an index may lose no row on its way between the two.
        const even = yield* settled(tx.by(rows, "isEven", "true"));
        return all([...even, ...(yield* settled(tx.by(rows, "isEven", "false")))]);
      }
      if (way % 6 === 3) {
        const [found] = yield* settled(tx.range(rows, { from: key, to: key + 1 }));
        return [seen(key, found?.[1])];
      }
      return [seen(key, yield* settled(tx.get(rows, key)))];
    },
    *readForUpdate(tx, key) {
      return [seen(key, yield* settled(tx.getForUpdate(rows, key)))];
    },
    *write(tx, key, value, isGuarded) {
      if (isGuarded) yield* settled(tx.getForUpdate(rows, key));
      yield* settled(tx.put(rows, key, { value }));
    },
  };
}
