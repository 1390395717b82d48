import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import type { Attempt } from "./attempt.js";

/** The attempt whose block is running at this very moment, up to its first `await`, if there is one. */
export let running: Attempt | undefined;

/** Calls the block. What it does after its first `await` is out of sight. */
export function runIn<T, Transaction extends Attempt>(
  attempt: Transaction,
  block: (tx: Transaction) => T,
): T {
  if (running !== undefined) throw nested();
  running = attempt;
  try {
    return block(attempt);
  } finally {
    running = undefined;
  }
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
