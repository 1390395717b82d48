import { LockstepError } from "../base/errors.js";
import type { Immutable } from "../sync/immutable.js";
import { absent } from "./cell.js";
import { Block, changed } from "./block.js";
import type { Discipline } from "./discipline.js";
import type { Key } from "./key.js";
import { acceptedBy, atIndex, checkTableKey, inRange, type Question } from "./questions.js";
import { Ref } from "./ref.js";
import type { AnyTable } from "./rows-read.js";
import type { Space } from "./space.js";
import type { Table } from "./table.js";
import type { Range, Rows, Transaction } from "./transaction.js";

/** A transaction that waits for nothing until it commits. */
export class OptimisticBlock extends Block implements Transaction {
  readonly #isReadOnly: boolean;

  constructor(space: Space, discipline: Discipline, isReadOnly = false) {
    super(space, discipline);
    this.#isReadOnly = isReadOnly;
  }

  get<T>(ref: Ref<T>): T;
  get<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Immutable<R> | undefined;
  get(from: Ref<unknown> | AnyTable, key?: Key): unknown {
    if (!(from instanceof Ref)) return this.#getRow(from, key);
    this.enterRef(from);
    return this.readRef(from);
  }

  getForUpdate<T>(ref: Ref<T>): T;
  getForUpdate<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Immutable<R> | undefined;
  getForUpdate(from: Ref<unknown> | AnyTable, key?: Key): unknown {
    this.#enterToWrite();
    if (!(from instanceof Ref)) return this.#getRow(from, key, true);
    this.enterRef(from);
    const value = this.readRef(from, true);
    this.guard(from);
    return value;
  }

  range<K extends Key, R, I extends string>(table: Table<K, R, I>, range?: Range<K>): Rows<K, R> {
    this.enterTable(table);
    return this.#ask(inRange(table, range));
  }

  where<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    accepts: (row: Immutable<R>, key: K) => boolean,
  ): Rows<K, R> {
    this.enterTable(table);
    return this.#ask(acceptedBy(table, accepts));
  }

  by<K extends Key, R, I extends string>(table: Table<K, R, I>, index: NoInfer<I>, value: Key): Rows<K, R> {
    this.enterTable(table);
    return this.#ask(atIndex(table, index, value));
  }

  set<T>(ref: Ref<T>, value: NoInfer<T>): void {
    this.#enterToWrite();
    this.enterRef(ref);
    this.writeRef(ref, value);
  }

  update<T>(ref: Ref<T>, change: (value: T) => NoInfer<T>): T {
    const value = changed(change, this.getForUpdate(ref));
    this.set(ref, value);
    return value;
  }

  put<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
    row: NoInfer<R> | Immutable<NoInfer<R>>,
  ): void {
    this.#enterToWrite();
    this.enterTable(table);
    checkTableKey(table, key);
    this.writeRow(table, key, table.stored(row));
  }

  delete<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): void {
    this.#enterToWrite();
    this.enterTable(table);
    checkTableKey(table, key);
    this.writeRow(table, key, absent);
  }

  #getRow(table: AnyTable, key: unknown, isForUpdate = false): unknown {
    this.enterTable(table, "ref or table");
    checkTableKey(table, key);
    const stored = this.readRow(table, key, isForUpdate);
    if (isForUpdate) this.guardRow(table, key, stored);
    return stored === absent ? undefined : stored.row;
  }

  #ask<K extends Key, R>({ read, reverse, limit }: Question): Rows<K, R> {
    return this.readRows(read, reverse, limit) as Rows<K, R>;
  }

  #enterToWrite(): void {
    if (!this.#isReadOnly) return;
    throw new LockstepError(
      "misuse",
      "a transaction with readOnly: true changes nothing; leave the option out",
    );
  }
}
