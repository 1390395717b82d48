import { LockstepError } from "../base/errors.js";
import { isPromise } from "../base/is-promise.js";
import { Attempt } from "./attempt.js";
import type { Draft } from "./draft.js";
import { misfit } from "./misfit.js";
import { Ref } from "./ref.js";
import { checkBlock, running } from "./running.js";
import { retry } from "./signals.js";
import { Table } from "./table.js";

type Hook = () => unknown;

/** Where a part of a block began, to go back there. */
interface Savepoint {
  readonly draft: Draft | undefined;
  readonly commitHooks: number;
  readonly rollbackHooks: number;
}

/** An attempt as its block sees it: what all kinds of transactions have in common. */
export abstract class Block extends Attempt {
  #open: Savepoint[] | undefined;
  #commitHooks: Hook[] | undefined;
  #rollbackHooks: Hook[] | undefined;
  #hasSeenRows = false;
  #isClosed = false;
  /** What it did that leaves nothing to be saved. */
  misuse: LockstepError | undefined;

  retry(): never {
    this.enter();
    this.leaving = retry;
    throw retry;
  }

  nested<T>(block: (tx: this) => T): T {
    this.enter();
    checkBlock("nested", block);
    const savepoint = {
      draft: this.draft?.copy(),
      commitHooks: this.#commitHooks?.length ?? 0,
      rollbackHooks: this.#rollbackHooks?.length ?? 0,
    };
    (this.#open ??= []).push(savepoint);
    let result: T;
    try {
      result = block(this);
    } catch (error) {
      this.#goBack(savepoint);
      throw error;
    }
    if (!isPromise(result)) {
      this.#close(savepoint);
      return result;
    }
    const closed = Promise.resolve(result).then(
      (value) => {
        this.#close(savepoint);
        return value;
      },
      (error: unknown) => {
        this.#goBack(savepoint);
        throw error;
      },
    );
    return closed as T;
  }

  /** The first of the blocks that does not retry, as a part of this one. */
  firstOf<T>(blocks: readonly ((tx: never) => T)[], at = 0): T {
    const next = (error: unknown): T => {
      if (this.leaving !== retry || this.isOver || at + 1 === blocks.length) throw error;
      this.leaving = undefined;
      return this.firstOf(blocks, at + 1);
    };
    let result: T;
    try {
      result = this.nested(blocks[at] as (tx: this) => T);
    } catch (error) {
      return next(error);
    }
    return isPromise(result) ? (Promise.resolve(result).catch(next) as T) : result;
  }

  onCommit(call: Hook): void {
    this.enter();
    checkBlock("onCommit", call);
    (this.#commitHooks ??= []).push(call);
  }

  onRollback(call: Hook): void {
    this.enter();
    checkBlock("onRollback", call);
    (this.#rollbackHooks ??= []).push(call);
  }

  /** Whether it waits for locks still, so that it cannot commit at once. */
  get isWaiting(): boolean {
    return false;
  }

  /** Resolves when it has all the locks that it has asked for. */
  locked(): Promise<void> | undefined {
    return undefined;
  }

  /** Says what to do where a row was to be changed in place, which the engine only calls a TypeError. */
  explained(error: unknown): unknown {
    const isOfFrozen =
      error instanceof TypeError &&
      /read only|not extensible|Cannot (delete|redefine) prop/.test(error.message);
    if (!isOfFrozen || !this.#hasSeenRows) return error;
    return new LockstepError(
      "misuse",
      "a row of a table cannot be changed in place, for then nobody would notice; " +
        "put a changed copy: tx.put(table, key, { ...row, balance: 0 })",
      { cause: error },
    );
  }

  /** It has committed. */
  committed(): void {
    this.end();
    if (this.#commitHooks !== undefined) callAll(this.#commitHooks);
  }

  /** It has come to nothing. */
  rolledBack(): void {
    if (this.isOver) return;
    this.end();
    if (this.#rollbackHooks !== undefined) callAll(this.#rollbackHooks);
  }

  /** Throws unless the block may go on here and now. */
  protected enter(): void {
    const isForeign = running !== undefined && running !== this;
    if (this.isOver || this.#isClosed || this.leaving !== undefined || isForeign) this.#refuse();
  }

  /**
   * The same for what was asked for before, and had to wait. It may be that a branch of `orElse` was left
   * meanwhile, or that the block has ended, and its commit waits for just this.
   */
  protected enterLate(): void {
    if (this.isOver || (this.leaving !== undefined && this.leaving !== retry)) this.#refuse();
  }

  protected enterRef(ref: unknown): void {
    this.enter();
    if (!(ref instanceof Ref) || ref.space !== this.space) throw misfit(ref, this.space, "ref");
  }

  protected enterTable(table: unknown, noun = "table"): void {
    this.enter();
    if (!(table instanceof Table) || table.space !== this.space) throw misfit(table, this.space, noun);
    this.#hasSeenRows = true;
  }

  /** The block has ended, and so must all its parts have. */
  close(): void {
    this.#isClosed = true;
    if (this.#open === undefined || this.#open.length === 0) return;
    this.misuse ??= new LockstepError(
      "misuse",
      "a part of the transaction was still under way when its block ended; await tx.nested(...)",
    );
  }

  #close(savepoint: Savepoint): boolean {
    if (this.isOver) return false;
    if (this.#open?.at(-1) === savepoint) {
      this.#open.pop();
      return true;
    }
    this.misuse ??= new LockstepError(
      "misuse",
      "two parts of a transaction were under way at once, so neither can be undone by itself; " +
        "await one tx.nested(...) before the next begins",
    );
    return false;
  }

  #goBack(savepoint: Savepoint): void {
    if (!this.#close(savepoint)) return;
    if (this.draft !== undefined) this.space.tellEnding();
    this.draft = savepoint.draft;
    this.#commitHooks?.splice(savepoint.commitHooks);
    const undone = this.#rollbackHooks?.splice(savepoint.rollbackHooks);
    if (undone !== undefined) callAll(undone);
  }

  #refuse(): never {
    if (this.isOver || (this.#isClosed && this.leaving === undefined)) {
      throw new LockstepError(
        "misuse",
        "this transaction is over: await in the block all that uses it, and let nothing keep it for later",
      );
    }
    if (this.leaving !== undefined) throw this.leaving;
    throw new LockstepError(
      "misuse",
      "this transaction is another one's than that of the block that uses it; use what the block was given",
    );
  }
}

/** What `change` makes of the value: at once, for a promise would be what is stored. */
export function changed<T>(change: (value: T) => T, value: T): T {
  checkBlock("update", change);
  const next = change(value);
  if (!isPromise(next)) return next;
  Promise.resolve(next).catch(() => undefined);
  throw new LockstepError(
    "misuse",
    "update was given an async function; " +
      "await before, or between tx.getForUpdate(ref) and tx.set(ref, value)",
  );
}

/**
 * Each is told, whatever the others throw; and whoever awaits the transaction hears what became of it
 * only.
 */
function callAll(hooks: readonly Hook[]): void {
  for (const hook of hooks) {
    try {
      hook();
    } catch (error) {
      void Promise.reject(error);
    }
  }
}
