import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import type { Patience } from "../base/patience.js";
import { checkLockOptions, type LockOptions } from "../sync/lock-options.js";
import type { SyncPatience } from "./futex.js";
import { checkHandle, makeHandle, type Handle } from "./handle.js";
import { Liveness } from "./liveness.js";
import type { OpenOptions } from "./open-options.js";
import { StructLayout, type StructFields, type StructValues } from "./struct-layout.js";
import { refusePromise, VersionedRegion, type RegionCopy } from "./versioned-region.js";

/** What opens a struct in another thread, which so knows its fields. */
export interface SharedStructHandle<Fields extends StructFields> extends Handle<"shared-struct"> {
  readonly fields: Fields;
  readonly name: string | undefined;
}

/**
 * Named fields that threads share. A snapshot has all fields as one write left them, never some of this write
 * and some of that; a write of many fields is one step.
 *
 * *Fairness*: no reader keeps a writer waiting, nor a writer a reader. Writers that come at once are put one
 * after the other; one that was overtaken 64 times is overtaken no more.
 *
 * *Failure*: a write happens in one step at its very end. A writer that throws, or whose thread dies, has
 * written nothing.
 */
export class SharedStruct<Fields extends StructFields> {
  /** Opens the same struct in another thread, by `SharedStruct.from`. */
  readonly handle: SharedStructHandle<Fields>;
  readonly #layout: StructLayout<Fields>;
  readonly #region: VersionedRegion;

  private constructor(
    layout: StructLayout<Fields>,
    handle: SharedStructHandle<Fields>,
    options: OpenOptions,
  ) {
    const { what, clock } = checkLockOptions("struct", { name: handle.name, clock: options.clock });
    this.handle = handle;
    this.#layout = layout;
    this.#region = new VersionedRegion(handle.memory, layout.bytes, Liveness.of(handle.threads), clock, what);
  }

  /** A new struct of these fields. Each is zero, false or empty to begin with. */
  static of<const Fields extends StructFields>(
    fields: Fields,
    options: LockOptions = {},
  ): SharedStruct<Fields> {
    checkLockOptions("struct", options);
    const layout = new StructLayout(fields);
    const memory = VersionedRegion.allocate(layout.bytes, layout.bytes);
    const { name } = options;
    const handle = makeHandle("shared-struct", memory, Liveness.here, { fields, name });
    return new SharedStruct(layout, handle, { clock: options.clock });
  }

  /** The struct of that handle. */
  static from<Fields extends StructFields>(
    handle: SharedStructHandle<Fields>,
    options: OpenOptions = {},
  ): SharedStruct<Fields> {
    checkHandle("shared-struct", handle, 0);
    const layout = new StructLayout(handle.fields);
    checkHandle("shared-struct", handle, VersionedRegion.memoryFor(layout.bytes));
    checkOptions(options, ["clock"]);
    return new SharedStruct(layout, handle, options);
  }

  /** Another one after each write. */
  get version(): number {
    return this.#region.version;
  }

  /** A snapshot of all fields, for the caller to keep. */
  get(): StructValues<Fields> {
    return this.#region.read(({ view }) => this.#layout.read(view));
  }

  /** Sets the fields that are named, in one step, and leaves the others as they are. */
  set(values: Partial<StructValues<Fields>>): void {
    this.#region.write((draft) => this.#write(draft, values));
  }

  /**
   * Sets the fields that `change` returns, given what they are, and says what they are then: no other write
   * comes between. When another thread has written meanwhile, `change` is called again: it should do nothing
   * else.
   */
  update(change: (values: StructValues<Fields>) => Partial<StructValues<Fields>>): StructValues<Fields> {
    if (typeof change !== "function") {
      throw new LockstepError(
        "bad-input",
        "update needs a function, as in update(({ count }) => ({ count: count + 1 }))",
      );
    }
    return this.#region.write((draft) => {
      this.#write(draft, change(this.#layout.read(draft.view)));
      return this.#layout.read(draft.view);
    });
  }

  /** Waits until the version is another one than `since`, and says which. */
  changed(since = this.version, patience?: Patience): Promise<number> {
    return this.#region.changed(since, patience);
  }

  /** Blocks the thread until the version is another one than `since`: in workers. */
  changedSync(since = this.version, patience?: SyncPatience): number {
    return this.#region.changedSync(since, patience, "await struct.changed()");
  }

  #write(draft: RegionCopy, values: Partial<StructValues<Fields>>): void {
    refusePromise(values);
    this.#layout.write(draft.view, values);
  }
}
