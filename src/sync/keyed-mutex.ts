import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, whenPatienceEnds, type Patience } from "../base/patience.js";
import { deadlockWatch } from "./deadlock-watch.js";
import { Held } from "./held.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { Permits, Want } from "./permits.js";
import { runHolding } from "./section.js";

const one = new Want();

/**
 * A mutex for each key: whatever a `Map` takes as one, save arrays, which mean several keys at once, and
 * undefined. A key that nobody holds or wants costs nothing.
 *
 * *Fairness*: first come, first served, for each key.
 *
 * *Several keys* are taken one after the other, in an order that all callers share; so those who take all
 * their keys in one call never wait for each other in a circle. Those who take one call after another can.
 *
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, and gives back the keys that
 * it had by then.
 */
export class KeyedMutex<Key = string> {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #locks = new Map<Key, KeyLock>();
  #lastOrder = 0;

  constructor(options: LockOptions = {}) {
    const { what, clock } = checkLockOptions("keyed mutex", options);
    this.#what = what;
    this.#clock = clock;
  }

  /** How many keys are held or waited for. */
  get size(): number {
    return this.#locks.size;
  }

  /** Whether somebody has the key. */
  isLocked(key: Key): boolean {
    return this.#locks.get(key)?.free === 0;
  }

  /** Takes the key, or all of the keys, or waits for them. */
  acquire(keys: Key | readonly Key[], patience?: Patience): Promise<Held> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (!Array.isArray(keys) && keys !== undefined) return this.#lockOf(keys as Key).takeOnly(patience);
    try {
      const wanted = this.#locksOf(keys);
      if (wanted.every(isFree)) return Promise.resolve(this.#takeFree(wanted));
      return this.#takeAll(wanted, patience);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes them at once if all are free, without any promise; else takes none and says null. */
  tryAcquire(keys: Key | readonly Key[]): Held | null {
    const wanted = this.#locksOf(keys);
    if (wanted.every(isFree)) return this.#takeFree(wanted);
    for (const lock of wanted) lock.leave();
    return null;
  }

  /** Acquires, runs the section, releases. */
  run<T>(keys: Key | readonly Key[], section: (held: Held) => T, patience?: Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(keys, patience), section);
  }

  /** The locks of the keys, each once, in the order that all share; each must be taken or left. */
  #locksOf(keys: Key | readonly Key[]): KeyLock[] {
    const wanted = new Set<Key>(Array.isArray(keys) ? (keys as readonly Key[]) : [keys as Key]);
    if (wanted.size === 0 || wanted.has(undefined as Key)) {
      throw new LockstepError("bad-input", `acquire from ${this.#what} needs a key, or an array of some`);
    }
    const locks = Array.from(wanted, (key) => this.#lockOf(key));
    // A lock's order stands as long as anyone holds or wants it. So all who meet at some lock agree on the
    // order of all the locks they have in common, and of two of them the one who is further waits for nobody
    // who is behind: there is no circle.
    return locks.sort((a, b) => a.order - b.order);
  }

  #lockOf(key: Key): KeyLock {
    let lock = this.#locks.get(key);
    if (lock === undefined) {
      const name = () => `the key ${shown(key)} of ${this.#what}`;
      const forget = () => {
        this.#locks.delete(key);
      };
      lock = new KeyLock(name, this.#clock, ++this.#lastOrder, forget);
      this.#locks.set(key, lock);
    }
    lock.users++;
    return lock;
  }

  #takeFree(wanted: readonly KeyLock[]): Held {
    return allOf(
      this.#what,
      wanted.map((lock) => lock.tryTake(one)!),
    );
  }

  async #takeAll(wanted: readonly KeyLock[], patience: Patience | undefined): Promise<Held> {
    // One patience for all of them together.
    const givenUp = patience && new AbortController();
    const callOff =
      patience &&
      whenPatienceEnds(patience, this.#clock, `all keys wanted of ${this.#what}`, (error) => {
        givenUp?.abort(error);
      });
    const rest = patience?.timeoutMs === 0 ? { timeoutMs: 0 } : givenUp && { signal: givenUp.signal };
    const taken: Held[] = [];
    try {
      for (const lock of wanted) {
        taken.push(await lock.take(one, rest));
        // Between its grant and this line no queue has looked after the patience.
        givenUp?.signal.throwIfAborted();
      }
      return allOf(this.#what, taken);
    } catch (error) {
      for (const lock of wanted.slice(taken.length)) lock.leave();
      for (const held of taken.reverse()) held.release();
      throw error;
    } finally {
      callOff?.();
    }
  }
}

/** The lock of one key, as long as anyone holds or wants it. */
class KeyLock extends Permits {
  readonly order: number;
  /** How many hold it or want it. */
  users = 0;
  readonly #onUnused: () => void;

  constructor(what: () => string, clock: Clock, order: number, onUnused: () => void) {
    super(what, 1, clock);
    this.order = order;
    this.#onUnused = onUnused;
  }

  takeOnly(patience: Patience | undefined): Promise<Held> {
    const taken = this.take(one, patience);
    // Nobody else can refuse it.
    if (patience !== undefined || deadlockWatch !== undefined) {
      taken.catch(() => {
        this.leave();
      });
    }
    return taken;
  }

  override takeBack(weight: number): void {
    super.takeBack(weight);
    this.leave();
  }

  /** One who held it or wanted it does so no longer. */
  leave(): void {
    this.users--;
    if (this.users === 0) this.#onUnused();
  }
}

function isFree(lock: KeyLock): boolean {
  return lock.free > 0 && lock.waiting() === 0;
}

/** One hold for several. */
function allOf(what: string, held: readonly Held[]): Held {
  if (held.length === 1) return held[0]!;
  const takeBack = () => {
    for (const each of held.toReversed()) each.release();
  };
  const whole = new Held({ what, takeBack }, held.length);
  deadlockWatch?.joined(whole, held);
  return whole;
}

function shown(key: unknown): string {
  if (typeof key === "string") return JSON.stringify(key);
  if (typeof key === "object" && key !== null) return "that is an object";
  return typeof key === "function" ? "that is a function" : String(key);
}
