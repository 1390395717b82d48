import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import type { Patience } from "../base/patience.js";
import { shown } from "../base/shown.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import type { SyncPatience } from "./futex.js";
import { checkHandle, makeHandle, type Handle } from "./handle.js";
import { jsonText } from "./json-text.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";
import { refusePromise, VersionedRegion, type RegionCopy } from "./versioned-region.js";

const mostBytes = 2 ** 28;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What opens a cell in another thread, which so knows what it holds. */
export interface SharedCellHandle<T> extends Handle<"shared-cell"> {
  readonly maxBytes: number;
  readonly name: string | undefined;
  /** Never there: it tells the compiler what the cell holds. */
  readonly holds?: T;
}

export interface SharedCellOptions extends LockOptions {
  /** How many bytes of JSON the value may take. */
  maxBytes: number;
}

/**
 * One value that threads share: whatever JSON can say. Who reads it sees what one write left, whole.
 *
 * *Fairness*: no reader keeps a writer waiting, nor a writer a reader. Writers that come at once are put one
 * after the other; one that was overtaken 64 times is overtaken no more.
 *
 * *Failure*: a write happens in one step at its very end. A writer that throws, or whose thread dies, has
 * written nothing.
 */
export class SharedCell<T> {
  /** Opens the same cell in another thread, by `SharedCell.from`. */
  readonly handle: SharedCellHandle<T>;
  readonly #region: VersionedRegion;

  constructor(options: SharedCellOptions, /** @internal */ handle = newHandle<T>(options)) {
    const { what, clock } = checkLockOptions("cell", options, ["maxBytes"]);
    const { memory, maxBytes, threads } = handle;
    this.handle = handle;
    this.#region = new VersionedRegion(memory, maxBytes, Liveness.of(threads), clock, what);
  }

  /** The cell of that handle. */
  static from<T>(handle: SharedCellHandle<T>, options: OpenOptions = {}): SharedCell<T> {
    checkHandle("shared-cell", handle, 0);
    checkMaxBytes(handle.maxBytes);
    checkHandle("shared-cell", handle, VersionedRegion.memoryFor(handle.maxBytes));
    checkOptions(options, ["clock"]);
    const { name, maxBytes } = handle;
    return new SharedCell<T>({ name, maxBytes, clock: options.clock }, handle);
  }

  /** Another one after each write. */
  get version(): number {
    return this.#region.version;
  }

  /** The value, parsed anew each time and so the caller's own; `undefined` before the first write. */
  get(): T | undefined {
    return this.#region.read(parse) as T | undefined;
  }

  set(value: T): void {
    this.#region.write((draft) => print(value, draft));
  }

  /**
   * Sets it to what `change` returns, given what it is, and says what that is: no other write comes between.
   * When another thread has written meanwhile, `change` is called again: it should do nothing else.
   */
  update(change: (value: T | undefined) => T): T {
    if (typeof change !== "function") {
      throw new LockstepError("bad-input", "update needs a function, as in update((value) => …)");
    }
    const { value } = this.#region.write((draft) => {
      const next = change(parse(draft) as T | undefined);
      print(next, draft);
      return { value: next };
    });
    return value;
  }

  /** Waits until the version is another one than `since`, and says which. */
  changed(since = this.version, patience?: Patience): Promise<number> {
    return this.#region.changed(since, patience);
  }

  /** Blocks the thread until the version is another one than `since`: in workers. */
  changedSync(since = this.version, patience?: SyncPatience): number {
    return this.#region.changedSync(since, patience, "await cell.changed()");
  }
}

function parse({ bytes, usedBytes }: RegionCopy): unknown {
  return usedBytes === 0 ? undefined : JSON.parse(decoder.decode(bytes.subarray(0, usedBytes)));
}

function print(value: unknown, draft: RegionCopy): void {
  refusePromise(value);
  const text = jsonText(value, "a cell holds");
  const { read, written } = encoder.encodeInto(text, draft.bytes);
  if (read < text.length) {
    throw new LockstepError(
      "bad-input",
      `this value takes more than the ${draft.bytes.length} bytes of its cell; make it with more maxBytes`,
    );
  }
  draft.usedBytes = written;
}

function newHandle<T>(options: SharedCellOptions): SharedCellHandle<T> {
  checkLockOptions("cell", options, ["maxBytes"]);
  const { maxBytes, name } = options;
  checkMaxBytes(maxBytes);
  const memory = VersionedRegion.allocate(maxBytes, 0);
  return makeHandle("shared-cell", memory, Liveness.here, { maxBytes, name });
}

function checkMaxBytes(maxBytes: number): void {
  if (Number.isInteger(maxBytes) && maxBytes >= 1 && maxBytes <= mostBytes) return;
  throw new LockstepError(
    "bad-input",
    `maxBytes must be a whole number from 1 to ${mostBytes}, not ${shown(maxBytes)}`,
  );
}
