import type { Immutable } from "../sync/immutable.js";
import { wantsToWriteRow } from "./attempt.js";
import { Block } from "./block.js";
import { absent, hottest, type Absent, type Cell } from "./cell.js";
import type { Contender } from "./contender.js";
import type { Discipline } from "./discipline.js";
import type { Key } from "./key.js";
import type { Want } from "./locks.js";
import { acceptedBy, atIndex, checkTableKey, inRange, type Question } from "./questions.js";
import { Ref } from "./ref.js";
import type { Stored } from "./row.js";
import type { AnyTable } from "./rows-read.js";
import { Leaving } from "./signals.js";
import type { Space } from "./space.js";
import { Span } from "./span.js";
import type { Table } from "./table.js";
import type { LockingTransaction, Range, Rows } from "./transaction.js";

/** A transaction that may wait for locks: for all that it reads and writes, or only for what is hot. */
export class LockingBlock extends Block implements LockingTransaction {
  readonly #contender: Contender;
  /** Locks to write, which the commit waits for, whoever awaits them. */
  readonly #pending: Promise<void>[] = [];

  constructor(space: Space, discipline: Discipline, contender: Contender) {
    super(space, discipline);
    this.#contender = contender;
  }

  get<T>(ref: Ref<T>): Promise<T>;
  get<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Promise<Immutable<R> | undefined>;
  async get(from: Ref<unknown> | AnyTable, key?: Key): Promise<unknown> {
    if (!(from instanceof Ref)) return this.#getRow(from, key, false);
    this.enterRef(from);
    const wait = this.#lockToRead(from, { ...from.place, isExclusive: false });
    if (wait !== undefined) await wait;
    return this.readRef(from);
  }

  getForUpdate<T>(ref: Ref<T>): Promise<T>;
  getForUpdate<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
  ): Promise<Immutable<R> | undefined>;
  async getForUpdate(from: Ref<unknown> | AnyTable, key?: Key): Promise<unknown> {
    if (!(from instanceof Ref)) return this.#getRow(from, key, true);
    this.enterRef(from);
    const wait = this.#lockForUpdate(from, { ...from.place, isExclusive: true });
    if (wait !== undefined) await wait;
    this.#failIfOvertaken(from);
    const value = this.readRef(from);
    this.guard(from);
    return value;
  }

  async range<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    range?: Range<K>,
  ): Promise<Rows<K, R>> {
    this.enterTable(table);
    return this.#ask(inRange(table, range));
  }

  async where<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    accepts: (row: Immutable<R>, key: K) => boolean,
  ): Promise<Rows<K, R>> {
    this.enterTable(table);
    return this.#ask(acceptedBy(table, accepts));
  }

  async by<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    index: NoInfer<I>,
    value: Key,
  ): Promise<Rows<K, R>> {
    this.enterTable(table);
    return this.#ask(atIndex(table, index, value));
  }

  set<T>(ref: Ref<T>, value: NoInfer<T>): Promise<void> {
    this.enterRef(ref);
    this.writeRef(ref, value);
    return this.#write([{ ...ref.place, isExclusive: true }], () => ref);
  }

  async update<T>(ref: Ref<T>, change: (value: T) => NoInfer<T>): Promise<T> {
    const value = change(await this.getForUpdate(ref));
    await this.set(ref, value);
    return value;
  }

  put<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K, row: NoInfer<R>): Promise<void> {
    this.enterTable(table);
    checkTableKey(table, key);
    return this.#writeRow(table, key, table.stored(row));
  }

  delete<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Promise<void> {
    this.enterTable(table);
    checkTableKey(table, key);
    return this.#writeRow(table, key, absent);
  }

  override get isWaiting(): boolean {
    return this.#pending.length > 0;
  }

  override async locked(): Promise<void> {
    for (const wait of this.#pending) await wait;
  }

  async #getRow(table: AnyTable, key: unknown, isForUpdate: boolean): Promise<unknown> {
    this.enterTable(table);
    checkTableKey(table, key);
    const want = { on: table, span: Span.of(key), isExclusive: isForUpdate };
    const row = table.rows.byKey.get(key) as Cell<unknown> | undefined;
    const wait = isForUpdate ? this.#lockForUpdate(row, want) : this.#lockToRead(row, want);
    if (wait !== undefined) await wait;
    if (isForUpdate) this.#failIfOvertaken(table.rows.byKey.get(key));
    const stored = this.readRow(table, key);
    if (isForUpdate) this.guardRow(table, key);
    return stored === absent ? undefined : stored.row;
  }

  async #ask<K extends Key, R>({ read, reverse, limit }: Question): Promise<Rows<K, R>> {
    if (this.discipline.reads === "locked") for (const want of read.wants()) await this.#lock(want);
    return this.readRows(read, reverse, limit) as Rows<K, R>;
  }

  #writeRow(table: AnyTable, key: Key, stored: Stored | Absent): Promise<void> {
    this.writeRow(table, key, stored);
    const row = () => table.rows.byKey.get(key) as Cell<unknown> | undefined;
    return this.#write(wantsToWriteRow(table, key, stored), row);
  }

  #write(wants: Iterable<Want>, cell: () => Cell<unknown> | undefined): Promise<void> {
    if (!this.discipline.locksWrites) return done;
    const locked = this.#lockAll(wants, cell);
    locked.catch(() => undefined);
    this.#pending.push(locked);
    return locked;
  }

  async #lockAll(wants: Iterable<Want>, cell: () => Cell<unknown> | undefined): Promise<void> {
    // What the row was is looked at when it is locked, and which parts of the indexes that touches.
    for (const want of wants) await this.#lock(want);
    this.#failIfOvertaken(cell());
  }

  #lockToRead(cell: Cell<unknown> | undefined, want: Want): Promise<void> | undefined {
    const { reads, checks } = this.discipline;
    if (reads === "locked") return this.#lock(want);
    // Who is not checked cannot lose, and needs no ticket.
    return checks === "nothing" ? undefined : this.#ticket(cell, want);
  }

  #lockForUpdate(cell: Cell<unknown> | undefined, want: Want): Promise<void> | undefined {
    return this.discipline.locksWrites ? this.#lock(want) : this.#ticket(cell, want);
  }

  /** Stands in line for what is hot, and then reads it at the newest moment if it can. */
  #ticket(cell: Cell<unknown> | undefined, { on, span }: Want): Promise<void> | undefined {
    if (!this.discipline.takesTickets || cell === undefined || cell.heat === 0) return undefined;
    const want = { on, span, isExclusive: true };
    if (this.#contender.holds(want)) return undefined;
    const wait = this.#lock(want);
    if (wait === undefined) {
      cell.heat--;
      this.moveOn();
      return undefined;
    }
    cell.heat = hottest;
    return wait.then(() => void this.moveOn());
  }

  #lock(want: Want): Promise<void> | undefined {
    try {
      const wait = this.#contender.lock(want);
      return wait && this.#granted(wait);
    } catch (error) {
      throw this.#leaves(error);
    }
  }

  async #granted(wait: Promise<void>): Promise<void> {
    await wait.catch((error: unknown) => {
      throw this.#leaves(error);
    });
    // It may have been called off while it waited.
    this.enter();
  }

  /** A block that catches why it is to be left is still left. */
  #leaves(error: unknown): unknown {
    if (error instanceof Leaving) this.leaving ??= error;
    return error;
  }

  /** Who sees a snapshot and locks what it writes need not go on if the first to write it was another. */
  #failIfOvertaken(cell: Cell<unknown> | undefined): void {
    const { checks, locksWrites } = this.discipline;
    if (!locksWrites || checks !== "writes" || cell === undefined) return;
    if (this.isNewer(cell)) throw this.lose(cell);
  }
}

const done = Promise.resolve();
