import { LockstepError } from "../base/errors.js";
import type { Pooled } from "./pool-shelf.js";

/** Whom a lease goes back to. */
export interface PoolLender<T> {
  takeBack(pooled: Pooled<T>): void;
  writeOff(pooled: Pooled<T>): void;
}

/**
 * A resource on loan, and the only way to give it back. Given back at the end of the block by
 * `using lease = await pool.acquire()`.
 */
export class Lease<T> {
  readonly #lender: PoolLender<T>;
  #pooled: Pooled<T> | undefined;

  /** @internal */
  constructor(lender: PoolLender<T>, pooled: Pooled<T>) {
    this.#lender = lender;
    this.#pooled = pooled;
  }

  /** Whether it has not been given back yet. */
  get isHeld(): boolean {
    return this.#pooled !== undefined;
  }

  /**
   * What was lent.
   *
   * *Failure*: throws 'misuse' once it was given back: it may be somebody else's by now.
   */
  get resource(): T {
    return this.#mine("acquire another one").resource;
  }

  /**
   * Gives it back, for the next one to use.
   *
   * *Failure*: throws 'misuse' when it was given back before, and then changes nothing.
   */
  release(): void {
    const pooled = this.#mine(onlyOnce);
    this.#pooled = undefined;
    this.#lender.takeBack(pooled);
  }

  /**
   * Gives it back as broken: it is destroyed, and another one is made when it is needed.
   *
   * *Failure*: throws 'misuse' when it was given back before, and then changes nothing.
   */
  discard(): void {
    const pooled = this.#mine(onlyOnce);
    this.#pooled = undefined;
    this.#lender.writeOff(pooled);
  }

  /** Gives it back, unless that was done before. */
  [Symbol.dispose](): void {
    if (this.#pooled !== undefined) this.release();
  }

  #mine(instead: string): Pooled<T> {
    if (this.#pooled !== undefined) return this.#pooled;
    throw new LockstepError("misuse", `the resource was given back to its pool before; ${instead}`);
  }
}

const onlyOnce = "release or discard each lease once, or let `using` release it";

// Each promise looks for a `then` in what it is resolved with; here it finds at once that there is none.
Object.defineProperty(Lease.prototype, "then", { value: undefined });
