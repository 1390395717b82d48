import { LockstepError } from "../base/errors.js";

/** Whom a hold goes back to. */
export interface Lender {
  /** Names it in errors. */
  readonly what: string;
  takeBack(weight: number, held: Held): void;
}

/**
 * What one holds: proof that it was granted, and the only way to give it back. Released at the end of the
 * block by `using held = await mutex.acquire()`.
 */
export class Held {
  #lender: Lender | undefined;
  /** @internal How many permits it stands for. */
  readonly weight: number;

  /** @internal */
  constructor(lender: Lender, weight: number) {
    this.#lender = lender;
    this.weight = weight;
  }

  /** Whether it has not been released yet. */
  get isHeld(): boolean {
    return this.#lender !== undefined;
  }

  /**
   * Gives it back.
   *
   * *Failure*: throws 'misuse' when it was released before, and then gives nothing back.
   */
  release(): void {
    this.end().takeBack(this.weight, this);
  }

  /** Gives it back, unless that was done before. */
  [Symbol.dispose](): void {
    if (this.#lender !== undefined) this.release();
  }

  /** @internal Ends it without giving anything back, as when another hold takes its place. */
  end(): Lender {
    const lender = this.#lender;
    if (lender === undefined) {
      throw new LockstepError(
        "misuse",
        "it was released before; release each hold once, or let `using` do it",
      );
    }
    this.#lender = undefined;
    return lender;
  }

  /** @internal Whether it is held, and this is whom it goes back to. */
  isLentBy(lender: Lender): boolean {
    return this.#lender === lender;
  }

  /** @internal Makes it good again after its end, for one who takes again what it gave back. */
  lendAgain(lender: Lender): void {
    this.#lender = lender;
  }
}

// Each promise looks for a `then` in what it is resolved with; here it finds at once that there is none.
Object.defineProperty(Held.prototype, "then", { value: undefined });
