import { LockstepError } from "../base/errors.js";
import type { Immutable } from "../sync/immutable.js";
import { absent } from "./cell.js";
import { misfit } from "./misfit.js";
import type { Key } from "./key.js";
import { acceptedBy, atIndex, checkTableKey, inRange, type Question } from "./questions.js";
import { Ref } from "./ref.js";
import type { AnyTable } from "./rows-read.js";
import type { Space } from "./space.js";
import { Table } from "./table.js";
import type { Range, Reads, Rows } from "./transaction.js";
import { snapshotTooOld, type Pin } from "./versions.js";

/**
 * All of a space as it was at one moment. It keeps nobody waiting, and nobody changes it; but what is
 * overwritten meanwhile is kept for it, so end it: by `using`, `await using` or `end()`.
 *
 * *Failure*: reading throws 'misuse' after its end, and 'lost' when it was ended for its age.
 */
export class Snapshot implements Reads {
  readonly #space: Space;
  readonly #pin: Pin;
  #isOver = false;

  /** @internal */
  constructor(space: Space) {
    this.#space = space;
    this.#pin = space.versions.pin();
  }

  get<T>(ref: Ref<T>): T;
  get<K extends Key, R, I extends string>(table: Table<K, R, I>, key: K): Immutable<R> | undefined;
  get(from: Ref<unknown> | AnyTable, key?: Key): unknown {
    this.#enter(from);
    if (from instanceof Ref) return from.at(this.#pin.version);
    checkTableKey(from, key);
    const stored = from.rows.byKey.get(key)?.at(this.#pin.version) ?? absent;
    return stored === absent ? undefined : stored.row;
  }

  range<K extends Key, R, I extends string>(table: Table<K, R, I>, range?: Range<K>): Rows<K, R> {
    this.#enter(table);
    return this.#ask(inRange(table, range));
  }

  where<K extends Key, R, I extends string>(
    table: Table<K, R, I>,
    accepts: (row: Immutable<R>, key: K) => boolean,
  ): Rows<K, R> {
    this.#enter(table);
    return this.#ask(acceptedBy(table, accepts));
  }

  by<K extends Key, R, I extends string>(table: Table<K, R, I>, index: NoInfer<I>, value: Key): Rows<K, R> {
    this.#enter(table);
    return this.#ask(atIndex(table, index, value));
  }

  /** Lets go what was kept for it. More than once is the same as once. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#space.versions.unpin(this.#pin);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.end();
    return Promise.resolve();
  }

  #ask<K extends Key, R>({ read, reverse, limit }: Question): Rows<K, R> {
    const found: [Key, unknown][] = [];
    for (const row of read.candidates(reverse)) {
      if (found.length === limit) break;
      const stored = row.at(this.#pin.version);
      if (read.accepts(row.key, stored)) found.push([row.key, stored.row]);
    }
    return found as Rows<K, R>;
  }

  #enter(from: Ref<unknown> | AnyTable): void {
    if (this.#isOver) {
      throw new LockstepError("misuse", "this snapshot was ended; take another one with snapshot()");
    }
    if (this.#pin.isOver) throw snapshotTooOld();
    const isKnown = from instanceof Ref || from instanceof Table;
    if (!isKnown || from.space !== this.#space) throw misfit(from, this.#space, "ref or table");
  }
}
