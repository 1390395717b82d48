import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";

/** What a row of a table is found by. As in a Map, 1 and "1" are two keys, and -0 is 0. */
export type Key = string | number;

/** Below 0 if `a` comes first: numbers before strings, numbers by size, strings by their code units. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws 'bad-input' unless `key` is a key; `what` says whose, as in `a key of the table "accounts"`. */
export function checkKey(key: unknown, what: string): asserts key is Key {
  if (typeof key === "string" || (typeof key === "number" && !Number.isNaN(key))) return;
  const found = typeof key === "bigint" ? `the bigint ${key}` : shown(key);
  throw new LockstepError("bad-input", `${what} must be a string or a number other than NaN; it is ${found}`);
}
