import { systemClock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { isMainThread, Liveness } from "./liveness.js";

const free = 0;
/** How often to look again before something else is done about it. */
const looks = 500;
/** The shortest sleep that a system gives. */
const napMs = 0.05;

/** Nobody who is alive stays in such a section for so long, whatever else the machine does. */
const longestMs = 5000;

/**
 * A lock for sections that take microseconds and wait for nothing. Who finds it taken looks again and again,
 * and naps in between if it is a worker; so the main thread may take it too.
 *
 * *Failure*: what it guards must be whole after every step, for the lock of a thread that died is taken over
 * without further ado. If nobody can tell that it died, then who finds it so gets 'unavailable' after five
 * seconds, rather than to look for ever: in the main thread that would keep the news from coming.
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
    if (Atomics.compareExchange(this.#words, this.#index, free, this.#self) !== free) this.#enterLater();
  }

  /** Nothing happens if it is not this thread's any more. */
  leave(): void {
    Atomics.compareExchange(this.#words, this.#index, this.#self, free);
  }

  #enterLater(): void {
    let sinceMs = systemClock.now();
    let last = free;
    for (let look = 1; ; look++) {
      const owner = Atomics.load(this.#words, this.#index);
      // It is ours when a section of ours was cut short, as by an overflow of the stack.
      if (owner === this.#self) return;
      if (owner === free || (look % looks === 0 && this.#liveness.isDead(owner))) {
        if (Atomics.compareExchange(this.#words, this.#index, owner, this.#self) === owner) return;
      } else if (look % looks === 0) {
        const now = systemClock.now();
        if (owner !== last) sinceMs = now;
        else if (now - sinceMs > longestMs) throw stuck();
        last = owner;
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

function stuck(): LockstepError {
  return new LockstepError(
    "unavailable",
    "a thread has stood still for 5 s in the middle of a change that takes microseconds: a debugger has " +
      "stopped it, or it died and nobody knows. Try again, and load lockstep/threads in each thread that " +
      "starts others, before it does",
  );
}
