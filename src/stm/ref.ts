import { onAbort } from "../base/abort.js";
import { delivered } from "../base/courier.js";
import { checkOptions } from "../base/options.js";
import { checkPatience } from "../base/patience.js";
import { Cell } from "./cell.js";
import type { Lockable, Locks } from "./locks.js";
import type { Space } from "./space.js";
import { whole, type Span } from "./span.js";
import { Sleeper, Wakeups } from "./wakeups.js";

export interface ChangesOptions {
  /** Aborting it ends the iteration, which throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A value that transactions read and write: `tx.get(ref)`, `tx.set(ref, value)`. What it holds is not to be
 * changed in place, for nobody would notice: set another value.
 */
export class Ref<T> extends Cell<T> implements Lockable {
  /** @internal */
  readonly space: Space;
  /** @internal */
  readonly rank: number;
  /** @internal */
  readonly name: string | undefined;
  /** @internal */
  locks: Locks | undefined;

  /** @internal */
  constructor(space: Space, initial: T, rank: number, name: string | undefined) {
    super(initial);
    this.space = space;
    this.rank = rank;
    this.name = name;
  }

  /** @internal How errors call it. */
  get what(): string {
    return this.name === undefined ? "a ref" : `the ref "${this.name}"`;
  }

  /** @internal */
  get place(): { on: Lockable; span: Span } {
    return { on: this, span: whole };
  }

  /** What is committed now. Inside a transaction use `tx.get(ref)`, which sees one moment. */
  get(): T {
    return this.value;
  }

  /**
   * The present value, and then the newest one after each commit that changes it. Who is slow misses those in
   * between.
   *
   * *Cancellation*: throws the signal's reason; leaving the loop leaves nothing behind.
   */
  changes(options: ChangesOptions = {}): AsyncIterableIterator<T> {
    checkOptions(options, ["signal"]);
    checkPatience(options);
    return this.#changes(options.signal);
  }

  async *#changes(signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    for (let seen = -1; ;) {
      if (this.version === seen) await this.#change(signal);
      signal?.throwIfAborted();
      seen = this.version;
      yield this.value;
    }
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    const sleeper = new Sleeper();
    sleeper.joins((this.wakeups ??= new Wakeups()));
    const unlisten = signal && onAbort(signal, () => sleeper.wake());
    await delivered(sleeper.awake, () => `a change of ${this.what}`, this).finally(unlisten);
  }
}
