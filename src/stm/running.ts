import { asyncHooks } from "../base/async-hooks.js";
import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { deadlockWatch } from "../sync/deadlock-watch.js";
import type { Attempt } from "./attempt.js";

/** The attempt whose block is running at this very moment, up to its first `await`, if there is one. */
export let running: Attempt | undefined;

/**
 * Knows the attempt after an `await` of its block, too, while deadlocks are looked for: following each
 * promise costs too much for always.
 */
let followed: { run<T>(attempt: Attempt, block: () => T): T; getStore(): Attempt | undefined } | undefined;

/** Calls the block. */
export function runIn<T, Tx extends Attempt>(attempt: Tx, block: (tx: Tx) => T): T {
  if (isInBlock()) throw nested();
  running = attempt;
  try {
    if (deadlockWatch === undefined) return block(attempt);
    followed ??= new (asyncHooks().AsyncLocalStorage)<Attempt>();
    return followed.run(attempt, () => block(attempt));
  } finally {
    running = undefined;
  }
}

/** Whether the running code is a part of a block, as far as can be told. */
export function isInBlock(): boolean {
  if (running !== undefined) return true;
  return deadlockWatch !== undefined && followed?.getStore()?.isOver === false;
}

export function nested(): LockstepError {
  return new LockstepError(
    "misuse",
    "a transaction was begun inside another one, and would commit though that one did not; " +
      "write tx.nested((tx) => ...) for a part of it, or tx.onCommit(...) for what comes after it",
  );
}

/** Throws unless it is something to call. */
export function checkBlock(method: string, block: unknown): void {
  if (typeof block === "function") return;
  throw new LockstepError("bad-input", `${method} takes a function, not ${shown(block)}`);
}
