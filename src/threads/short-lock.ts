import { LockstepError } from "../base/errors.js";
import { isMainThread, Liveness } from "./liveness.js";

const free = 0;
/** How often to look again before something else is done about it. */
const looks = 500;
/** The shortest sleep that a system gives. */
const napMs = 0.05;

/**
 * Set when this thread's number has been struck out of the table of the living: what it took from then on
 * would count as free. (The listener of ./liveness.js came before this one, and the caller's come later.)
 */
let hasEnded = false;
if (!isMainThread) {
  (globalThis.process as NodeJS.Process | undefined)?.once("exit", () => (hasEnded = true));
}

/**
 * A lock for sections that take microseconds and wait for nothing. Who finds it taken looks again and again,
 * and naps in between if it is a worker; so the main thread may take it too.
 *
 * *Failure*: what it guards must be whole after every step, for the lock of a thread that died is taken over
 * without further ado.
 */
export class ShortLock {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #liveness: Liveness;
  readonly #self: number;

  constructor(words: Int32Array, index: number, liveness: Liveness) {
    this.#words = words;
    this.#index = index;
    this.#liveness = liveness;
    this.#self = liveness.self;
  }

  enter(): void {
    if (hasEnded) {
      throw new LockstepError(
        "misuse",
        "this thread has ended: share nothing any more in its last listeners",
      );
    }
    if (Atomics.compareExchange(this.#words, this.#index, free, this.#self) !== free) this.#enterLater();
  }

  /** Nothing happens if it is not this thread's any more. */
  leave(): void {
    Atomics.compareExchange(this.#words, this.#index, this.#self, free);
  }

  #enterLater(): void {
    for (let look = 1; ; look++) {
      const owner = Atomics.load(this.#words, this.#index);
      // It is ours when a section of ours was cut short, as by an overflow of the stack.
      if (owner === this.#self) return;
      if (owner === free || (look % looks === 0 && this.#liveness.isDead(owner))) {
        if (Atomics.compareExchange(this.#words, this.#index, owner, this.#self) === owner) return;
      } else if (look % looks === 0) {
        this.#pause(owner);
      }
    }
  }

  /** Lets the owner go on, who may be waiting for this very core. */
  #pause(owner: number): void {
    if (!isMainThread) Atomics.wait(this.#words, this.#index, owner, napMs);
    // The owner may be a child of this thread, whose event loop is not there to be told of its death.
    Liveness.lookAfterChildren();
  }
}
