import type { Immutable } from "../sync/immutable.js";
import { wantsToWriteRow } from "./attempt.js";
import { Block, changed } from "./block.js";
import { absent, type Absent, type Cell } from "./cell.js";
import type { Contending } from "./contender.js";
import type { Discipline } from "./discipline.js";
import type { Key } from "./key.js";
import type { Lockable, Want } from "./locks.js";
import { acceptedBy, atIndex, checkTableKey, inRange, type Question } from "./questions.js";
import { Ref } from "./ref.js";
import type { Stored } from "./row.js";
import type { AnyTable } from "./rows-read.js";
import { Leaving } from "./signals.js";
import type { Space } from "./space.js";
import { Span, whole } from "./span.js";
import type { Table } from "./table.js";
import type { LockingTransaction, Range, Rows } from "./transaction.js";

/** A transaction that may wait for locks: for all that it reads and writes, or only for what is hot. */
export class LockingBlock extends Block implements LockingTransaction {
  readonly #call: Contending;
  /** Locks to write, which the commit waits for, whoever awaits them. */
  #pending: Promise<unknown>[] | undefined;

  constructor(space: Space, discipline: Discipline, call: Contending) {
    super(space, discipline);
    this.#call = call;
  }

  get<T>(ref: Ref<T>): Promise<T>;
  get<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Promise<Immutable<R> | undefined>;
  get(from: Ref<unknown> | AnyTable, key?: Key): Promise<unknown> {
    if (!(from instanceof Ref)) return heard(this.#getRow(from, key, false));
    this.enterRef(from);
    const wait = this.#lockToRead(from, from, whole);
    if (wait === undefined) return Promise.resolve(this.#read(from));
    return heard(wait.then(() => this.#read(from)));
  }

  getForUpdate<T>(ref: Ref<T>): Promise<T>;
  getForUpdate<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
  ): Promise<Immutable<R> | undefined>;
  getForUpdate(from: Ref<unknown> | AnyTable, key?: Key): Promise<unknown> {
    if (!(from instanceof Ref)) return heard(this.#getRow(from, key, true));
    this.enterRef(from);
    const wait = this.#lockForUpdate(from, from, whole);
    if (wait === undefined) return Promise.resolve(this.#readForUpdate(from));
    return heard(wait.then(() => this.#readForUpdate(from)));
  }

  range<K extends Key, R, I extends string>(table: Table<K, R, I>, range?: Range<K>): Promise<Rows<K, R>> {
    this.enterTable(table);
    return heard(this.#ask(inRange(table, range)));
  }

  where<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    accepts: (row: Immutable<R>, key: K) => boolean,
  ): Promise<Rows<K, R>> {
    this.enterTable(table);
    return heard(this.#ask(acceptedBy(table, accepts)));
  }

  by<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    index: NoInfer<I>,
    value: Key,
  ): Promise<Rows<K, R>> {
    this.enterTable(table);
    return heard(this.#ask(atIndex(table, index, value)));
  }

  set<T>(ref: Ref<T>, value: NoInfer<T>): Promise<void> {
    this.enterRef(ref);
    this.writeRef(ref, value);
    if (!this.discipline.locksWrites) return done;
    const wait = this.#lock(ref, whole, true);
    if (wait !== undefined) return this.#writes(wait.then(() => this.#failIfOvertaken(ref)));
    this.#failIfOvertaken(ref);
    return done;
  }

  update<T>(ref: Ref<T>, change: (value: T) => NoInfer<T>): Promise<T> {
    this.enterRef(ref);
    // In one step, so that several at once, in one block, are one after the other.
    const apply = () => {
      const value = changed(change, this.#readForUpdate(ref) as T);
      this.writeRef(ref, value);
      return value;
    };
    const wait = this.#lockForUpdate(ref, ref, whole);
    return wait === undefined ? Promise.resolve(apply()) : this.#writes(wait.then(apply));
  }

  put<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    key: K,
    row: NoInfer<R> | Immutable<NoInfer<R>>,
  ): Promise<void> {
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
    return this.#pending !== undefined;
  }

  override async locked(): Promise<void> {
    for (const wait of this.#pending ?? []) await wait;
  }

  #read(ref: Ref<unknown>, isForUpdate = false): unknown {
    this.enterLate();
    return ref.locks !== undefined && this.#hasTicket(ref, whole)
      ? this.readOwn(ref)
      : this.readRef(ref, isForUpdate);
  }

  #readForUpdate(ref: Ref<unknown>): unknown {
    this.#failIfOvertaken(ref);
    const value = this.#read(ref, true);
    this.guard(ref);
    return value;
  }

  async #getRow(table: AnyTable, key: unknown, isForUpdate: boolean): Promise<unknown> {
    this.enterTable(table, "ref or table");
    checkTableKey(table, key);
    const row = table.rows.byKey.get(key);
    const span = Span.of(key);
    await (isForUpdate ? this.#lockForUpdate(row, table, span) : this.#lockToRead(row, table, span));
    // Its caller may have gone while it waited, and nobody would end what it still began.
    this.enterLate();
    if (this.#hasTicket(table, span)) this.moveOn();
    if (isForUpdate) this.#failIfOvertaken(table.rows.byKey.get(key));
    const stored = this.readRow(table, key, isForUpdate);
    if (isForUpdate) this.guardRow(table, key, stored);
    return stored === absent ? undefined : stored.row;
  }

  async #ask<K extends Key, R>({ read, reverse, limit }: Question): Promise<Rows<K, R>> {
    if (this.discipline.reads === "locked") await this.#lockAll(read.wants());
    return this.readRows(read, reverse, limit) as Rows<K, R>;
  }

  #writeRow(table: AnyTable, key: Key, stored: Stored | Absent): Promise<void> {
    this.writeRow(table, key, stored);
    if (!this.discipline.locksWrites) return done;
    const locked = this.#lockAll(wantsToWriteRow(table, key, stored));
    return this.#writes(locked.then(() => this.#failIfOvertaken(table.rows.byKey.get(key))));
  }

  #writes<T>(written: Promise<T>): Promise<T> {
    (this.#pending ??= []).push(written);
    return heard(written);
  }

  /** What comes later in the list may depend on what is there once the earlier is locked. */
  async #lockAll(wants: Iterable<Want>): Promise<void> {
    for (const { on, span, isExclusive } of wants) {
      this.enterLate();
      const wait = this.#lock(on, span, isExclusive);
      if (wait !== undefined) await wait;
    }
  }

  #lockToRead(cell: Cell<unknown> | undefined, on: Lockable, span: Span): Promise<void> | undefined {
    const { reads, checks } = this.discipline;
    if (reads === "locked") return this.#lock(on, span, false);
    // Who is not checked cannot lose, and needs no ticket.
    return checks === "nothing" ? undefined : this.#ticket(cell, on, span);
  }

  #lockForUpdate(cell: Cell<unknown> | undefined, on: Lockable, span: Span): Promise<void> | undefined {
    return this.discipline.locksWrites ? this.#lock(on, span, true) : this.#ticket(cell, on, span);
  }

  /** Stands in line for what is hot. */
  #ticket(cell: Cell<unknown> | undefined, on: Lockable, span: Span): Promise<void> | undefined {
    if (!this.discipline.takesTickets || cell === undefined || cell.heat === 0) return undefined;
    if (this.#hasTicket(on, span)) return undefined;
    const wait = this.#lock(on, span, true);
    cell.wasTaken(wait !== undefined);
    return wait;
  }

  #hasTicket(on: Lockable, span: Span): boolean {
    return this.discipline.takesTickets && this.#call.contender().holds(on, span, true);
  }

  #lock(on: Lockable, span: Span, isExclusive: boolean): Promise<void> | undefined {
    try {
      const wait = this.#call.contender().lock(on, span, isExclusive);
      return wait && this.#granted(wait);
    } catch (error) {
      throw this.#leaves(error);
    }
  }

  async #granted(wait: Promise<void>): Promise<void> {
    try {
      await wait;
    } catch (error) {
      throw this.#leaves(error);
    }
    // It may have been called off while it waited.
    this.enterLate();
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

/** A block may leave without awaiting all that it has asked for: then it is nobody's fault how that ends. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
