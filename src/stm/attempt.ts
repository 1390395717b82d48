import { absent, type Absent, type Cell } from "./cell.js";
import type { Contender } from "./contender.js";
import type { Discipline } from "./discipline.js";
import { Draft } from "./draft.js";
import { compareKeys, type Key } from "./key.js";
import type { Want } from "./locks.js";
import { ReadLog } from "./read-log.js";
import type { Ref } from "./ref.js";
import type { Stored } from "./row.js";
import { RowsRead, type AnyTable } from "./rows-read.js";
import { Conflict, type Leaving } from "./signals.js";
import type { Space } from "./space.js";
import { Span, whole } from "./span.js";
import type { Sleeper } from "./wakeups.js";
import { snapshotTooOld, type Pin } from "./versions.js";

/** Moving on means to look at all that was read; so who has read more than this stays where it is. */
const mostToLookAtAgain = 1_000;

let lastNumber = 0;

/** What a read for update saw, which must be there still at the commit. */
interface Guard {
  readonly read: Cell<unknown> | RowsRead;
  readonly version: number;
}

/**
 * What one attempt at a transaction has read, and what it has written, which nobody sees before the commit.
 *
 * All that it reads from a snapshot is of one moment, `began`. That moment may be moved on as long as nothing
 * that was read has changed since: then all of it was read at the later moment just as well.
 */
export class Attempt {
  readonly space: Space;
  readonly discipline: Discipline;
  /** The version at which it reads; or, if it reads whatever is committed, at which it began. */
  #began: number;
  /** What is newer than this is not simply read. */
  #readsUpTo: number;
  readonly reads = new ReadLog(++lastNumber);
  readonly #endedBefore: number;
  /** Whether it has read for update, and so must commit though it writes nothing. */
  #vouches = false;
  #guards: Guard[] | undefined;
  draft: Draft | undefined;
  #pin: Pin | undefined;
  /** Whether it has no moment of its own: it has read nothing yet but what others have to wait for. */
  #isAfloat = false;
  /** How much of what it has read others have to wait for. */
  #ownReads = 0;
  /** Whether something that it has read has changed, so that `began` can never be moved on. */
  #isOutdated = false;
  isOver = false;
  /** Why it is to be left, once that is so. */
  leaving: Leaving | undefined;

  constructor(space: Space, discipline: Discipline) {
    this.space = space;
    this.discipline = discipline;
    this.#began = space.versions.now;
    this.#endedBefore = space.ended;
    const { reads } = discipline;
    this.#readsUpTo = reads === "snapshot" ? this.#began : reads === "dirty" ? -1 : Infinity;
  }

  /** Whether it neither changes anything nor vouches for it: then it is good, whatever others do. */
  get isIdle(): boolean {
    return this.draft === undefined && !this.#vouches;
  }

  /** Whether what it reads is no longer kept: then nobody can say what of it has changed since. */
  get isTooOld(): boolean {
    return this.#pin?.isOver === true;
  }

  /** Its block goes on after this turn, so others come in between. */
  outlastTurn(): void {
    // Its caller may have gone while it ran.
    if (this.isOver) return;
    if (this.discipline.reads === "snapshot" && this.#pin === undefined) {
      if (this.reads.size === this.#ownReads) this.#isAfloat = true;
      else this.#pin = this.space.versions.pin();
    }
    this.space.underWay.add(this);
  }

  /** Makes what it has written what is committed. Nothing is kept for its own sake any more. */
  publish(): void {
    this.#unpin();
    this.draft?.publish(this.space.versions);
  }

  end(): void {
    this.isOver = true;
    this.space.underWay.delete(this);
    this.#unpin();
    if (this.draft !== undefined) this.space.tellEnding();
  }

  #unpin(): void {
    if (this.#pin !== undefined) this.space.versions.unpin(this.#pin);
    this.#pin = undefined;
  }

  /** Until something that it has read changes; undefined if some has already. */
  sleep(): Sleeper | undefined {
    // What is read dirty may vanish without any commit.
    const isDirty = this.discipline.reads === "dirty";
    if (isDirty && this.space.ended !== this.#endedBefore) return undefined;
    const sleeper = this.reads.sleepSince(this.#began);
    if (isDirty) sleeper?.joins(this.space.endings);
    return sleeper;
  }

  // Reading.

  /** For update it does not see what others have not committed, whatever the isolation. */
  readRef<T>(ref: Ref<T>, isForUpdate = false): T {
    if (this.draft !== undefined) {
      const place = this.draft.placeOf(ref);
      if (place >= 0) return this.draft.valueAt(place) as T;
    }
    if (this.#isAfloat) this.#settle();
    if (ref.version > this.#readsUpTo) return this.#readNewer(ref, isForUpdate);
    this.reads.note(ref);
    return ref.value;
  }

  /** What nobody who can wait may change until this has ended: so what counts is what is there now. */
  readOwn<T>(ref: Ref<T>): T {
    if (this.#pin !== undefined) {
      this.moveOn();
      return this.readRef(ref, true);
    }
    const place = this.draft?.placeOf(ref) ?? -1;
    if (place >= 0) return this.draft!.valueAt(place) as T;
    this.#float();
    const { size } = this.reads;
    this.reads.note(ref);
    this.#ownReads += this.reads.size - size;
    return ref.value;
  }

  readRow(table: AnyTable, key: Key, isForUpdate = false): Stored | Absent {
    const own = this.draft?.tables?.get(table)?.get(key);
    if (own !== undefined) return own;
    const dirty = isForUpdate ? undefined : this.#uncommitted(table)?.get(key);
    if (dirty !== undefined) return dirty;
    this.#moveOnTo(table.rows.version);
    const row = table.rows.byKey.get(key);
    const stored = row === undefined ? absent : this.#seen(row);
    // Of a key without a row nothing remains: it is the question that is noted.
    if (row === undefined || stored === absent) this.reads.noteRows(new RowsRead(table, Span.of(key)));
    else this.reads.note(row);
    return stored;
  }

  /** What is found, in the order of keys, with what it has written itself. */
  readRows(read: RowsRead, reverse: boolean, limit: number): [Key, unknown][] {
    const { table } = read;
    this.#moveOnTo(table.rows.version);
    const drafts = this.#uncommitted(table) ?? this.draft?.tables?.get(table);
    const most = drafts === undefined ? limit : Infinity;
    const found: [Key, Stored][] = [];
    for (const row of read.candidates(reverse)) {
      if (found.length >= most) break;
      const stored = drafts?.get(row.key) ?? this.#seen(row);
      if (read.accepts(row.key, stored)) found.push([row.key, stored]);
    }
    if (drafts !== undefined) addNew(drafts, read, reverse, found);
    else if (found.length > 0 && found.length >= most) read.endAt(found.at(-1)![0], reverse);
    this.reads.noteRows(read);
    return found.slice(0, limit).map(([key, stored]) => [key, stored.row]);
  }

  /** What has just been read must be there still at the commit, whatever the isolation. */
  guard(read: Cell<unknown> | RowsRead): void {
    this.#vouches = true;
    // It is locked, or is checked as all that is read.
    if (this.discipline.locksWrites || this.discipline.checks === "reads") return;
    const isOfOneMoment = read instanceof RowsRead || this.discipline.reads === "snapshot";
    (this.#guards ??= []).push({ read, version: isOfOneMoment ? this.#began : read.version });
  }

  guardRow(table: AnyTable, key: Key, seen: Stored | Absent): void {
    // Of a key without a row it is the question that counts: the next row there is another one.
    const row = seen === absent ? undefined : table.rows.byKey.get(key);
    this.guard(row ?? new RowsRead(table, Span.of(key)));
  }

  /** Whether it was changed after the moment at which it reads. */
  isNewer(cell: Cell<unknown>): boolean {
    return cell.version > this.#began;
  }

  /**
   * Reads at the newest moment from now on, if all that was read so far is the same then. Snapshots of those
   * who are not checked stay where they began, or they would be no snapshots.
   */
  moveOn(): boolean {
    if (this.#isAfloat) this.#settle();
    const { now } = this.space.versions;
    if (this.#began === now) return true;
    if (this.isTooOld) throw snapshotTooOld();
    if (this.#isOutdated || this.reads.size > mostToLookAtAgain) return false;
    if (this.reads.firstChangedSince(this.#began) !== undefined) {
      this.#isOutdated = true;
      return false;
    }
    this.#began = now;
    if (this.discipline.reads === "snapshot") this.#readsUpTo = now;
    if (this.#pin !== undefined) {
      const pin = this.space.versions.pin();
      this.space.versions.unpin(this.#pin);
      this.#pin = pin;
    }
    return true;
  }

  /** Chooses the present moment, which is kept for it from now on. */
  #settle(): void {
    this.#float();
    this.#isAfloat = false;
    this.#pin = this.space.versions.pin();
  }

  /**
   * Goes on at the present moment, or gives up: only one who did not wait can have changed what it has
   * read.
   */
  #float(): void {
    const { now } = this.space.versions;
    if (this.#began === now) return;
    const obstacle = this.firstObstacle() ?? this.reads.firstChangedSince(this.#began);
    if (obstacle !== undefined) throw this.lose(obstacle);
    this.#began = now;
    if (this.discipline.reads === "snapshot") this.#readsUpTo = now;
  }

  #readNewer<T>(ref: Ref<T>, isForUpdate: boolean): T {
    const { reads, checks } = this.discipline;
    let value: T | Absent;
    if (reads === "dirty" && !isForUpdate) value = this.space.uncommitted(ref, this) as T;
    else {
      if (checks === "reads") this.#moveOnTo(ref.version);
      value = this.#seen(ref);
    }
    this.reads.note(ref);
    return value as T;
  }

  #moveOnTo(version: number): void {
    if (this.#isAfloat) this.#settle();
    // What is no longer kept must not look as if it had never been.
    if (this.isTooOld && version > this.#began) throw snapshotTooOld();
    if (this.discipline.checks !== "reads" || version <= this.#began || this.moveOn()) return;
    if (!this.isIdle) this.#failIfLost();
  }

  #seen<T>(cell: Cell<T>): T | Absent {
    if (this.discipline.reads !== "snapshot") return cell.value;
    if (this.isTooOld) throw snapshotTooOld();
    return cell.at(this.#began);
  }

  /** For who reads dirty: all that is written to the table and not committed, by whomever. */
  #uncommitted(table: AnyTable): Map<Key, Stored | Absent> | undefined {
    return this.discipline.reads === "dirty" ? this.space.uncommittedRows(table, this) : undefined;
  }

  // Writing.

  writeRef(ref: Ref<unknown>, value: unknown): void {
    if (this.#isOutdated) this.#failIfLost();
    (this.draft ??= new Draft()).set(ref, value);
  }

  writeRow(table: AnyTable, key: Key, stored: Stored | Absent): void {
    if (this.#isOutdated) this.#failIfLost();
    (this.draft ??= new Draft()).put(table, key, stored);
  }

  /** All that is to be locked to publish what it has written. */
  *wantsToWrite(): Generator<Want> {
    if (this.draft === undefined) return;
    for (const ref of this.draft.refs) yield { on: ref, span: whole, isExclusive: true };
    for (const [table, rows] of this.draft.tables ?? []) {
      for (const [key, after] of rows) yield* wantsToWriteRow(table, key, after);
    }
  }

  /** What it has written and others have locks on, unless it has that lock itself. */
  *lockedByOthers(contender: Contender | undefined): Generator<Want> {
    for (const want of this.wantsToWrite()) {
      if (want.on.locks !== undefined && contender?.holds(want.on, want.span, true) !== true) yield want;
    }
  }

  /** Whether there is any such. */
  mustLock(contender: Contender | undefined): boolean {
    if (this.draft === undefined) return false;
    const isHeld = (ref: Ref<unknown>) =>
      ref.locks === undefined || contender?.holds(ref, whole, true) === true;
    if (!this.draft.refs.every(isHeld)) return true;
    return this.draft.tables !== undefined && this.lockedByOthers(contender).next().done !== true;
  }

  /** All that is to be locked to keep what it has read. */
  *wantsToRead(): Generator<Want> {
    for (const cell of this.reads.cells) yield { ...cell.place, isExclusive: false };
    for (const read of this.reads.rows) yield* read.wants();
  }

  // Committing.

  /** What others have changed that must not have; undefined if it may commit. */
  firstObstacle(): Cell<unknown> | RowsRead | undefined {
    if (this.space.versions.now === this.#began) return undefined;
    for (const { read, version } of this.#guards ?? []) {
      if (read.hasChangedSince(version)) return read;
    }
    const { checks } = this.discipline;
    if (checks === "reads") return this.reads.firstChangedSince(this.#began);
    return checks === "writes" ? this.#firstOverwritten() : undefined;
  }

  /** Throws if it has become certain that it cannot commit: so it need not go on. */
  #failIfLost(): void {
    const obstacle = this.firstObstacle();
    if (obstacle !== undefined) throw this.lose(obstacle);
  }

  /** Gives up, because of that. */
  lose(at: Cell<unknown> | RowsRead): Conflict {
    const conflict = new Conflict(at);
    this.leaving ??= conflict;
    return conflict;
  }

  #firstOverwritten(): Cell<unknown> | undefined {
    for (const ref of this.draft?.refs ?? []) if (ref.version > this.#began) return ref;
    for (const [{ rows }, drafts] of this.draft?.tables ?? []) {
      for (const key of drafts.keys()) {
        const row = rows.byKey.get(key);
        if (row !== undefined && row.version > this.#began) return row;
      }
    }
    return undefined;
  }
}

/** Rows in an order of keys, with the new ones among the drafts. */
function addNew(
  drafts: ReadonlyMap<Key, Stored | Absent>,
  read: RowsRead,
  reverse: boolean,
  found: [Key, Stored][],
): void {
  const known = new Set(found.map(([key]) => key));
  for (const [key, stored] of drafts) {
    if (!known.has(key) && read.accepts(key, stored)) found.push([key, stored]);
  }
  found.sort(([a], [b]) => (reverse ? -1 : 1) * compareKeys(a, b));
}

/** What is to be locked to write a row: its key, and wherever it comes to an index or leaves it. */
export function* wantsToWriteRow(table: AnyTable, key: Key, after: Stored | Absent): Generator<Want> {
  yield { on: table, span: Span.of(key), isExclusive: true };
  const before = table.rows.current(key);
  for (const index of table.indexes) {
    const left = before === absent ? undefined : before.indexed[index.at];
    const entered = after === absent ? undefined : after.indexed[index.at];
    if (left === entered) continue;
    for (const place of [left, entered]) {
      if (place !== undefined) yield { on: index, span: Span.of(place), isExclusive: true };
    }
  }
}
