/** What each row comes right after: those from `starts[row]` to `starts[row + 1]`. */
export interface Predecessors {
  readonly starts: ArrayLike<number>;
  readonly rows: ArrayLike<number>;
}

/** All rows, each after those that it comes after, or rows that come after one another in a circle. */
export type TopologicalOrder = { readonly order: Int32Array } | { readonly circle: readonly number[] };

/**
 * Puts the rows in an order that all of the relations agree with, as near to their own order as can be: a
 * row is only moved before those with smaller numbers that need it.
 */
export function topologicalOrder(size: number, relations: readonly Predecessors[]): TopologicalOrder {
  const order = new Int32Array(size);
  let done = 0;
  const unseen = 0;
  const open = 1;
  const closed = 2;
  const state = new Uint8Array(size);
  const path: number[] = [];
  // By row on the path: where it is in which of the relations.
  const relationOf = new Uint8Array(size);
  const next = new Int32Array(size);
  const enter = (row: number) => {
    state[row] = open;
    next[row] = relations[0]!.starts[row]!;
    path.push(row);
  };
  for (let first = 0; first < size; first++) {
    if (state[first] === unseen) enter(first);
    while (path.length > 0) {
      const row = path.at(-1)!;
      const { starts, rows } = relations[relationOf[row]!]!;
      if (next[row]! < starts[row + 1]!) {
        const before = rows[next[row]!++]!;
        if (state[before] === unseen) enter(before);
        else if (state[before] === open) return { circle: path.slice(path.indexOf(before)) };
      } else if (++relationOf[row]! < relations.length) {
        next[row] = relations[relationOf[row]!]!.starts[row]!;
      } else {
        state[row] = closed;
        order[done++] = row;
        path.pop();
      }
    }
  }
  return { order };
}
