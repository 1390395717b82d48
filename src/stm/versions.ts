import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { OldVersion, type Cell } from "./cell.js";

/** The age is looked at now and then: a look at the clock costs more than keeping a version. */
const keptBetweenLooks = 64;

/** A moment that somebody still looks at. All who look at one moment share it. */
export class Pin {
  readonly version: number;
  holders = 1;
  older: Pin | undefined;
  newer: Pin | undefined;
  /** The old versions for which this is the newest pin that needs them. */
  readonly kept: OldVersion<unknown>[] = [];
  /** When the first of them was kept. */
  keptSince: number | undefined;
  /** Whether it was ended for its age. */
  isOver = false;

  constructor(version: number, older: Pin | undefined) {
    this.version = version;
    this.older = older;
    if (older !== undefined) older.newer = this;
  }
}

/**
 * The version clock of a space, and the past that is kept: of each old version there is exactly as long a
 * trace as somebody is pinned to a moment at which it was the newest. Each belongs to the newest of those
 * pins, and when that one goes, to the next older one that needs it, if there is one.
 */
export class Versions {
  /** The version of the last commit. */
  now = 0;
  #newest: Pin | undefined;
  #looksIn = keptBetweenLooks;
  readonly #tooOld = new Set<Pin>();
  readonly #clock: Clock;
  readonly #maxAgeMs: number;

  constructor(clock: Clock, maxAgeMs: number) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Keeps all that is committed now readable, until `unpin`. */
  pin(): Pin {
    const newest = this.#newest;
    if (newest?.version === this.now) {
      newest.holders++;
      return newest;
    }
    return (this.#newest = new Pin(this.now, newest));
  }

  unpin(pin: Pin): void {
    if (--pin.holders > 0 || pin.isOver) return;
    this.#release(pin);
    this.endTooOld();
  }

  /** Must be called before a cell is overwritten. */
  keep(cell: Cell<unknown>): void {
    const pin = this.#newest;
    if (pin !== undefined && pin.version >= cell.version) this.#give(pin, new OldVersion(cell));
  }

  /** How many old versions are kept. */
  get kept(): number {
    let count = 0;
    for (let pin = this.#newest; pin !== undefined; pin = pin.older) count += pin.kept.length;
    return count;
  }

  #give(pin: Pin, old: OldVersion<unknown>): void {
    pin.kept.push(old);
    pin.keptSince ??= this.#clock.now();
    if (--this.#looksIn > 0) return;
    this.#looksIn = keptBetweenLooks;
    const now = this.#clock.now();
    for (let each = this.#newest; each !== undefined; each = each.older) {
      if (each.keptSince !== undefined && now - each.keptSince > this.#maxAgeMs) this.#tooOld.add(each);
    }
  }

  /** Ends those who have looked at the past for too long. Not while a commit is being published. */
  endTooOld(): void {
    if (this.#tooOld.size === 0) return;
    // To end one may show that another one, which is given what it had, is too old as well.
    for (const pin of this.#tooOld) {
      pin.isOver = true;
      this.#release(pin);
    }
    this.#tooOld.clear();
  }

  #release(pin: Pin): void {
    const { older, newer } = pin;
    if (older !== undefined) older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    this.#tooOld.delete(pin);
    for (const old of pin.kept) {
      if (older !== undefined && older.version >= old.version) this.#give(older, old);
      else old.drop();
    }
    pin.kept.length = 0;
  }
}

/** For who still reads what was ended for its age. */
export function snapshotTooOld(): LockstepError {
  return new LockstepError(
    "lost",
    "what was committed when this began is no longer kept, for it has gone on for longer than " +
      "maxSnapshotAgeMs; " +
      "end snapshots and transactions sooner, or allow more with new Space({ maxSnapshotAgeMs })",
  );
}
