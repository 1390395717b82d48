import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import { checkKey, type Key } from "./key.js";
import { RowsRead, type AnyTable } from "./rows-read.js";
import { everything, Span } from "./span.js";
import type { Range } from "./transaction.js";

/** A question about a table, and how much of the answer is wanted, in which order. */
export interface Question {
  readonly read: RowsRead;
  readonly reverse: boolean;
  readonly limit: number;
}

export function checkTableKey(table: AnyTable, key: unknown): asserts key is Key {
  checkKey(key, `a key of ${table.what}`);
}

export function inRange(table: AnyTable, range: Range<Key> = {}): Question {
  checkOptions(range, ["from", "to", "reverse", "limit"]);
  const { from, to, reverse = false, limit = Infinity } = range;
  if (from !== undefined) checkTableKey(table, from);
  if (to !== undefined) checkTableKey(table, to);
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new LockstepError("bad-input", `limit must be a whole number from 1 up, not ${shown(limit)}`);
  }
  if (typeof reverse !== "boolean") {
    throw new LockstepError("bad-input", `reverse must be true or false, not ${shown(reverse)}`);
  }
  return { read: new RowsRead(table, new Span(from, to)), reverse, limit };
}

export function acceptedBy(table: AnyTable, accepts: (row: never, key: never) => unknown): Question {
  if (typeof accepts !== "function") {
    const example = "where(table, (row) => row.balance < 0)";
    throw new LockstepError("bad-input", `where takes a function, as in ${example}, not ${shown(accepts)}`);
  }
  return all(new RowsRead(table, everything, undefined, accepts));
}

export function atIndex(table: AnyTable, name: string, value: Key): Question {
  const index = table.index(name);
  checkKey(value, `a value of ${index.what}`);
  return all(new RowsRead(table, everything, { index, value }));
}

function all(read: RowsRead): Question {
  return { read, reverse: false, limit: Infinity };
}
