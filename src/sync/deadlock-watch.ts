import type { Held } from "./held.js";
import type { Permits, Want } from "./permits.js";
import type { Waiter } from "./wait-queue.js";

/** Who is told of each hold and each wait, while somebody looks for deadlocks. */
export interface DeadlockWatch {
  /** The waiter was granted a hold, or else the running code was. */
  holds(permits: Permits, held: Held, waiter?: Waiter<Held, Want>): void;
  /** The running code waits from now on; the error that is returned is to refuse it. */
  waits(permits: Permits, waiter: Waiter<Held, Want>): unknown;
  /** Something was given back. */
  returned(permits: Permits): void;
  /** One hold took the place of another. */
  replaced(before: Held, after: Held): void;
  /** One hold stands for several. */
  joined(whole: Held, parts: readonly Held[]): void;
  /** Starts what has no part in what the running code holds. */
  detached<T>(task: () => T): T;
}

/** Nobody looks, unless asked to: this is all that it costs then. */
export let deadlockWatch: DeadlockWatch | undefined;

/** Starts what has no part in what the running code holds, though this code happens to start it. */
export function detached<T>(task: () => T): T {
  return deadlockWatch === undefined ? task() : deadlockWatch.detached(task);
}

export function setDeadlockWatch(watch: DeadlockWatch | undefined): void {
  deadlockWatch = watch;
}
