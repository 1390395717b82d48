import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import type { Patience } from "../base/patience.js";
import { shown } from "../base/shown.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import type { SyncPatience } from "./futex.js";
import { checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";
import { VersionedRegion } from "./versioned-region.js";

const mostBytes = 2 ** 28;

/** What opens a seqlock in another thread. */
export interface SeqlockHandle extends Handle<"seqlock"> {
  readonly bytes: number;
  readonly name: string | undefined;
}

export interface SeqlockOptions extends LockOptions {
  /** How many bytes it holds. */
  bytes: number;
}

/**
 * Bytes that one thread writes while many read them: each reader sees what one write left, whole, and no
 * reader keeps a writer waiting, nor a writer a reader.
 *
 * *Fairness*: writers that come at once are put one after the other; one that was overtaken 64 times is
 * overtaken no more.
 *
 * *Failure*: a write happens in one step at its very end. A writer that throws, or whose thread dies, has
 * written nothing.
 */
export class Seqlock {
  /** Opens the same seqlock in another thread, by `Seqlock.from`. */
  readonly handle: SeqlockHandle;
  readonly #region: VersionedRegion;

  constructor(options: SeqlockOptions, /** @internal */ handle = newHandle(options)) {
    const { what, clock } = checkLockOptions("seqlock", options, ["bytes"]);
    this.handle = handle;
    this.#region = new VersionedRegion(handle.memory, handle.bytes, Liveness.of(handle.threads), clock, what);
  }

  /** The seqlock of that handle. */
  static from(handle: SeqlockHandle, options: OpenOptions = {}): Seqlock {
    checkHandle("seqlock", handle, 0);
    checkBytes(handle.bytes);
    checkHandle("seqlock", handle, VersionedRegion.memoryFor(handle.bytes));
    checkOptions(options, ["clock"]);
    const { name, bytes } = handle;
    return new Seqlock({ name, bytes, clock: options.clock }, handle);
  }

  /** How many bytes it holds. */
  get bytes(): number {
    return this.handle.bytes;
  }

  /** Another one after each write. */
  get version(): number {
    return this.#region.version;
  }

  /**
   * Calls `reader` once, with a copy of what the latest write left. The copy is used for the next read: take
   * out of it what you need, and do not keep it.
   */
  read<T>(reader: (view: DataView) => T): T {
    checkFunction("read", reader);
    return this.#region.read(({ view }) => reader(view));
  }

  /**
   * Gives `writer` a copy to change, and puts it in place in one step when the writer returns. When another
   * thread has written meanwhile, the writer is called again with a new copy: it should do nothing else. Says
   * what the writer returned in the end.
   */
  write<T>(writer: (view: DataView) => T): T {
    checkFunction("write", writer);
    return this.#region.write((draft) => writer(draft.view));
  }

  /** Waits until the version is another one than `since`, and says which. */
  changed(since = this.version, patience?: Patience): Promise<number> {
    return this.#region.changed(since, patience);
  }

  /** Blocks the thread until the version is another one than `since`: in workers. */
  changedSync(since = this.version, patience?: SyncPatience): number {
    return this.#region.changedSync(since, patience, "await seqlock.changed()");
  }
}

function newHandle(options: SeqlockOptions): SeqlockHandle {
  checkLockOptions("seqlock", options, ["bytes"]);
  const { bytes, name } = options;
  checkBytes(bytes);
  const memory = VersionedRegion.allocate(bytes, bytes);
  return makeHandle("seqlock", memory, Liveness.here, { bytes, name });
}

function checkBytes(bytes: number): void {
  if (Number.isInteger(bytes) && bytes >= 1 && bytes <= mostBytes) return;
  throw new LockstepError(
    "bad-input",
    `bytes must be a whole number from 1 to ${mostBytes}, not ${shown(bytes)}`,
  );
}

function checkFunction(verb: string, given: unknown): void {
  if (typeof given === "function") return;
  throw new LockstepError(
    "bad-input",
    `${verb} needs a function that is given the bytes, as in ${verb}((view) => …)`,
  );
}
