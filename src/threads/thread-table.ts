import { LockstepError } from "../base/errors.js";
import { isShared } from "./is-shared.js";

// The name of the table, a counter of numbers for threads without an id of their own, and rows of two words
// each: the number of a thread, negative when it has stopped, and that of its parent, or 0.
const rowCount = 1024;
const headerWords = 2;
const nameAt = 0;
const lastNumberAt = 1;
const rowWords = 2;
const bytes = (headerWords + rowCount * rowWords) * Int32Array.BYTES_PER_ELEMENT;

const empty = 0;
/** A row that somebody is filling in. */
const claimed = -(2 ** 31);

/**
 * The threads of one process that are alive, by number, in memory that all of them share. A number is in it
 * from before its thread holds anything until nothing of that thread runs any more.
 */
export class ThreadTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @internal Throws 'bad-input' for what is no such table. */
  constructor(memory: unknown) {
    if (!isShared(memory) || memory.byteLength !== bytes) {
      throw new LockstepError("bad-input", "the handle has lost its table of threads: pass it on as it is");
    }
    this.memory = memory;
    this.#words = new Int32Array(this.memory);
  }

  static create(): ThreadTable {
    const table = new ThreadTable(new SharedArrayBuffer(bytes));
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

  /** Enters a thread, which must do so itself, and the one that started it. */
  enter(number: number, parent: number): void {
    const words = this.#words;
    for (let row = headerWords; row < words.length; row += rowWords) {
      if (Atomics.compareExchange(words, row, empty, claimed) !== empty) continue;
      // A parent that is not in this table would count as dead.
      Atomics.store(words, row + 1, this.#holds(parent) ? parent : 0);
      Atomics.store(words, row, number);
      return;
    }
    throw new LockstepError(
      "unavailable",
      `more than ${rowCount} threads use lockstep/threads, or have died unnoticed: ` +
        `load it in the thread that starts the others`,
    );
  }

  isDead(number: number): boolean {
    return this.#rowOf(number) === undefined;
  }

  /** Marks one that runs no code any more, though threads that it started still may. */
  markStopped(number: number): void {
    const row = this.#rowOf(number);
    if (row !== undefined) Atomics.compareExchange(this.#words, row, number, -number);
  }

  /** Strikes one out that has ended, and with it those that it had started, which Node ends before it. */
  bury(number: number): void {
    this.#strikeOut((each) => each === number || each === -number);
    // Each round may orphan the next generation.
    while (this.#strikeOut((_each, parent) => parent !== 0 && !this.#holds(parent)));
  }

  #strikeOut(isMeant: (number: number, parent: number) => boolean): boolean {
    const words = this.#words;
    let found = false;
    for (let row = headerWords; row < words.length; row += rowWords) {
      const number = Atomics.load(words, row);
      if (number === empty || number === claimed) continue;
      // The parent is that of this number, for no number comes twice and the row still has it in the end.
      if (!isMeant(number, Atomics.load(words, row + 1))) continue;
      if (Atomics.compareExchange(words, row, number, empty) === number) found = true;
    }
    return found;
  }

  /** Whether it is here, be it stopped or not. */
  #holds(number: number): boolean {
    return this.#rowOf(number) !== undefined || this.#rowOf(-number) !== undefined;
  }

  #rowOf(number: number): number | undefined {
    for (let row = headerWords; row < this.#words.length; row += rowWords) {
      if (Atomics.load(this.#words, row) === number) return row;
    }
    return undefined;
  }
}
