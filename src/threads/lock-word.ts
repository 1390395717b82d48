import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import type { Patience } from "../base/patience.js";
import { Futex } from "./futex.js";
import type { Liveness } from "./liveness.js";
import { LockSpin } from "./lock-spin.js";

// The word is 0 when it is free, and otherwise the owner's number, shifted, and two marks.
const free = 0;
/** Somebody may be asleep: whoever releases it wakes one. */
const crowded = 1;
/** Somebody has been overtaken for too long: whoever releases it leaves it `reserved`. */
const starving = 2;
/** Nobody's, and only for those who have slept. */
const reserved = crowded | starving;
const ownerShift = 2;
/** A thread died with it. */
const poisoned = -1;

/** So long newcomers may overtake a sleeper. */
const starvationMs = 2;

interface Sleeper {
  hasSlept: boolean;
  sinceMs: number;
}

/**
 * The word of a lock: a mutex without its guard.
 *
 * No wake-up is lost. Whoever sleeps has put `crowded` on the word just before, or found it there, and the
 * futex lets it sleep only if the word is the same still, or the same again. So the release that comes next
 * sees the mark and wakes one. Between that and the wake-up a newcomer may take the word, without the mark
 * though others sleep: but then the one that was woken fails, and puts it there again; and if the one that
 * was woken takes the word, it takes it with the mark, for it cannot know whether it was the last. Only one
 * that dies between its wake-up and the next step leaves sleepers behind a word without the mark: they look
 * again by themselves.
 *
 * Nobody starves. A sleeper that has waited for too long adds `starving`, and the release then leaves the
 * word `reserved`, which is not free to newcomers: they must sleep first, behind the others.
 */
export class LockWord {
  readonly what: string;
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #liveness: Liveness;
  readonly #mine: number;
  readonly #clock: Clock;
  readonly #futex: Futex;
  readonly #spin = new LockSpin();
  /** The word as the last attempt left it, for those who go to sleep. */
  #left = free;
  /** How many tasks of this thread wait. */
  #waiting = 0;

  constructor(words: Int32Array, index: number, liveness: Liveness, clock: Clock, what: string) {
    this.what = what;
    this.#words = words;
    this.#index = index;
    this.#liveness = liveness;
    this.#mine = liveness.self << ownerShift;
    this.#clock = clock;
    this.#futex = new Futex(words, index, clock, () => this.#left);
  }

  /** Whether somebody has it; one who died with it has it still. */
  get isLocked(): boolean {
    const seen = this.#seen();
    return seen !== free && seen !== reserved;
  }

  /** Whether this thread has it. */
  get isMine(): boolean {
    return this.#seen() >> ownerShift === this.#liveness.self;
  }

  /** Takes it if it is free and no task of this thread waits for it. Throws 'lost' when its owner is dead. */
  tryLock(): boolean {
    if (this.#waiting > 0) {
      this.#refuseDead(this.#seen());
      return false;
    }
    if (Atomics.compareExchange(this.#words, this.#index, free, this.#mine) === free) return true;
    const seen = this.#seen();
    if (seen === reserved) return this.#takeReserved();
    this.#refuseDead(seen);
    return false;
  }

  /** Takes it, or blocks until it can. */
  lockSync(timeoutMs?: number): void {
    if (Atomics.compareExchange(this.#words, this.#index, free, this.#mine) === free) return;
    if (this.isMine) {
      throw new LockstepError(
        "misuse",
        `${this.what} is held by this very thread, which would wait for itself for ever; release it first`,
      );
    }
    if (timeoutMs !== 0 && this.#spin.succeeds(this.#look)) return;
    const sleeper = this.#sleeper();
    this.#futex.waitSync(() => this.#attempt(sleeper), timeoutMs, this.what);
  }

  /** Takes it, or waits until it can. The patience must have been checked. */
  async lock(patience: Patience): Promise<void> {
    const sleeper = this.#sleeper();
    this.#waiting++;
    try {
      await this.#futex.wait(() => this.#attempt(sleeper), patience, this.what);
    } finally {
      this.#waiting--;
    }
  }

  /** Gives it back. It must be this thread's. */
  unlock(): void {
    if (Atomics.compareExchange(this.#words, this.#index, this.#mine, free) === this.#mine) return;
    let seen: number;
    let left: number;
    do {
      seen = this.#seen();
      // One that has been struck out as dead, and runs its last listeners, has lost it already.
      if (seen >> ownerShift !== this.#liveness.self) return;
      left = (seen & starving) === 0 ? free : reserved;
    } while (!this.#swap(seen, left));
    const wokeOne = this.#futex.wake(1) > 0;
    // Who starved has given up meanwhile. Nobody has gone to sleep since: on a reserved word only those do
    // who have found somebody else asleep, and woken it.
    if (!wokeOne && left === reserved) this.#swap(reserved, free);
  }

  /** Takes it over from an owner who died; false when there is no such. */
  tryRecover(): boolean {
    const seen = this.#seen();
    if (seen > reserved && this.#liveness.isDead(seen >> ownerShift)) this.#poison(seen);
    return this.#swap(poisoned, this.#mine);
  }

  #sleeper(): Sleeper {
    return { hasSlept: false, sinceMs: this.#clock.now() };
  }

  /** One look of those who do not sleep yet. It is not for them when somebody starves. */
  readonly #look = (): boolean | undefined => {
    const seen = this.#seen();
    if (seen === free && this.#swap(free, this.#mine)) return true;
    return (seen & starving) === 0 ? undefined : false;
  };

  /** One step of waiting: takes it, or marks that somebody is about to sleep. */
  #attempt(sleeper: Sleeper): true | undefined {
    for (;;) {
      const seen = this.#seen();
      let marked = seen;
      if (seen === free) {
        if (this.#swap(free, sleeper.hasSlept ? this.#mine | crowded : this.#mine)) return true;
        continue;
      }
      if (seen === reserved) {
        // A newcomer sleeps on it only behind one that it has woken, who takes it.
        if (sleeper.hasSlept || this.#futex.wake(1) === 0) {
          if (this.#swap(reserved, this.#mine | crowded)) return true;
          continue;
        }
      } else {
        this.#refuseDead(seen);
        const starves = sleeper.hasSlept && this.#clock.now() - sleeper.sinceMs > starvationMs;
        marked = seen | crowded | (starves ? starving : 0);
        if (marked !== seen && !this.#swap(seen, marked)) continue;
      }
      sleeper.hasSlept = true;
      this.#left = marked;
      return undefined;
    }
  }

  /** Takes for a newcomer what is reserved, if all those have gone for whom it was. */
  #takeReserved(): boolean {
    return this.#futex.wake(1) === 0 && this.#swap(reserved, this.#mine | crowded);
  }

  /** Throws when its owner is dead: what it guards may be half written. */
  #refuseDead(seen: number): void {
    if (seen === free || seen === reserved) return;
    if (seen !== poisoned) {
      if (!this.#liveness.isDead(seen >> ownerShift)) return;
      this.#poison(seen);
    }
    throw new LockstepError(
      "lost",
      `a thread died while it held ${this.what}, and may have left what it guards half written; ` +
        `recover() takes it over for whoever mends that`,
    );
  }

  #poison(seen: number): void {
    // Its marks may change meanwhile; then the next step sees that its owner is dead.
    if (this.#swap(seen, poisoned)) this.#futex.wake();
  }

  #seen(): number {
    return Atomics.load(this.#words, this.#index);
  }

  #swap(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.#index, from, to) === from;
  }
}
