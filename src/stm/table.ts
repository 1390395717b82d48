import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import { freezeThrough, type Immutable } from "../sync/immutable.js";
import { checkKey, type Key } from "./key.js";
import type { Lockable, Locks } from "./locks.js";
import type { Stored } from "./row.js";
import { RowStore } from "./row-store.js";
import type { Space } from "./space.js";

/** For each index its name, and what makes a row's place in it; undefined leaves the row out of it. */
export type Indexes<R> = Readonly<Record<string, (row: Immutable<R>) => Key | undefined>>;

export interface TableOptions<R, I extends string> {
  /** What errors call it. */
  name?: string | undefined;
  /** What else rows are found by, with `tx.by(table, index, value)`. The functions must be pure. */
  indexes?: Readonly<Record<I, (row: Immutable<R>) => Key | undefined>> | undefined;
}

/** An index of a table, as something to lock. */
export interface TableIndex extends Lockable {
  readonly name: string;
  /** Which of them it is. */
  readonly at: number;
}

/**
 * Rows that transactions read and write, by key, in the order of keys and by index: `tx.get(table, key)`,
 * `tx.put(table, key, row)`, `tx.range(table, { from })`. Rows are data, and frozen through and through
 * when they are put: whoever would change one in place is told at once.
 */
export class Table<K extends Key, R, I extends string = string> implements Lockable {
  declare protected readonly types: [K, R, I];
  /** @internal */
  readonly space: Space;
  /** @internal */
  readonly rank: number;
  /** @internal */
  readonly what: string;
  /** @internal */
  locks: Locks | undefined;
  /** @internal */
  readonly rows: RowStore;
  /** @internal */
  readonly indexes: readonly TableIndex[];
  readonly #placesOf: readonly [string, (row: Immutable<R>) => unknown][];

  /** @internal */
  constructor(space: Space, nextRank: () => number, options: TableOptions<R, I>) {
    checkOptions(options, ["name", "indexes"]);
    const { name, indexes = {} } = options;
    if (name !== undefined && (typeof name !== "string" || name === "")) {
      throw new LockstepError("bad-input", "the name of a table must be a string that is not empty");
    }
    this.#placesOf = Object.entries(indexes);
    for (const [index, placeOf] of this.#placesOf) {
      if (typeof placeOf === "function") continue;
      const example = `as in { ${index}: (row) => row.${index} }, not ${shown(placeOf)}`;
      throw new LockstepError("bad-input", `an index is a function of a row, ${example}`);
    }
    this.space = space;
    this.what = name === undefined ? "the table" : `the table "${name}"`;
    this.rank = nextRank();
    this.rows = new RowStore(this, this.#placesOf.length);
    this.indexes = this.#placesOf.map(([index], at) => ({
      name: index,
      at,
      rank: nextRank(),
      what: `the index "${index}" of ${this.what}`,
      locks: undefined,
    }));
  }

  /** @internal */
  index(name: string): TableIndex {
    const index = this.indexes.find((other) => other.name === name);
    if (index !== undefined) return index;
    const names = this.indexes.map((other) => `"${other.name}"`).join(", ") || "none";
    throw new LockstepError(
      "bad-input",
      `${this.what} has no index ${shown(name)}; it has ${names}, and table({ indexes }) makes them`,
    );
  }

  /** @internal The row, frozen, and its place in each index. */
  stored(row: R | Immutable<R>): Stored {
    if (row === undefined) {
      throw new LockstepError("bad-input", `a row of ${this.what} is a value; delete takes one out`);
    }
    const frozen = freezeThrough(row) as Immutable<R>;
    const indexed = this.#placesOf.map(([name, placeOf]) => {
      const place = placeOf(frozen);
      if (place !== undefined) checkKey(place, `what the index "${name}" of ${this.what} makes of a row`);
      return place;
    });
    return { row: frozen, indexed };
  }
}
