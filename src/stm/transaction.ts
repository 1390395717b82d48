import type { Immutable } from "../sync/immutable.js";
import type { Key } from "./key.js";
import type { Ref } from "./ref.js";
import type { Table } from "./table.js";

/** A part of the keys of a table. */
export interface Range<K extends Key> {
  /** The first key that is in it; without, the first there is. */
  from?: K | undefined;
  /** The first key behind it; without, to the last there is. */
  to?: K | undefined;
  /** From the last key to the first. */
  reverse?: boolean | undefined;
  /** No more rows than so many. */
  limit?: number | undefined;
}

/** Rows with their keys, in the order of keys: numbers before strings. */
export type Rows<K, R> = [key: K, row: Immutable<R>][];

/**
 * What snapshots and transactions can do: all that they read is of one moment, unless they chose
 * otherwise.
 */
export interface Reads {
  get<T>(ref: Ref<T>): T;
  get<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Immutable<R> | undefined;

  range<K extends Key, R, I extends string>(table: Table<K, R, I>, range?: Range<K>): Rows<K, R>;

  /** The rows that are accepted. Looks at all of them: an index is faster. `accepts` must be pure. */
  where<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    accepts: (row: Immutable<R>, key: K) => boolean,
  ): Rows<K, R>;

  /** The rows for which the function of the index gives that value. */
  by<K extends Key, R, I extends string>(table: Table<K, R, I>, index: NoInfer<I>, value: Key): Rows<K, R>;
}

/** What a transaction that only reads is given. */
export interface ReadingTransaction extends Reads {
  /**
   * Leaves the block, and runs it again as soon as something that it has read has changed. What it is that is
   * waited for need not be said.
   */
  retry(): never;
}

/**
 * What a block is given. It may be run several times, until nobody else has got in its way: so it should do
 * nothing but read and write here. What else is to happen, such as sending a mail, belongs into `onCommit`.
 *
 * It is good for this one run of the block, and throws 'misuse' afterwards.
 */
export interface Transaction extends ReadingTransaction {
  /** Reads what must be there still at the commit, at every level of isolation. */
  getForUpdate<T>(ref: Ref<T>): T;
  getForUpdate<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Immutable<R> | undefined;

  set<T>(ref: Ref<T>, value: NoInfer<T>): void;

  /** Sets it to what `change` makes of it, and returns that. It must be there still at the commit. */
  update<T>(ref: Ref<T>, change: (value: T) => NoInfer<T>): T;

  /** Puts a row, which is frozen from now on, through and through. */
  put<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
    row: NoInfer<R> | Immutable<NoInfer<R>>,
  ): void;

  delete<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): void;

  /**
   * Runs a part of the transaction that can fail for itself: if it throws, what was written since it began is
   * undone, and the error is thrown on. Await it before the block goes on.
   */
  nested<T>(block: (tx: this) => T): T;

  /** Calls back once it has committed, in order. What that throws becomes an unhandled rejection. */
  onCommit(call: () => unknown): void;

  /** Calls back whenever this run of the block, or the part of it, comes to nothing. */
  onRollback(call: () => unknown): void;
}

/** At once, where nothing has to be waited for. */
type Awaitable<T> = T | Promise<T>;

/** What every transaction and snapshot can do, for who awaits it: {@link Reads} fits, too. */
export interface LockingReads {
  get<T>(ref: Ref<T>): Awaitable<T>;
  get<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Awaitable<Immutable<R> | undefined>;

  range<K extends Key, R, I extends string>(table: Table<K, R, I>, range?: Range<K>): Awaitable<Rows<K, R>>;

  /** As in {@link Reads}; where locks are taken, it locks the whole table. */
  where<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    accepts: (row: Immutable<R>, key: K) => boolean,
  ): Awaitable<Rows<K, R>>;

  by<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    index: NoInfer<I>,
    value: Key,
  ): Awaitable<Rows<K, R>>;
}

/**
 * The same for blocks that may have to wait for locks: all that reads is to be awaited, `await
 * tx.get(ref)`. A block that awaits it runs under every control. Writing need not be awaited, since the
 * commit waits for its locks, too.
 */
export interface LockingTransaction extends LockingReads {
  /** As in a {@link Transaction}; where locks are taken, it takes the exclusive one before it reads. */
  getForUpdate<T>(ref: Ref<T>): Awaitable<T>;
  getForUpdate<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
  ): Awaitable<Immutable<R> | undefined>;

  set<T>(ref: Ref<T>, value: NoInfer<T>): Awaitable<void>;
  update<T>(ref: Ref<T>, change: (value: T) => NoInfer<T>): Awaitable<T>;
  put<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
    row: NoInfer<R> | Immutable<NoInfer<R>>,
  ): Awaitable<void>;
  delete<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Awaitable<void>;

  retry(): never;
  nested<T>(block: (tx: this) => T): T;
  onCommit(call: () => unknown): void;
  onRollback(call: () => unknown): void;
}
