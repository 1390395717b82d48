import type { Held } from "./held.js";
import type { Permits, Want } from "./permits.js";
import type { Waiter } from "./wait-queue.js";

/** Who is told of each hold and each wait, while somebody looks for deadlocks. */
export interface DeadlockWatch {
  /** Somebody was granted a hold: the waiter, or else the running code. */
  holds(permits: Permits, held: Held, want: Want, waiter?: Waiter<Held, Want>): void;
  /** The running code waits from now on; the error that is returned refuses it. */
  waits(permits: Permits, waiter: Waiter<Held, Want>): unknown;
  /** Runs a task whose holds are not those of the code around it. */
  runTask<T>(task: () => T): T;
}

/** Nobody looks, unless asked to: this is all that it costs then. */
export let deadlockWatch: DeadlockWatch | undefined;

export function setDeadlockWatch(watch: DeadlockWatch | undefined): void {
  deadlockWatch = watch;
}
