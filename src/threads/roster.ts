import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { Futex } from "./futex.js";
import type { Liveness } from "./liveness.js";
import { ShortLock } from "./short-lock.js";

// The head: the lock of the roster, how many rows have been in use at once, the next ticket, and words for
// whoever builds on it.
const lockAt = 0;
const usedAt = 1;
const nextTicketAt = 2;
const firstOwnWord = 3;
const headWords = 8;

// A row: the thread that it is of, how much it stands for, its place in line, and its state.
const rowCount = 512;
const rowWords = 4;
const weightAt = 1;
const ticketAt = 2;
const stateAt = 3;

/** What the thread of a row does. A new row is all zero. */
export const RowState = {
  empty: 0,
  /** It waits in line. */
  waits: 1,
  /** It waits, but cannot go on now: its thread blocks for something else here. */
  stepsAside: 2,
  /** It was granted what it waits for, and does not know yet. */
  granted: 3,
  holds: 4,
} as const;

/**
 * Which threads hold or wait for a thing in shared memory. The rows are the only truth: all else is counted
 * from them, so that a thread that is terminated in the middle of a change leaves nothing behind but its own
 * rows, which others find and strike out.
 *
 * All but `own` is to be used inside of `exclusively`.
 */
export class Roster {
  static readonly bytes = (headWords + rowCount * rowWords) * Int32Array.BYTES_PER_ELEMENT;

  readonly what: string;
  readonly clock: Clock;
  readonly self: number;
  readonly #words: Int32Array;
  readonly #lock: ShortLock;
  readonly #liveness: Liveness;
  /** The words to wake after the change. */
  readonly #told: number[] = [];

  constructor(memory: SharedArrayBuffer, liveness: Liveness, clock: Clock, what: string) {
    this.what = what;
    this.clock = clock;
    this.self = liveness.self;
    this.#words = new Int32Array(memory);
    this.#liveness = liveness;
    this.#lock = new ShortLock(this.#words, lockAt, liveness);
  }

  /** While no other thread does the same. The change must be whole after each step. */
  exclusively<T>(change: () => T): T {
    this.#lock.enter();
    try {
      return change();
    } finally {
      this.#lock.leave();
      // Not before: a wake-up takes longer than the change, and whoever wakes wants the lock at once.
      if (this.#told.length > 0) for (const word of this.#told.splice(0)) Atomics.notify(this.#words, word);
    }
  }

  /** A word of the head for whoever builds on the roster: 0, 1 and so on. */
  own(word: number): number {
    return Atomics.load(this.#words, firstOwnWord + word);
  }

  setOwn(word: number, value: number): void {
    Atomics.store(this.#words, firstOwnWord + word, value);
  }

  /** The same, and wakes whoever waits for that. */
  tellOwn(word: number, value: number): void {
    this.setOwn(word, value);
    this.#told.push(firstOwnWord + word);
  }

  /** To wait on a word of the head, each for its own condition. */
  ownFutex(word: number): Futex {
    return Futex.ofCrowd(this.#words, firstOwnWord + word, this.clock);
  }

  /** To wait on the state of a row. */
  futexOf(row: number): Futex {
    return new Futex(this.#words, row + stateAt, this.clock);
  }

  stateOf(row: number): number {
    return Atomics.load(this.#words, row + stateAt);
  }

  /** The last step of any change to a row. */
  setState(row: number, state: number): void {
    Atomics.store(this.#words, row + stateAt, state);
  }

  weightOf(row: number): number {
    return Atomics.load(this.#words, row + weightAt);
  }

  setWeight(row: number, weight: number): void {
    Atomics.store(this.#words, row + weightAt, weight);
  }

  ticketOf(row: number): number {
    return Atomics.load(this.#words, row + ticketAt);
  }

  /** The rows in this state: of all threads, or of this one. */
  rows(state: number, owner?: number): number[] {
    const found: number[] = [];
    const end = this.#end();
    for (let row = headWords; row < end; row += rowWords) {
      if (this.stateOf(row) === state && (owner === undefined || this.#words[row] === owner)) found.push(row);
    }
    return found;
  }

  /** What is held or granted: by all threads, or by this one. */
  taken(owner?: number): number {
    let sum = 0;
    const end = this.#end();
    for (let row = headWords; row < end; row += rowWords) {
      if (this.stateOf(row) < RowState.granted || (owner !== undefined && this.#words[row] !== owner))
        continue;
      sum += this.weightOf(row);
    }
    return sum;
  }

  /** Who waits and has the lowest ticket. */
  first(): number | undefined {
    let first: number | undefined;
    const end = this.#end();
    for (let row = headWords; row < end; row += rowWords) {
      if (this.stateOf(row) !== RowState.waits) continue;
      // The difference, because tickets begin again from the lowest integer when they have reached the
      // highest.
      if (first === undefined || ((this.ticketOf(row) - this.ticketOf(first)) | 0) < 0) first = row;
    }
    return first;
  }

  /** The ticket behind all others. */
  nextTicket(): number {
    return Atomics.add(this.#words, nextTicketAt, 1);
  }

  /** The ticket before all others. */
  firstTicket(): number {
    const first = this.first();
    return first === undefined ? this.nextTicket() : (this.ticketOf(first) - 1) | 0;
  }

  /** Whether there is no room for another row, unless the dead are struck out. */
  get isFull(): boolean {
    return this.#room() === this.#words.length;
  }

  /** A row of this thread. If the roster is full the dead are to be struck out before. */
  add(state: number, weight: number, ticket: number): number {
    const row = this.#room();
    if (row === this.#words.length) {
      throw new LockstepError(
        "unavailable",
        `${this.what} has room for ${rowCount} that hold it or wait for it at once, and no more`,
      );
    }
    Atomics.store(this.#words, row, this.self);
    this.setWeight(row, weight);
    Atomics.store(this.#words, row + ticketAt, ticket);
    if (row === this.#end()) Atomics.store(this.#words, usedAt, (row - headWords) / rowWords + 1);
    this.setState(row, state);
    return row;
  }

  /** Changes the state of a row, and wakes whoever waits for that. */
  tell(row: number, state: number): void {
    this.setState(row, state);
    this.#told.push(row + stateAt);
  }

  /** Strikes out the rows of threads that are dead, after `look` has seen each. True if there were any. */
  strikeOutDead(look: (row: number) => void): boolean {
    let found = false;
    const end = this.#end();
    for (let row = headWords; row < end; row += rowWords) {
      if (this.stateOf(row) === RowState.empty || !this.#liveness.isDead(this.#words[row]!)) continue;
      look(row);
      this.setState(row, RowState.empty);
      found = true;
    }
    return found;
  }

  /** The first empty row. */
  #room(): number {
    const end = this.#end();
    let row = headWords;
    while (row < end && this.stateOf(row) !== RowState.empty) row += rowWords;
    return row;
  }

  #end(): number {
    return headWords + this.#words[usedAt]! * rowWords;
  }
}
