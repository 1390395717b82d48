import { systemClock, type Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { isShared } from "./is-shared.js";

// The name of the table, a counter of numbers for threads without an id of their own, and rows of three words
// each: the number of a thread, that of its parent, or 0, and when it will have ended, or 0.
const rowCount = 1024;
const headerWords = 2;
const nameAt = 0;
const lastNumberAt = 1;
const rowWords = 3;
const parentAt = 1;
const endsAt = 2;
const bytes = (headerWords + rowCount * rowWords) * Int32Array.BYTES_PER_ELEMENT;

const empty = 0;
/** A row that somebody is filling in. */
const claimed = -(2 ** 31);

/** The unit of the times in a row, which so may lie most of a year apart. */
const tickMs = 10;
/** Node ends a thread's own workers just after it stopped; so long that may take at most. */
const familyEndsMs = 1000;

/**
 * The threads of one process that are alive, by number, in memory that all of them share. A number is in it
 * from before its thread holds anything until nothing of that thread runs any more; or until the time has
 * come by which it will have ended, as somebody says who cannot wait to see it.
 */
export class ThreadTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #clock: Clock;

  /** @internal Throws 'bad-input' for what is no such table. */
  constructor(memory: unknown, clock = systemClock) {
    if (!isShared(memory) || memory.byteLength !== bytes) {
      throw new LockstepError("bad-input", "the handle has lost its table of threads: pass it on as it is");
    }
    this.memory = memory;
    this.#words = new Int32Array(this.memory);
    this.#clock = clock;
  }

  static create(clock?: Clock): ThreadTable {
    const table = new ThreadTable(new SharedArrayBuffer(bytes), clock);
    table.#words.set(globalThis.crypto.getRandomValues(new Int32Array(1)), nameAt);
    return table;
  }

  /** Each transfer to a thread makes a new object over the same memory: only what is in it tells. */
  isSameAs(other: ThreadTable): boolean {
    return this.#words[nameAt] === other.#words[nameAt];
  }

  /** A number that no other thread has, for one that has no id of its own. */
  nextNumber(): number {
    return Atomics.add(this.#words, lastNumberAt, 1) + 1;
  }

  /** Enters a thread, which must do so itself, and the one that started it, whether it is here or not. */
  enter(number: number, parent: number): void {
    if (this.#tryEnter(number, parent)) return;
    for (const [, other] of this.#rows()) if (this.isDead(other)) this.bury(other);
    if (this.#tryEnter(number, parent)) return;
    throw new LockstepError(
      "unavailable",
      `more than ${rowCount} threads use lockstep/threads, or have died unnoticed: ` +
        `load it in the thread that starts the others`,
    );
  }

  isDead(number: number): boolean {
    let row = this.#rowOf(number);
    if (row === undefined) return true;
    for (let graceMs = 0; row !== undefined; graceMs = familyEndsMs) {
      if (this.#hasEndedFor(row, graceMs)) return true;
      row = this.#rowOf(Atomics.load(this.#words, row + parentAt));
    }
    return false;
  }

  /** Says that in so much time a thread will have ended, unless it was said to end sooner. */
  expectEnd(number: number, inMs: number): void {
    const row = this.#rowOf(number);
    if (row === undefined) return;
    const at = this.#ticks(inMs);
    const before = Atomics.load(this.#words, row + endsAt);
    if (before !== 0 && ((before - at) | 0) <= 0) return;
    // The row is not another's by now: only the thread itself says this and the one that started it, and only
    // the latter strikes it out; but for the case that its time had come, and then that is there no more.
    Atomics.compareExchange(this.#words, row + endsAt, before, at);
  }

  /** Strikes one out that has ended, and with it those that it had started, which Node ends before it. */
  bury(number: number): void {
    const family = [number];
    for (const each of family) family.push(...this.#childrenOf(each));
    // The youngest first: if this thread is terminated meanwhile, who remains still hangs on to its parent.
    for (const each of family.reverse()) {
      const row = this.#rowOf(each);
      if (row !== undefined) Atomics.compareExchange(this.#words, row, each, empty);
    }
  }

  #tryEnter(number: number, parent: number): boolean {
    const words = this.#words;
    for (let row = headerWords; row < words.length; row += rowWords) {
      if (Atomics.compareExchange(words, row, empty, claimed) !== empty) continue;
      Atomics.store(words, row + parentAt, parent);
      Atomics.store(words, row + endsAt, 0);
      Atomics.store(words, row, number);
      return true;
    }
    return false;
  }

  #hasEndedFor(row: number, graceMs: number): boolean {
    const at = Atomics.load(this.#words, row + endsAt);
    // The difference, because the times begin again from the lowest integer when they have reached the
    // highest.
    return at !== 0 && ((this.#ticks(-graceMs) - at) | 0) >= 0;
  }

  /** The time in so many milliseconds, as it stands in a row: never 0. */
  #ticks(inMs: number): number {
    return Math.ceil((this.#clock.now() + inMs) / tickMs) | 0 || 1;
  }

  #childrenOf(parent: number): number[] {
    return this.#rows().flatMap(([row, number]) =>
      Atomics.load(this.#words, row + parentAt) === parent ? [number] : [],
    );
  }

  /** Each row that is in use, and whose it is. */
  #rows(): [row: number, number: number][] {
    const found: [number, number][] = [];
    for (let row = headerWords; row < this.#words.length; row += rowWords) {
      const number = Atomics.load(this.#words, row);
      if (number !== empty && number !== claimed) found.push([row, number]);
    }
    return found;
  }

  #rowOf(number: number): number | undefined {
    if (number === empty) return undefined;
    for (let row = headerWords; row < this.#words.length; row += rowWords) {
      if (Atomics.load(this.#words, row) === number) return row;
    }
    return undefined;
  }
}
