import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { checkCount } from "../sync/check-count.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";

const bytes = Int32Array.BYTES_PER_ELEMENT;
const highestCount = 2 ** 31 - 1;

/** What opens a latch in another thread. */
export interface LatchHandle extends Handle<"latch"> {
  readonly name: string | undefined;
}

/**
 * Opens once, when so many things have happened in whichever threads, and stays open: wait for the last of
 * several workers, or let several start at once. One that counts from zero is open from the start.
 *
 * *Fairness*: all who wait go on together. *Cancellation*: one who gives up concerns nobody else, and counts
 * nothing.
 *
 * *Failure*: nobody owns a count, so a thread that dies before it counts down is not missed: those who wait
 * need a `timeoutMs`, or a thread that counts down in the place of the dead one.
 */
export class Latch {
  /** Opens the same latch in another thread, by `Latch.from`. */
  readonly handle: LatchHandle;
  readonly #what: string;
  readonly #words: Int32Array;
  readonly #futex: Futex;

  constructor(count: number, options: LockOptions = {}, /** @internal */ handle?: LatchHandle) {
    const { what, clock } = checkLockOptions("latch", options);
    if (handle === undefined) checkCount32("count", count, 0);
    this.handle = handle ?? makeHandle("latch", allocate(bytes), Liveness.here, { name: options.name });
    this.#what = what;
    this.#words = new Int32Array(this.handle.memory);
    this.#futex = Futex.ofCrowd(this.#words, 0, clock);
    if (handle === undefined) this.#words[0] = count;
  }

  /** The latch of that handle. */
  static from(handle: LatchHandle, options: OpenOptions = {}): Latch {
    checkHandle("latch", handle, bytes);
    checkOptions(options, ["clock"]);
    return new Latch(0, { name: handle.name, clock: options.clock }, handle);
  }

  /** How much is still to be counted down; zero when it is open. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /**
   * Counts down, by one unless told otherwise, and opens at zero.
   *
   * *Failure*: throws 'misuse' rather than count below zero: something happened more often than was expected.
   */
  countDown(by = 1): void {
    checkCount32("what is counted down", by);
    for (;;) {
      const { count } = this;
      if (by > count) {
        throw new LockstepError(
          "misuse",
          `${this.#what} has ${count} left to count down, and not ${by}; begin with a higher count`,
        );
      }
      if (Atomics.compareExchange(this.#words, 0, count, count - by) !== count) continue;
      if (by === count) this.#futex.wake();
      return;
    }
  }

  /** Blocks the thread until it is open: in workers. */
  waitSync(patience?: SyncPatience): void {
    Futex.checkMayBlock(patience, "await latch.wait()");
    this.#futex.waitSync(() => this.#isOpen(), patience?.timeoutMs, this.#what);
  }

  /** Waits until it is open, or goes on at once if it is. */
  async wait(patience?: Patience): Promise<void> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    await this.#futex.wait(() => this.#isOpen(), patience ?? {}, this.#what);
  }

  #isOpen(): true | undefined {
    return this.count === 0 ? true : undefined;
  }
}

function checkCount32(name: string, count: number, least?: number): void {
  checkCount(name, count, least);
  if (count <= highestCount) return;
  throw new LockstepError("bad-input", `${name} must be at most ${highestCount}, not ${count}`);
}
