import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";
import { allocate, checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";

const bytes = BigInt64Array.BYTES_PER_ELEMENT;

/** What opens a counter in another thread. */
export type AtomicCounterHandle = Handle<"atomic-counter">;

export interface AtomicCounterOptions {
  /** What it counts from; 0 unless told otherwise. */
  initial?: number | undefined;
}

/**
 * A whole number that many threads change at once, and no change is lost. No call waits for another thread,
 * whatever it does or whenever it dies: one that adds begins anew only when another has changed the count.
 *
 * It counts exactly from -(2 ** 53 - 1) to 2 ** 53 - 1. What would leave that range is refused, and changes
 * nothing.
 */
export class AtomicCounter {
  /** Opens the same counter in another thread, by `AtomicCounter.from`. */
  readonly handle: AtomicCounterHandle;
  readonly #cell: BigInt64Array;

  constructor(options: AtomicCounterOptions = {}, /** @internal */ handle = newHandle(options)) {
    this.handle = handle;
    this.#cell = new BigInt64Array(handle.memory, 0, 1);
  }

  /** The counter of that handle. */
  static from(handle: AtomicCounterHandle): AtomicCounter {
    checkHandle("atomic-counter", handle, bytes);
    return new AtomicCounter({}, handle);
  }

  get(): number {
    return Number(Atomics.load(this.#cell, 0));
  }

  set(value: number): void {
    checkWhole("the value of a counter", value);
    Atomics.store(this.#cell, 0, BigInt(value));
  }

  /** Says what the count is then: each of several threads is told another one. */
  increment(): number {
    return this.add(1);
  }

  /** Says what the count is then. */
  decrement(): number {
    return this.add(-1);
  }

  /** Says what the count is then. */
  add(amount: number): number {
    checkWhole("what is added to a counter", amount);
    // Atomics.add would find out too late: to take back what is beyond the limit spoils what others have set
    // or added meanwhile.
    for (let seen = Atomics.load(this.#cell, 0); ;) {
      const count = Number(seen) + amount;
      if (!Number.isSafeInteger(count)) throw beyond();
      const found = Atomics.compareExchange(this.#cell, 0, seen, BigInt(count));
      if (found === seen) return count;
      seen = found;
    }
  }

  /** Says what the count is then. */
  subtract(amount: number): number {
    checkWhole("what is subtracted from a counter", amount);
    return this.add(-amount);
  }

  /** Sets it to `next` if it is `expected`; says whether it was. */
  compareAndSet(expected: number, next: number): boolean {
    checkWhole("what a counter is expected to be", expected);
    checkWhole("the value of a counter", next);
    const wanted = BigInt(expected);
    return Atomics.compareExchange(this.#cell, 0, wanted, BigInt(next)) === wanted;
  }

  /** Sets it, and says what it was: `counter.exchange(0)` takes what was counted so far. */
  exchange(value: number): number {
    checkWhole("the value of a counter", value);
    return Number(Atomics.exchange(this.#cell, 0, BigInt(value)));
  }
}

function newHandle(options: AtomicCounterOptions): AtomicCounterHandle {
  checkOptions(options, ["initial"]);
  const { initial = 0 } = options;
  checkWhole("initial", initial);
  const memory = allocate(bytes);
  new BigInt64Array(memory).set([BigInt(initial)]);
  return makeHandle("atomic-counter", memory, Liveness.here);
}

function beyond(): LockstepError {
  return new LockstepError(
    "bad-input",
    `the count would leave what a number holds exactly, which ends at ${Number.MAX_SAFE_INTEGER}; add less`,
  );
}

function checkWhole(name: string, value: number): void {
  if (Number.isSafeInteger(value)) return;
  throw new LockstepError(
    "bad-input",
    `${name} must be a whole number that is exact, and not ${describe(value)}`,
  );
}

function describe(value: unknown): string {
  return typeof value === "bigint" ? `the bigint ${value}` : shown(value);
}
