import type { Clock } from "../base/clock.js";
import type { Patience } from "../base/patience.js";
import { Futex, type SyncPatience } from "./futex.js";

/** The lowest bit of the word says that somebody may be asleep. */
const marked = 1;

/**
 * What those sleep by who wait for messages, or for room; whoever brings some rings it, which costs next to
 * nothing while nobody sleeps.
 *
 * No wake-up is lost. A sleeper tries, leaves the mark, tries again, and sleeps only if the word is still as
 * it was before that second try. Whoever rings has first brought what is waited for and then looks for the
 * mark. If it finds none, the mark comes later, and the second try after it finds what was brought. If it
 * finds the mark it wakes one sleeper for each thing it brought. Were there fewer, it takes the mark away,
 * which changes the word, so that whoever was about to sleep does not; and since somebody may have gone to
 * sleep before the mark was gone, but after the wake-up, it wakes them all.
 */
export class ChannelDoorbell {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #futex: Futex;

  constructor(words: Int32Array, index: number, clock: Clock) {
    this.#words = words;
    this.#index = index;
    this.#futex = new Futex(words, index, clock);
  }

  /** Wakes so many of those that sleep. What they wait for must be there already. */
  ring(count: number): void {
    const seen = Atomics.load(this.#words, this.#index);
    if ((seen & marked) === 0 || this.#futex.wake(count) >= count) return;
    // If another one has changed the word, it wakes them all, and has done so after this one brought its own.
    const unmarked = (seen + marked) | 0;
    if (Atomics.compareExchange(this.#words, this.#index, seen, unmarked) === seen) this.#futex.wake();
  }

  /** Waits until an attempt says something else than `undefined`. The patience must have been checked. */
  wait<T>(attempt: () => T | undefined, patience: Patience, awaited: string): Promise<T> {
    return this.#futex.wait(() => this.#attempt(attempt), patience, awaited);
  }

  /** The same for a thread that blocks. */
  waitSync<T>(attempt: () => T | undefined, patience: SyncPatience | undefined, awaited: string): T {
    return this.#futex.waitSync(() => this.#attempt(attempt), patience?.timeoutMs, awaited);
  }

  /** The futex tries again at once when the attempt has changed the word: that is the try after the mark. */
  #attempt<T>(attempt: () => T | undefined): T | undefined {
    const result = attempt();
    if (result === undefined) Atomics.or(this.#words, this.#index, marked);
    return result;
  }
}
